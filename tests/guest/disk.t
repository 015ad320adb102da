# SPDX-License-Identifier: MIT
# The guest's files on a real disk: what it writes, e2fsck finds in order and
# debugfs reads; what it must not write, it does not.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

$ENV{PATH} .= ':/usr/sbin:/sbin';

# The bytes of a file of @image.
sub content {
	my ($image, $path) = @_;
	return scalar `debugfs -R 'cat $path' $image 2>/dev/null`;
}

for my $accel (accels()) {
	my $image = guest_disk("$accel.img");
	for my $name (qw(page-cache buffer-cache mmap-file mmap-read)) {
		my $r = run($accel, 0, '-c', 2, '--disk', "path=$image", '--',
			$name);
		like slurp($r->{out}), qr/^ok 1 - $name: /m, "$accel: $name"
			or diag slurp($r->{out});
		disk_in_order($image, "$accel: $name");
	}
	my $mapped = content($image, '/demo-mmap-file');
	is $mapped, 'A' x 4096 . 's' . 'B' x 4095 . 'C' x 4096,
		'the shared write is in the file, the private one is not';
	like `dumpe2fs -h $image 2>&1`, qr/^Filesystem state:\s+clean$/m,
		'the state of the disk';

	# Not written to: read-only, or with a feature that we must not know.
	my %untouched = (readonly => guest_disk('readonly.img'));
	$untouched{feature} = scratch('feature.img');
	system("mke2fs -q -F -t ext2 -b 4096 -O extent $untouched{feature} 4M "
		. '>/dev/null 2>&1');
	for my $name (sort keys %untouched) {
		my $before = slurp($untouched{$name});
		my $r = run($accel, 0, '--disk', "path=$untouched{$name}"
			. ($name eq 'readonly' ? ',readonly=on' : ''), '--',
			'page-cache');
		like slurp($r->{out}), qr/^ok 1 - page-cache # SKIP/m,
			"$accel: $name: no file can be made";
		ok $before eq slurp($untouched{$name}), 'no byte has changed';
	}
}

done_testing;
