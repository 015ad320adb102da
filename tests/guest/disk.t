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

# A disk with partitions, as sfdisk and mkswap make them: a copy of the guest's
# own, one to swap to, and a rest that is nobody's.
sub partitioned {
	my ($name) = @_;
	my ($disk, $swap) = (scratch($name), scratch("$name.swap"));
	system("truncate -s 24M $disk && truncate -s 12M $swap && "
		. "printf '1M,8M,L\\n9M,12M,S\\n' | sfdisk -q $disk && "
		. "mkswap -q $swap && for part in "
		. "'build/guest/disk.img seek=1' '$swap seek=9'; do dd bs=1M "
		. "status=none conv=notrunc of=$disk if=\$part; done") == 0
		or die "partitions: $?";
	return $disk;
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

	# Both partitions are used, and nothing else of the disk.
	my $disk = partitioned("$accel.parts");
	my ($table, $rest) = map { substr(slurp($disk), $_->[0], $_->[1]) }
		[0, MIB], [21 * MIB, 3 * MIB];
	my $parts = run($accel, 0, '-c', 2, '--disk', "path=$disk", '--',
		'tour', 'swap', 'mmap-file');
	like slurp($parts->{out}), qr/^ok 1 - swap: /m, "$accel: a partition"
		or diag slurp($parts->{out});
	disk_in_order("$disk?offset=" . MIB, "$accel: the other");
	is content("$disk?offset=" . MIB, '/demo-mmap-file'), $mapped,
		'it is the root';
	is substr(slurp($disk), 0, MIB), $table, 'before them nothing has changed';
	is substr(slurp($disk), 21 * MIB), $rest, 'nor behind them';

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
