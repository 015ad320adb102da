# SPDX-License-Identifier: MIT
# Everything at once, at random, with too little memory in the guest and half of
# it on the host, so that both page out; e2fsck looks at the disk. STRESS_SECONDS
# makes it longer, STRESS_SEED another run.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

use constant PAGED => 300; # pages at least, by each of the two, each way

my $seconds = $ENV{STRESS_SECONDS} || 10;
my $seed = $ENV{STRESS_SEED} || 1;

for my $accel (accels()) {
	my ($root, @disks) = guest_disks($accel);
	my $r = start($accel, '-m', '16M', '-c', 2, '--resident', '8M',
		'--swap', 'ram', @disks, '--', 'stress', '--seed', $seed,
		'--seconds', $seconds);
	is finish($r, $seconds * 4 + 900), 0, "$accel: stress, seed $seed";
	my $out = slurp($r->{out});
	like $out, qr/^stress: ok, seed $seed/m, 'nothing was lost or leaked'
		or diag $out, slurp($r->{err});
	unlike $out, qr/kernel: leak/, 'nor did the kernel see a leak';
	my $steps = 0;
	$steps += $1 while $out =~ /did (\d+) steps/g;
	my $s = stats($r);
	is $s->{guest}{progress}, $steps, 'each step was reported';
	my ($to, $back) = $out =~ /(\d+) pages to swap, (\d+) back/;
	cmp_ok $_ // 0, '>', PAGED, 'the guest had too little memory'
		for $to, $back;
	my $pages = $s->{pages};
	cmp_ok $pages->{$_}, '>', PAGED, "and the host for it: $_"
		for qw(swapped_out swapped_in);
	diag "host: $pages->{swapped_out} pages out, $pages->{swapped_in} in";
	disk_in_order($root, "$accel: stress");
	diag $1 if $out =~ /^(stress: ok.*)/m;
}

done_testing;
