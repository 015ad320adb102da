# SPDX-License-Identifier: MIT
# The DMA engine, the IOMMU before it and the balloon, with a guest that is
# nothing but their driver, and with less memory than they move.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

my $guest = 'build/tests/guest/dma.elf';

for my $accel (accels()) {
	for my $cap ('20M', '4M') {
		my $r = run($accel, 0, '-m', '20M', '--resident', $cap,
			'--timeout', 120, '--balloon', 'size=4M', $guest);
		like slurp($r->{out}), qr/^4 MiB moved, a window kept/m,
			"$accel, $cap: the guest's own checks";
		my $s = stats($r);
		is $s->{dma}{descriptors}, 1032, 'every descriptor was done';
		# Fills, sums, a copy, and three times eight bytes.
		is $s->{dma}{bytes}, 16 * MIB + 16, 'and every byte counted';
		is $s->{dma}{errors}, 3, 'three were refused';
		is $s->{iommu}{faults}, 1, 'one of them by the IOMMU';
		is $s->{iommu}{table_pages}, 0, 'whose tables are gone';
		my ($given) = map { $_->{pages} }
			grep { $_->{name} eq 'ballooned' } @{$s->{ladder}};
		if ($cap eq '20M') {
			is $given, 1024, 'all that was given was in memory';
		} else {
			cmp_ok $given, '<', 1024, 'a part of it was in swap';
			cmp_ok $s->{pages}{swapped_in}, '>', 1024,
				'pages came back for the engine';
		}
		cmp_ok $s->{memory}{resident_peak_bytes}, '<=',
			$s->{memory}{resident_limit_bytes}, 'the cap held';
	}
}

done_testing;
