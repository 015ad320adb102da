# SPDX-License-Identifier: MIT
# Everything at once, at random, with too little memory in the guest and half
# of it on the host; e2fsck looks at the disk. STRESS_SECONDS makes it longer, STRESS_SEED another run.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

my $seconds = $ENV{STRESS_SECONDS} || 10;
my $seed = $ENV{STRESS_SEED} || 1;

# The root file system, and a disk for the guest's own swap.
sub disks {
	my ($accel) = @_;
	my ($root, $swap) = (scratch("$accel.img"), scratch("$accel.swap"));
	system('cp', 'build/guest/disk.img', $root) and die "cp: $?";
	open my $f, '>', $swap or die "$swap: $!";
	truncate $f, 64 * MIB or die "$swap: $!";
	return ($root, $swap);
}

for my $accel (accels()) {
	my ($root, $swap) = disks($accel);
	my $r = start($accel, '-m', '64M', '-c', 2, '--resident', '32M',
		'--swap', 'ram', '--disk', "path=$root", '--disk',
		"path=$swap", '--', 'stress', '--seed', $seed, '--seconds',
		$seconds);
	is finish($r, $seconds * 4 + 900), 0, "$accel: stress, seed $seed";
	my $out = slurp($r->{out});
	like $out, qr/^stress: ok, seed $seed/m, 'nothing was lost or leaked'
		or diag $out, slurp($r->{err});
	my $steps = 0;
	$steps += $1 while $out =~ /did (\d+) steps/g;
	is stats($r)->{guest}{progress}, $steps, 'each step was reported';
	like $out, qr/[1-9]\d* pages to swap/, 'there was too little memory';
	my $check = `e2fsck -fn $root 2>&1`;
	is $?, 0, 'the file system is clean' or diag $check;
	diag $1 if $out =~ /^(stress: ok.*)/m;
}

done_testing;
