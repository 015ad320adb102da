# SPDX-License-Identifier: MIT
# `twofold pressure`: a guest at a quarter of its memory is squeezed, slowed and
# refused, its report says so, and VM and guest are as they were.
use strict;
use warnings;
use lib 'tests/guest/lib';
use JSON::PP;
use Test::More;
use Twofold;

# `twofold pressure VM ...`: (exit status, its report).
sub pressure {
	my ($r, $scenario, @words) = @_;
	my $text = `$program pressure $r->{name} '$scenario' --json @words \\
		2>@{[scratch('pressure.err')]}`;
	my $status = $? >> 8;
	my $report = eval { decode_json($text) } || {};
	return ($status, $report);
}

# The scenario of that name, four times as fast.
sub shortened {
	my ($name) = @_;
	my $text = slurp("vmm/scenarios/$name.scenario");
	$text =~ s{^(\d+)s|(\b(?:over|sine|walk)) (\d+)(m?s)}
		{defined $1 ? $1 * 250 . 'ms'
			: "$2 " . ($4 eq 's' ? 250 : 1 / 4) * $3 . 'ms'}gem;
	my $path = scratch("$name.scenario");
	open my $f, '>', $path or die "$path: $!";
	print $f $text;
	close $f;
	return $path;
}

sub is_as_before {
	my ($r, $what) = @_;
	my $s = status($r);
	is $s->{state}, 'running', "$what: it runs";
	is $s->{memory}{resident_limit_bytes}, 32 * MIB, 'with its own cap';
	my $before = $s->{guest}{progress};
	ok until_true(60, sub {
		status($r)->{guest}{progress} > $before
	}), 'and goes on';
	unlike slurp($r->{out}), qr/mismatch/, 'every byte is right';
}

# What each of the shipped scenarios does, and the least that the cap is then.
my @shipped = (
	['squeeze', 8,
		'cap 50% over 500ms; cap 25% over 500ms; cap 100%'],
	['thrash', 3.2, 'cap 10%..60% sine 1000ms; cap 100%'],
	['noisy-neighbour', 6.4, 'hog 25% over 750ms; cap 50% over 250ms; '
		. 'cap 20%..60% walk 125ms; hog 0; cap 100%'],
	['disk-full', 19.2, 'cap 60%; full on; full off; resume'],
	['flaky-remote', 19.2, 'cap 60%; delay bimodal 300us 20ms 2%; '
		. 'errors 0.5%; stall on; stall off; delay none; errors 0%']);

sub test_shipped {
	my ($r, $name, $least, $done) = @_;
	my ($status, $report) = pressure($r, shortened($name));
	is $status, 0, "$name: it copes"
		or diag slurp(scratch('pressure.err'));
	is join('; ', grep { $_ ne 'as it was' } map { $_->{done} }
		@{$report->{phases}}), $done, 'it did all';
	my $m = $report->{metrics};
	cmp_ok $m->{cap_mib}{least}, '>', $least - 0.1, 'no cap was too small';
	cmp_ok $m->{cap_mib}{least}, '<', 32, 'but smaller than before';
	cmp_ok $m->{resident_mib}{most}, '<=', 32, 'none was passed';
	is_as_before($r, $name);
	return $m;
}

# The process whose parent is @pid, if it has more than @least bytes in memory.
sub child {
	my ($pid, $least) = @_;
	for my $stat (glob '/proc/[0-9]*/stat') {
		my @field = split ' ', slurp($stat) =~ s/^.*\) //sr;
		return $stat =~ s{\D}{}gr if @field && $field[1] == $pid &&
			$field[21] * 4096 > $least;
	}
	return undef;
}

# By its name, and not to its end: the hog goes with it.
sub test_interrupted {
	my ($r) = @_;
	my $pid = fork // die;
	if (!$pid) {
		open STDOUT, '>', scratch('cut');
		open STDERR, '>', scratch('cut.err');
		exec $program, 'pressure', $r->{name}, 'noisy-neighbour';
	}
	my $hog = until_true(60, sub { child($pid, 64 * MIB) });
	ok $hog, 'a neighbour uses host memory';
	kill 'INT', $pid;
	waitpid $pid, 0;
	is $? >> 8, 130, 'an interrupt ends it';
	like slurp(scratch('cut')), qr/^stopped   interrupted/m, 'it says so';
	ok !kill(0, $hog), 'and the neighbour leaves';
	is_as_before($r, 'interrupted');
}

like `$program pressure --list`, qr/^$_->[0] +\d+ s  \w/m,
	"$_->[0] is listed" for @shipped;

for my $accel (accels()) {
	my $r = start($accel, '-m', '128M', '--resident', '32M', '--swap',
		'ram', '--', 'verify', '--size', '96M', '--passes', 1000000);
	ok swapping($r, 2000), "$accel: verify is swapping";

	my %m = map { $_->[0] => test_shipped($r, @$_) } @shipped;
	cmp_ok $m{squeeze}{$_}{mean}, '>', 0, "squeeze: $_ is measured"
		for qw(guest_per_s faults_per_s swap_in_per_s stall_some
			wait_us);
	test_interrupted($r);

	# Every other way to hurt it, all at once and one after the other.
	my ($status, $report) = pressure($r, <<~'END', '--seed', 5);
		0s   cap 20%..60% walk 100ms
		0s   delay exponential 200us
		0s   errors 1%
		1s   balloon 16M
		2s   stall on in ram
		3s   stall off
		3s   full on
		5s   full off
		5s   resume
		6s   end
		expect end paused < 1
		expect faults_per_s < 1
		END
	is $status, 1, 'what was expected did not come true';
	ok $report->{completed}, 'though it went on to the end';
	is_deeply [map { $_->{ok} ? 1 : 0 } @{$report->{expectations}}],
		[1, 0], 'which says which';
	is_as_before($r, 'all at once');
	is ctl_json($r, 'balloon')->{target_pages}, 0, 'the balloon, too';

	my ($no, undef) = pressure($r, '0s full on in nbd; 1s end');
	is $no, 1, 'a tier that it has not';
	($no) = pressure($r, '0s cap 1M; 1s end');
	is $no, 1, 'a cap below what a guest needs';
	is_as_before($r, 'what was refused');
	ok ctl_json($r, 'audit')->{sound}, 'the auditor finds nothing';

	my $pid = fork // die;
	if (!$pid) {
		open STDOUT, '>', scratch('gone');
		open STDERR, '>', scratch('gone.err');
		exec $program, 'pressure', $r->{name}, '60s end';
	}
	ok until_true(60, sub { -s scratch('gone.err') }), 'one more';
	ctl($r, 'stop');
	is finish($r), 0, 'the VM ends';
	waitpid $pid, 0;
	is $? >> 8, 1, 'and so does the run';
	like slurp(scratch('gone')), qr/^stopped   the VM has ended/m, 'why';
}

done_testing;
