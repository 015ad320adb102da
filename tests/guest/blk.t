# SPDX-License-Identifier: MIT
# The virtio disk, with a guest that is nothing but its driver: what it writes
# is in the image, what it reads was there, under memory pressure, too.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

my $guest = 'build/tests/guest/blk.elf';
my $pages = join '', map {
	my $page = $_;
	pack 'L<*', map { $page << 16 | $_ } 0 .. 1023
} 0 .. 255;

sub image {
	my ($name) = @_;
	my $path = scratch($name);
	open my $f, '>:raw', $path or die;
	truncate $f, 4 * MIB;
	seek $f, 4 * MIB - 4096, 0;
	print $f 'mark';
	close $f;
	return $path;
}

for my $accel (accels()) {
	for my $cap ('16M', '4M') {
		my $image = image("$accel-$cap.img");
		my $r = run($accel, 0, '-m', '16M', '--resident', $cap,
			'--timeout', 120, '--disk', "path=$image", $guest);
		like slurp($r->{out}), qr/^256 pages written, read/m,
			"$accel, $cap: the guest's own check";
		my $now = slurp($image);
		is length $now, 4 * MIB, 'the image has its size';
		ok substr($now, 0, MIB) eq $pages, 'what was written is there';
		# 256 pages there and back, a flush, and two pages at the end of
		# which one is beyond it.
		my ($disk) = @{stats($r)->{devices}};
		is_deeply $disk, { slot => 0, name => 'blk', requests => 515,
			bytes => 513 * 4096, errors => 1, needs_reset => 0 },
			'what the hypervisor counted';
	}

	my $image = image("$accel-ro.img");
	my $r = run($accel, 5, '-m', '16M', '--timeout', 120, '--disk',
		"path=$image,readonly=on", $guest);
	like slurp($r->{out}), qr/^failed: a transfer/m, 'D21: no write';
	ok slurp($image) eq slurp(image('untouched.img')),
		'a read-only image is untouched';
}

done_testing;
