# SPDX-License-Identifier: MIT
# The virtio devices, with a guest that is nothing but their drivers: what it
# writes is in the image, what it reads was there, under memory pressure, too;
# random bytes come, and a console speaks and hears.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

my $guest = 'build/tests/guest/virtio.elf';
my $pages = join '', map {
	my $page = $_;
	pack 'L<*', map { $_ % 16 ? 0 : $page << 16 | $_ } 0 .. 1023
} 0 .. 1023;

sub image {
	my ($name) = @_;
	my $path = scratch($name);
	open my $f, '>:raw', $path or die;
	truncate $f, 8 * MIB;
	seek $f, 8 * MIB - 4096, 0;
	print $f 'mark';
	close $f;
	return $path;
}

open my $typed, '>', scratch('typed') or die;
print $typed "typed words\n";
close $typed;
$Twofold::stdin = scratch('typed');

for my $accel (accels()) {
	for my $cap ('24M', '4M') {
		my $image = image("$accel-$cap.img");
		my $r = run($accel, 0, '-m', '24M', '--resident', $cap,
			'--timeout', 120, '--disk', "path=$image",
			'--console', 'virtio', $guest);
		like slurp($r->{out}), qr/^1024 pages written, read/m,
			"$accel, $cap: the guest's own check";
		like slurp($r->{out}), qr/^hello from virtio\ntyped words$/m,
			'the console speaks and hears';
		my $now = slurp($image);
		is length $now, 8 * MIB, 'the image has its size';
		ok substr($now, 0, 4 * MIB) eq $pages, 'what was written is there';
		# 1024 pages there and back, a flush, and two pages at the end of
		# which one is beyond it.
		my @count = qw(slot requests bytes errors needs_reset);
		my %counts = map { $_->{name} => [@$_{@count}] }
			grep { $_->{requests} } @{stats($r)->{devices}};
		is_deeply \%counts, { blk => [0, 2051, 2049 * 4096, 1, 0],
			rng => [1, 2, 64, 0, 0],
			console => [2, 3, 42, 0, 0] },
			'what the hypervisor counted';
		cmp_ok stats($r)->{pages}{swapped_in}, $cap eq '4M' ? '>' : '==',
			$cap eq '4M' ? 256 : 0, 'pages swapped in';
	}

	# F5: a page that cannot be had back, most likely one that the disk is
	# to be given: the VM pauses, the guest sees no error.
	my $lost = start($accel, '-m', '24M', '--resident', '4M', '--inject',
		'flip=700', '--timeout', 120, '--disk', 'path=' .
		image("$accel-lost.img"), $guest);
	ok until_true(90, sub {
		(ctl($lost, 'status'))[1] =~ /paused: .* damaged/ }),
		'F5: paused';
	ctl($lost, 'resume'); # nothing was repaired
	ok until_true(30, sub {
		(ctl($lost, 'status'))[1] =~ /paused: .* damaged/ }),
		'and once more';
	like((ctl($lost, 'status'))[1], qr/blk: .* 0 errors, 0 times/,
		'no error for the guest');
	ctl($lost, 'stop');
	is finish($lost, 30), 0, 'it can be stopped';

	# Eight disks put the others on lines that no PIC has.
	my @disks = map { ('--disk', 'path=' . image("$accel-$_.img")) } 1 .. 8;
	run($accel, 0, '-m', '24M', '--timeout', 120, '--console', 'virtio',
		@disks, $guest);

	my $image = image("$accel-ro.img");
	my $r = run($accel, 5, '-m', '24M', '--timeout', 120, '--disk',
		"path=$image,readonly=on", $guest);
	like slurp($r->{out}), qr/^failed: a transfer/m, 'D21: no write';
	ok slurp($image) eq slurp(image('untouched.img')),
		'a read-only image is untouched';
}

done_testing;
