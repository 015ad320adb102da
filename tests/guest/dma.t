# SPDX-License-Identifier: MIT
# The DMA engine, the IOMMU before it and the balloon, with a guest that is
# nothing but their driver, and with less memory than they move. DESCRIPTORS says
# how many small transfers it has the engine do, every byte of them checked: a
# million (a minute on kvm, more in the capsule) or, here, few. Then the sample
# guest's demonstrations with a quarter of its memory.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

my $guest = 'build/tests/guest/dma.elf';
# Half of them behind the IOMMU, 64 at a time; before each half as many fills, of
# as much memory as it has transfers, at most all.
my $descriptors = int(($ENV{DESCRIPTORS} || 20_000) / 128) * 128;
my $area = 128 * ($descriptors / 2 < 131072 ? $descriptors / 2 : 131072);
my $timeout = 120 + int($descriptors / 1000);

for my $accel (accels()) {
	for my $cap ('20M', '5M') {
		my $r = start($accel, '-m', '20M', '--resident', $cap,
			'--timeout', $timeout, '--balloon', 'size=4M', '-p',
			$descriptors, $guest);
		is finish($r, $timeout + 60), 0, "$accel, $cap: it ends well"
			or diag slurp($r->{out}), slurp($r->{err});
		like slurp($r->{out}), qr/^4 MiB moved, a window kept/m,
			"$accel, $cap: the guest's own checks";
		my $s = stats($r);
		is $s->{dma}{descriptors}, 1032 + 2 * 64 + $descriptors,
			'every descriptor was done';
		# Fills, sums, a copy, three times eight bytes, and the storms.
		is $s->{dma}{bytes}, 16 * MIB + 16 + 2 * $area +
			128 * $descriptors, 'and every byte counted';
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
