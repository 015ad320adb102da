# SPDX-License-Identifier: MIT
# Programs that execute bytes of chance and call the kernel with arguments of
# chance: each ends, the kernel lives, has all its frames, and its disk is in
# order. FUZZ_ROUNDS makes it longer, FUZZ_SEED another run.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

my $rounds = $ENV{FUZZ_ROUNDS} || 300;
my $seed = $ENV{FUZZ_SEED} || 1;

for my $accel (accels()) {
	for my $cpus (1, 2) {
		my ($disk, @disks) = guest_disks("$accel-$cpus");
		my $r = start($accel, '-c', $cpus, @disks, '--', 'fuzz',
			'--seed', $seed, '--rounds', $rounds);
		is finish($r, $rounds + 300), 0,
			"$accel, $cpus CPUs: $rounds rounds of seed $seed";
		my $out = slurp($r->{out});
		like $out, qr/^fuzz: ok, seed $seed, $rounds rounds/m, 'ok'
			or diag substr($out, -2000);
		unlike $out, qr/panic|kernel: leak/, 'the kernel is well';
		disk_in_order($disk, "$accel, $cpus CPUs");
	}
}

done_testing;
