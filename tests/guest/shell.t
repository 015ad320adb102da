# SPDX-License-Identifier: MIT
# The sample guest's shell: typed at, with its line editor, and by -c.
use strict;
use warnings;
use lib 'tests/guest/lib';
use IPC::Open2;
use JSON::PP;
use Test::More;
use Twofold;

# Type @text when the prompt is there; the output of it all, and the status.
sub type {
	my ($accel, $text, @options) = @_;
	my $pid = open2(my $out, my $in, 'build/twofold', 'run', '--accel',
		$accel, '--timeout', 60, @options, '--', 'shell');
	my $seen = '';
	while (index($seen, '$ ') < 0) {
		sysread($out, $seen, 4096, length $seen) or last;
	}
	syswrite $in, $text;
	while (sysread $out, $seen, 4096, length $seen) { }
	waitpid $pid, 0;
	return ($seen, $? >> 8);
}

my $left = "\x1b[D";
my $up = "\x1b[A";

for my $accel (accels()) {
	my ($seen, $status) = type($accel, join "\r",
		'echo one', # plain
		"echo t${left}wo\x1b[C\x7f!", # "two", less its t, and more
		"echo lost\x03", # control-C gives the line up
		"echo x\x15echo three", # control-U
		'', 'nonsense', "$up$up", # the last but one: three again
		'ps', "exit 7\r");
	is $status, 7, "$accel: its status is that of exit" or diag $seen;
	like $seen, qr/^one\r?$/m, 'a word';
	like $seen, qr/^wo!\r?$/m, 'edited with cursor and backspace';
	unlike $seen, qr/^lost\r?$/m, 'control-C';
	is scalar(() = $seen =~ /^three\r?$/mg), 2, 'control-U, history';
	like $seen, qr/no nonsense/, 'an unknown command';
	like $seen, qr/^ +1 +0 .* shell\r?$/m, 'ps';

	($seen, $status) = type($accel, "echo end\r\x04");
	is $status, 0, 'control-D ends it';

	my $json = scratch("$accel.json");
	($seen, $status) = type($accel, "echo t${left}wo\rexit 7\r",
		'--console', 'virtio', '--stats', $json);
	is $status, 7, 'on the virtio console' or diag $seen;
	like $seen, qr/^wot\r?$/m, 'it hears and speaks';
	my ($console) = grep { $_->{name} eq 'console' }
		@{decode_json(slurp($json))->{devices}};
	cmp_ok $console->{bytes}, '>', length $seen, 'all of it went there';

	my $r = run($accel, 0, '--', 'shell', '-c',
		'echo a b | cat | cat; maps 1; pagemap 1 0x400000; free; '
		. 'buddyinfo; slabinfo; vmstat; ls /bin; list; sparse');
	my $out = slurp($r->{out});
	like $out, qr/^a b$/m, 'a pipeline';
	like $out, qr/^0+400000-\w+ r-xp /m, 'maps';
	like $out, qr/^PT .* P U/m, 'pagemap';
	like $out, qr/^frame 0x/m, 'the frame';
	like $out, qr/^  page tables +\d+ frames/m, 'free';
	like $out, qr/^DMA .* order 0 to 10:/m, 'buddyinfo';
	like $out, qr/^kmalloc-56 .*\d$/m, 'slabinfo';
	like $out, qr/^faults \d+: demand zero/m, 'vmstat';
	like $out, qr/ hello$/m, 'ls';
	like $out, qr/^cow +\w/m, 'list';
	like $out, qr/^ok 1 - sparse:/m, 'a demonstration';

	$r = run($accel, 0, '--', 'shell', '-c', 'random; random');
	my @bits = slurp($r->{out}) =~ /^([0-9a-f]{16})$/mg;
	is scalar(@bits), 2, 'the host has randomness' or diag slurp($r->{out});
	isnt $bits[0], $bits[1], 'other bits each time';

	$r = run($accel, 120, '--', 'shell', '-c', 'nonsense');
	$r = run($accel, 3, '--', 'shell', '-c', 'echo x; exit 3; echo y');
	unlike slurp($r->{out}), qr/^y$/m, 'exit is the end';
}

done_testing;
