# SPDX-License-Identifier: MIT
# The sample guest: its tour, what that leaves on the disk, its small programs,
# and the same image in QEMU. With the switch "debug" the kernel poisons what is
# freed and checks what it takes, and no check finds anything.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

my @names = demonstrations();
cmp_ok scalar(@names), '>=', 30, 'there are demonstrations';

# What a processor need not have, or do: the capsule's has it, and does.
sub sees_all {
	my ($out) = @_;
	like $out, qr/^ok \d+ - tlb: .* [1-9]\d* reads were stale/m,
		'stale translations';
	like $out, qr/^ok \d+ - pte-bits: .*SMAP\).*SMEP\).*leaf of 1 GiB$/m,
		'SMAP, SMEP and a leaf of 1 GiB';
}

sub tour {
	my ($accel, $cpus, @switches) = @_;
	my ($disk, @disks) = guest_disks("$accel-$cpus");
	my $r = run($accel, 0, '-c', $cpus, @disks, '--', @switches, 'tour');
	my $out = slurp($r->{out});
	my ($plan) = $out =~ /^1\.\.(\d+)/m;
	is $plan, scalar(@names), "$accel, $cpus CPUs: all are planned";
	my @ok = $out =~ /^ok \d+ - (\S+?):/mg;
	is_deeply [sort @ok], [sort @names], 'every demonstration is ok'
		or diag grep { /^not ok|# SKIP/ } $out =~ /^.*\n/mg;
	unlike $out, qr/kernel: leak/, 'the kernel has seen no leak';
	my ($took) = $out =~ /^# (\d+ demonstrations in \d+ ms)$/m;
	ok $took, 'it says how long it took';
	sees_all($out) if $accel eq 'capsule';
	my $s = stats($r);
	is $s->{memory}{resident_bytes}, $s->{memory}{counted_bytes},
		'frames measured and counted agree';
	disk_in_order($disk, "$accel, $cpus CPUs");
	diag sprintf '%s, %d CPUs: %.1f s, %s', $accel, $cpus, $r->{seconds},
		$took // 'not all';
}

for my $accel (accels()) {
	my $checked = $accel eq 'kvm' ? 2 : 1; # each is, on one kind
	tour($accel, $_, $_ == $checked ? qw(debug --) : ()) for 1, 2;
	my $r = run($accel, 0, '--', 'hello');
	like slurp($r->{out}), qr/^hello/m, 'hello';
	$r = run($accel, 120, '--', 'nonsense');
	like slurp($r->{out}), qr/no program/, 'an unknown program is named';
}

# Another's guest gets no lab device: this image no longer carries the note.
my $image = slurp('build/guest/sample.elf');
substr($image, index($image, "twofold\0"), 7) = 'another';
open my $f, '>:raw', scratch('another.elf');
print $f $image;
close $f;
for my $accel (accels()) {
	my $r = run($accel, 0, scratch('another.elf'), '--', 'two-stage');
	like slurp($r->{out}), qr/^ok 1 - two-stage # SKIP no lab/m, 'no lab';
	last;
}

my $qemu = `qemu-system-x86_64 -M microvm -accel tcg -cpu max -m 128M -nographic -no-reboot -device isa-debug-exit,iobase=0xf4,iosize=4 -kernel build/guest/sample.elf -append hello </dev/null 2>&1`;
is $? >> 8, 1, 'QEMU microvm: status 0 is 2 * 0 + 1 there';
like $qemu, qr/^hello/m, 'QEMU microvm: hello' or diag $qemu;

done_testing;
