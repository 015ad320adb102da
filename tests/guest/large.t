#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Host memory in pages of 2 MiB, three times more of it than the cap allows.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Twofold;
use Test::More;

use constant POOL => '/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages';

my $before;

# Huge pages are borrowed from the host, which only root can; the capsule, a
# host of our own, makes them itself.
sub borrow {
	my ($pages) = @_;
	chomp(my $there = slurp(POOL));
	open my $f, '>', POOL or return 0;
	$before = $there;
	print $f $there + $pages;
	close $f;
	chomp(my $now = slurp(POOL));
	return $now >= $there + $pages;
}

END {
	if (defined $before) {
		local $?;
		open my $f, '>', POOL;
		print $f $before;
	}
}

my @vm = ('-m', 'size=128M,page_size=2M', '--resident', '32M');

for my $accel (accels()) {
	SKIP: {
		skip "$accel: no 16 huge pages to be had", 1
			if $accel eq 'kvm' && !borrow(16);
		my $r = run($accel, 0, @vm, qw(-- verify --size 96M --passes 2));
		my $s = stats($r);
		cmp_ok $s->{memory}{resident_peak_bytes}, '<=', 32 * MIB,
			"$accel: the cap held";
		is $s->{memory}{resident_bytes} % (2 * MIB), 0,
			"$accel: in whole huge pages";
		cmp_ok $s->{faults}{missing}, '<', 2000,
			"$accel: a fault brings 512 pages";
		cmp_ok $s->{pages}{swapped_in}, '>', 20000,
			"$accel: under load";
		diag "$accel: $s->{faults}{missing} faults, ",
			"$s->{pages}{swapped_in} pages in";

		# A disk's requests are held by the huge page.
		my $image = scratch("$accel.img");
		open my $f, '>:raw', $image or die;
		print $f "\0" x (8 * MIB - 4096), 'mark', "\0" x 4092;
		close $f;
		# Its console wants to hear something, too.
		local $Twofold::stdin = 'tests/guest/large.t';
		$r = run($accel, 0, @vm, '--timeout', 100, '--disk',
			"path=$image", '--console', 'virtio',
			'build/tests/guest/virtio.elf');
		like slurp($r->{out}), qr/^1024 pages written, read/m,
			"$accel: a disk finds its bytes in them";
	}
}
{
	my $r = start('kvm', '-m', 'size=8192G,page_size=2M', '--', 'hello');
	is finish($r), 125, 'without huge pages it does not start';
	like slurp($r->{err}), qr/huge pages of 2 MiB, \d+ are free: add to/,
		'and says what to do';
}
done_testing;
