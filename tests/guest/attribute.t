# SPDX-License-Identifier: MIT
# `twofold ctl VM attribute`: whose memory it is, beside what the guest's own
# `ps` says; the guest is not asked for it.
use strict;
use warnings;
use lib 'tests/guest/lib';
use IO::Handle;
use JSON::PP;
use List::Util 'sum';
use POSIX 'mkfifo';
use Test::More;
use Twofold;

my $keys = scratch('keys');
mkfifo($keys, 0600) or die "mkfifo: $!";

sub attribution {
	my ($r) = @_;
	my ($code, $text) = ctl($r, 'attribute', '--json');
	is $code, 0, 'attribute' or diag $text;
	my $a = eval { decode_json($text) } || {};
	is sum(map { bytes($_) } (map { $_->{own} } @{$a->{processes}}),
			@$a{qw(shared tables kernel unreachable)}),
		128 * MIB, '... every page is in one account';
	return $a;
}

sub bytes { sum(values %{$_[0]}) }

# All that a process maps.
sub mapped { bytes($_[0]->{own}) + bytes($_[0]->{shared}) }

sub process_at {
	my ($a, $root) = @_;
	return (grep { $_->{cr3} eq $root } @{$a->{processes}})[0];
}

# Type @line at the prompt, and wait for the next one.
my $prompts;
sub type {
	my ($r, $in, $line) = @_;
	print $in "$line\r";
	$prompts++;
	ok until_true(60, sub {
		my @seen = slurp($r->{out}) =~ /\$ /g;
		@seen >= $prompts;
	}), "typed: $line";
}

for my $accel (accels()) {
	local $Twofold::stdin = $keys;
	my $r = start($accel, '-m', '128M', '--swap', 'ram', '--timeout', 240,
		'--', 'shell');
	open my $in, '>', $keys or die "$keys: $!";
	$in->autoflush;
	ok wait_for($r, qr/\$ /), "$accel: a prompt";
	$prompts = 1;
	type($r, $in, 'ps') for 1 .. 2;
	my ($kib, $root) = slurp($r->{out}) =~
		/.*^ +1 +0 asleep +\d+ +(\d+)K +\d+ +(0x\w+) shell\r?$/ms;
	my $p = process_at(attribution($r), $root);
	ok $p, 'the shell is found, though it is asleep';
	# ps does not count the gate, which every process has.
	is mapped($p) / 1024, $kib + 4, 'with what ps says that it has';
	ok $p->{whole}, 'all of its tables were read';

	# A process that does not fit, and one that waits for its words.
	ctl($r, 'resident', '16M');
	print $in "verify --size 48M --passes 100000 | cat\r";
	ok wait_for($r, qr/pass 2 of/, 120), 'verify is at work';
	my $a = attribution($r);
	my ($verify) = grep { $_->{pid} } @{$a->{processes}};
	is $verify->{by}, 'vcpu', 'it has the vCPU, and a pid';
	cmp_ok mapped($verify), '>=', 48 * MIB, 'it has what it asked for';
	cmp_ok mapped($verify), '<', 49 * MIB, '... and its program';
	cmp_ok $verify->{own}{resident_bytes}, '<=', 16 * MIB, 'some is here';
	cmp_ok $verify->{own}{swapped_bytes}, '>', 24 * MIB, 'more is in swap';
	is scalar @{$a->{processes}}, 3, 'two others are asleep';
	my @shells = grep { !$_->{pid} } @{$a->{processes}};
	is $_->{by}, 'search', '... and found' for @shells;
	cmp_ok bytes($_->{shared}), '>', 0, '... sharing pages' for @shells;
	cmp_ok $a->{not_searched_bytes}, '<', 2 * MIB,
		'all was searched for them, but for what is in motion';

	my (undef, $text) = ctl($r, 'attribute');
	like $text, qr/^cr3 \Q$verify->{cr3}\E pid $verify->{pid} +\d/m,
		'as text';
	ctl($r, 'stop');
	is finish($r), 0, 'it ends';

	$r = start($accel, '-m', '64M', '--paging', 'off', '--', 'verify',
		'--size', '16M', '--passes', 100000);
	ok wait_for($r, qr/pass 2 of/), "$accel: without paging";
	my ($code, $why) = ctl($r, 'attribute');
	is $code, 1, 'there is nothing to tell';
	like $why, qr/--paging off/, '... which it says';
	ctl($r, 'stop');
	is finish($r), 0, 'it ends';
}

done_testing;
