# SPDX-License-Identifier: MIT
# The DMA engine, the IOMMU before it and the balloon, with a guest that is
# nothing but their driver, and with less memory than they move. DESCRIPTORS says
# about how many transfers it has the engine do, every byte of them checked: a
# million or, here, fewer. Then the sample guest's demonstrations with a quarter
# of its memory.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

my $guest = 'build/tests/guest/dma.elf';
# Without the IOMMU and with it: a storm, which begins with 64 fills of as much
# memory as it moves, then a belt, which begins with half a round of fills.
my $storm = 9984;
my $rounds = int(($ENV{DESCRIPTORS} || 200_000) / 2 / 65536) || 1;
my $belt = 32768 + $rounds * 65536;
my $timeout = 120 + $rounds * 20;

for my $accel (accels()) {
	for my $cap ('20M', '5M') {
		my $r = start($accel, '-m', '20M', '--resident', $cap,
			'--timeout', $timeout, '--balloon', 'size=4M', '-p',
			"$storm $rounds", $guest);
		is finish($r, $timeout + 60), 0, "$accel, $cap: it ends well"
			or diag slurp($r->{out}), slurp($r->{err});
		like slurp($r->{out}), qr/^4 MiB moved, a window kept/m,
			"$accel, $cap: the guest's own checks";
		my $s = stats($r);
		is $s->{dma}{descriptors}, 1032 + 2 * (64 + $storm + $belt),
			'every descriptor was done';
		# Fills, sums, a copy, three times eight bytes; storms, belts.
		is $s->{dma}{bytes}, 16 * MIB + 16 +
			2 * 128 * (2 * $storm + $belt), 'and every byte counted';
		diag sprintf '%s, %s: %d descriptors, %d bytes, %d pages ' .
			'swapped in, %.0f s', $accel, $cap,
			@{$s->{dma}}{qw(descriptors bytes)},
			$s->{pages}{swapped_in}, $r->{seconds};
		is $s->{dma}{errors}, 3, 'three were refused';
		is $s->{iommu}{faults}, 1, 'one of them by the IOMMU';
		is $s->{iommu}{table_pages}, 0, 'whose tables are gone';
		my ($given) = map { $_->{pages} }
			grep { $_->{name} eq 'ballooned' } @{$s->{ladder}};
		if ($cap eq '20M') {
			is $given, 1024, 'all that was given was in memory';
		} else {
			cmp_ok $given, '<', 1024, 'a part of it was in swap';
			cmp_ok $s->{pages}{swapped_in}, '>', 256,
				'pages came back for the engine';
		}
		cmp_ok $s->{memory}{resident_peak_bytes}, '<=',
			$s->{memory}{resident_limit_bytes}, 'the cap held';
	}
	for my $name (qw(mmio dma iommu)) {
		my $r = run($accel, 0, '-m', '64M', '--resident', '16M', '--',
			$name);
		like slurp($r->{out}), qr/^ok 1 - $name: /m, $name;
	}
}

done_testing;
