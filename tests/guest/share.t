# SPDX-License-Identifier: MIT
# One file as read-only memory of several VMs: each sees its bytes, one copy of
# it is in memory, a write changes nothing, and what is no file is refused.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

use constant {
	PAGES => 4096,
	GUEST => 'build/tests/guest/share/sum.elf',
};

# 16 MiB in which no two pages are alike, and the guest's sum of it.
my $file = scratch('shared.bin');
my ($x, $sum) = (12345, 0);
open my $f, '>:raw', $file or die;
for my $page (1 .. PAGES) {
	for (1 .. 8) {
		$x = ($x * 1103515245 + 12345) & 0xffffffff;
		$sum = ($sum + $x) & 0xffffffff;
		print $f pack('L<', $x) x 128;
	}
}
close $f;
$sum = sprintf '%08x', $sum;

my @share = ('-m', '64M', '--share', "path=$file,address=1G");

sub objects { my @there = glob "/dev/shm/twofold-$<-*"; return @there }

# Bytes that the copies in /dev/shm really take.
sub copied {
	my $bytes = 0;
	$bytes += 512 * (stat $_)[12] for objects();
	return $bytes;
}

for my $accel (accels()) {
	my $r = run($accel, 0, @share, '--resident', '8M', '-p', 'w', GUEST);
	is slurp($r->{out}), "$sum\n", "$accel: the guest sees the file";
	my $s = stats($r);
	is $s->{share}{size_bytes}, 16 * MIB, 'whole pages of it';
	is $s->{share}{pages_read}, PAGES, 'each page was read once';
	is $s->{share}{writes_ignored}, PAGES, 'B18: each write was ignored';
	is $s->{share}{copy_bytes}, 16 * MIB + 4096, 'a copy, and its bits';
	cmp_ok $s->{pages}{clean_dropped}, '>', PAGES - 2048,
		'under the cap its pages are dropped';
	cmp_ok $s->{pages}{swapped_out}, '<', 64,
		'and only RAM is stored, of which the guest has little';
	is scalar(objects()), 0, 'nothing is left behind';
}

# Is it remembered where page 32 * @n of the file went?
sub went {
	my ($r, $n) = @_;
	my $at = sprintf 'gpa:%#x', 0x40000000 + ($n << 17);
	return `build/twofold explain $r->{name} $at` =~
		/R-X absent: pager share.*bytes are in the shared copy/s;
}

if (grep { $_ eq 'kvm' } accels()) {
	my $first = start('kvm', @share, '-p', 's', GUEST);
	ok wait_for($first, qr/^$sum$/m), 'the first VM sees the file';
	is copied(), 16 * MIB + 4096, 'one copy of it';

	my $r = run('kvm', 0, @share, '-p', 'e', GUEST);
	is slurp($r->{out}), "$sum\n", 'the second VM sees it too';
	my $s = stats($r);
	is $s->{share}{pages_read}, 0, 'and has read nothing';
	is $s->{share}{pages_found}, PAGES, 'for all was there';
	is copied(), 16 * MIB + 4096, 'there is still one copy';

	my ($status, $text) = ctl($first, 'audit');
	is $status, 0, 'the audit agrees' or diag $text;
	($status, $text) = ctl($first, 'status');
	like $text, qr/^shared +16\.0 MiB, .* 4096 read, 0 found; 0 writes/m,
		'status says it';
	$text = `build/twofold explain $first->{name} gpa:0x40000000`;
	like $text, qr/R-X mapped.*shared file \Q$file\E;/s, 'explain too';
	is((ctl($first, 'resident', '4M'))[0], 0, 'its cap is lowered');
	ok until_true(30, sub { grep { went($first, $_) } 0 .. 127 }),
		'explain knows where the last ones went';
	is((ctl($first, 'stop'))[0], 0, 'stop');
	is finish($first), 0, 'the first one ends';
	is scalar(objects()), 0, 'the last one removes the copy';
}

# What cannot be, and a line that says why.
my @bad = (
	['path=/nowhere', qr/share \/nowhere: No such file/],
	['path=/tmp', qr/share \/tmp: Is a directory/],
	['path=/dev/zero', qr/is no regular file/],
	["path=$file,address=0x0", qr/has memory or devices already/],
	["path=$file,address=3G", qr/has memory or devices already/],
	["path=$file,address=0xffffffffff000", qr/beyond 256T/],
	["path=$file,address=0x1001", qr/no multiple of 4K/],
);
for my $accel (accels()) {
	for (@bad) {
		my ($what, $say) = @$_;
		my $r = start($accel, '--share', $what, GUEST);
		isnt finish($r, 60), 0, "$accel: --share $what is refused";
		like slurp($r->{err}), $say, 'it says why';
	}
}

done_testing;
