# SPDX-License-Identifier: MIT
# Ten Linux guests at once, with three times the memory that they may have of
# their host: each writes nearly all that its kernel leaves free, and finds
# every byte. In the capsule all ten are in one, which has less memory than
# they, and whose kernel swaps nothing. By hand, or by `make debian-test`: it
# takes minutes.
use strict;
use warnings;
use lib 'tests/guest/lib';
use JSON::PP;
use List::Util 'sum';
use Test::More;
use Twofold;

use constant { GUESTS => 10, SIZE => 96, CAP => 32, CAPSULE => 640,
	DISK => 128 }; # MiB

# For tests/guest/linux/ten: where the kernel and the guest are, and the swap.
sub options {
	my ($kernel, $initrd, $swap) = @_;
	return "-m @{[SIZE]}M --resident @{[CAP]}M --timeout 1200 " .
		"-k $kernel -i $initrd --swap file=$swap " .
		'-p "console=ttyS0 quiet panic=-1 seed=$vm"';
}

sub on_host {
	mkdir scratch('ten') or die "mkdir: $!";
	my $options = options('build/linux/vmlinuz', 'build/linux/fill.cpio',
		scratch('ten'));
	my @command = ('tests/guest/linux/ten', scratch('ten'), GUESTS,
		'build/twofold', $options);
	open my $report, '-|', @command or die "$command[0]: $!";
	local $/;
	return <$report>;
}

sub sh { system(@_) == 0 or die "@_: status $?\n" }

# What the capsule has, a process 1 of its own, and what that needs.
sub make_capsule {
	my ($initrd) = @_;
	my $tree = scratch('tree');
	sh('mkdir', '-p', "$tree/bin");
	sh('cp', 'build/linux/vmlinuz', 'build/linux/fill.cpio', $tree);
	sh('cp', 'build/twofold', 'tests/guest/linux/ten', "$tree/bin");
	sh('cp', 'tests/guest/linux/ten-init', "$tree/init");
	open my $f, '>', "$tree/args" or die "args: $!";
	print $f 'COUNT=' . GUESTS . "\nOPTIONS='" .
		options('/vmlinuz', '/fill.cpio', '/dev/swap$vm') . "'\n";
	close $f;
	sh("cp build/capsule/initrd.cpio $initrd && cd $tree && " .
		"find . | cpio -o -H newc -R 0:0 --quiet >>$initrd");
}

sub in_capsule {
	my $initrd = scratch('ten.cpio');
	make_capsule($initrd);
	my @disks = map {
		my $disk = scratch("swap$_");
		sh('truncate', '-s', DISK . 'M', $disk);
		('-drive', "if=none,id=swap$_,format=raw,cache=unsafe,file=$disk",
			'-device', "virtio-blk-pci,drive=swap$_,serial=swap$_")
	} 1 .. GUESTS;
	my @qemu = ('qemu-system-x86_64', '-accel', 'tcg,thread=multi', '-cpu',
		'max,+svm', '-smp', 2, '-m', CAPSULE, '-nodefaults',
		'-no-reboot', '-display', 'none', '-serial', 'stdio', '-kernel',
		'build/capsule/vmlinuz', '-initrd', $initrd, @disks, '-append',
		'console=ttyS0 quiet panic=-1 mitigations=off ipv6.disable=1 '
			. 'no_timer_check');
	open my $report, '-|', @qemu or die "$qemu[0]: $!";
	local $/;
	return <$report>;
}

# Both parts of the report on VM @n: how it stood, how it ended.
sub parts {
	my ($report, $n) = @_;
	my ($full) = $report =~ /^== $n full\n(.*?)^== /ms;
	my ($status, $end) = $report =~ /^== $n ended (\d+)\n(.*?)^== /ms;
	my ($stats) = ($end // '') =~ /^(\{.*)/ms;
	return ($status, $end, map { eval { decode_json($_ // '') } || {} }
		$full, $stats);
}

sub mib { sprintf '%.0f MiB', $_[0] / MIB }

# At the moment at which all are full.
sub test_all {
	my ($report, @full) = @_;
	my $resident = sum map { $_->{memory}{resident_bytes} // 0 } @full;
	my $away = sum map { $_->{pages} << 12 } map { @{$_->{swap}{tiers}} }
		@full;
	my $size = GUESTS * SIZE * MIB;
	diag mib($resident), ' resident, ', mib($away), ' swapped, of ',
		mib($size);
	is grep({ ($_->{state} // '') eq 'running' } @full), GUESTS,
		'all are there at once' or diag $report;
	cmp_ok $resident * 3, '<=', $size, 'with a third of their memory';
	cmp_ok $away, '>', $size / 3, 'as much and more is in swap';
	my ($host) = $report =~ /^MemTotal:\s+(\d+) kB/m or return;
	cmp_ok $host << 10, '<', $size * 2 / 3, 'their host has less than they';
	like $report, qr/^oom_kill 0$/m, 'and has killed none';
}

sub test_one {
	my ($n, $status, $end, $stats) = @_;
	is $status, 0, "guest $n: status" or diag $end;
	like $end, qr/^fill: right, seed $n, /m, '... every byte';
	is $stats->{guest}{exit_reason}, 'poweroff', '... its end';
	cmp_ok $stats->{memory}{resident_peak_bytes}, '<=', CAP * MIB,
		'... the cap';
	diag sprintf 'guest %d: %.0f s, %d faults, %d pages out, %d in', $n,
		$stats->{wall_us} / 1e6,
		$stats->{faults}{missing} + $stats->{faults}{minor},
		@{$stats->{pages}}{qw(swapped_out swapped_in)};
}

for my $accel (linux_accels()) {
	my $began = time;
	my $report = $accel eq 'kvm' ? on_host() : in_capsule();
	$report =~ s/\r//g;
	my @ends = map { [parts($report, $_)] } 1 .. GUESTS;
	test_all($report, map { $_->[2] } @ends);
	test_one($_, @{$ends[$_ - 1]}[0, 1, 3]) for 1 .. GUESTS;
	diag sprintf '%s: %d s', $accel, time - $began;
}
done_testing;
