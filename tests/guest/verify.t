# SPDX-License-Identifier: MIT
# A guest three times as large as its cap loses no byte, and never passes it.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

my @swaps = (['ram'], ['ram,codec=zstd'], ['file=' . scratch('')]);
my $tight = 16 * MIB;

sub verify {
	my ($accel, $swap, $order, $passes, $least) = @_;
	my $r = run($accel, 0, '-m', '64M', '--resident', '16M', '--swap',
		$swap, '--', 'verify', '--size', '48M', '--passes', $passes,
		'--seed', 7, '--order', $order);
	my $s = stats($r);
	is $s->{accel}, $accel, 'accel';
	is $s->{stage2}, 'npt', 'stage2' if $accel eq 'capsule';
	cmp_ok $s->{memory}{resident_peak_bytes}, '<=', $tight, 'the cap held';
	cmp_ok $s->{memory}{resident_peak_bytes}, '>', $tight / 2,
		'the peak was measured';
	cmp_ok $s->{pages}{swapped_out}, '>', $least, 'swapped_out';
	cmp_ok $s->{pages}{swapped_in}, '>', $least, 'swapped_in';
	like slurp($r->{out}), qr/^verify: ok, 12288 pages/m, 'verified';
	is $s->{guest}{progress}, 2 * $passes * 12288, 'each page was reported'
		if $order ne 'zipf';
	is_on_rung($s, $swap =~ /^ram/ ? 'compressed' : 'file');
	diag sprintf "%s %s %s: %.1f s", $accel, $swap, $order, $r->{seconds};
}

for my $accel (accels()) {
	my ($passes, $least) = $accel eq 'kvm' ? (3, 7500) : (2, 5000);
	my @runs = (['ram', 'seq'], ['file=' . scratch(''), 'seq'],
		['ram', 'random']);
	push @runs, ['ram,codec=zstd', 'seq'], ['ram', 'zipf'],
		['file=' . scratch(''), 'random'] if $accel eq 'kvm';
	verify($accel, @$_, $passes, $_->[1] eq 'zipf' ? 5000 : $least)
		for @runs;
}

done_testing;
