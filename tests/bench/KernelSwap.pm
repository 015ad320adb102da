# SPDX-License-Identifier: MIT
#
# The opponent: the kernel's own swap to zram with LZ4, of a process in a
# memory cgroup (v1). It takes root, and everything goes away again at the end,
# by failure or by a signal too.

package KernelSwap;
use strict;
use warnings;

my $cgroup = "/sys/fs/cgroup/memory/twofold-bench-$$";
my $parent = $$;
my (@zrams, $swapping, $cluster, $child);

sub read_file {
	my ($path) = @_;
	open my $f, '<', $path or die "bench: $path: $!\n";
	local $/;
	my $text = <$f>;
	$text =~ s{\n\z}{};
	return $text;
}

sub write_file {
	my ($path, $text) = @_;
	open my $f, '>', $path or die "bench: $path: $!\n";
	syswrite($f, $text) // die "bench: $path: $!\n";
}

# Why a zram cannot be had here, or ''.
sub zram_lack {
	return 'needs root' if $> != 0;
	return 'no zram' if !-e '/sys/class/zram-control/hot_add';
	return '';
}

# Why the whole of it cannot be had here, or ''.
sub lack {
	return zram_lack() if zram_lack();
	return 'no memory cgroup (v1)'
		if !-w '/sys/fs/cgroup/memory/memory.limit_in_bytes';
	return 'other swap is on' if split(/\n/, read_file('/proc/swaps')) > 1;
	return '';
}

# A fresh zram of @bytes. Its number.
sub zram {
	my ($bytes) = @_;
	$SIG{$_} = sub { exit 1 } for qw(INT TERM HUP);
	push @zrams, read_file('/sys/class/zram-control/hot_add');
	write_file("/sys/block/zram$zrams[-1]/comp_algorithm", 'lz4');
	write_file("/sys/block/zram$zrams[-1]/disksize", $bytes);
	return $zrams[-1];
}

# Its mm_stat: bytes given to it, compressed, used.
sub mm_stat {
	my ($zram) = @_;
	my @s = split ' ', read_file("/sys/block/zram$zram/mm_stat");
	return { orig => $s[0], compressed => $s[1], used => $s[2] };
}

# Swap of @bytes on a fresh zram, and an empty cgroup.
sub setup {
	my ($bytes) = @_;
	my $device = '/dev/zram' . zram($bytes);
	$cluster = read_file('/proc/sys/vm/page-cluster');
	system("mkswap $device >/dev/null") == 0
		or die "bench: mkswap failed\n";
	system('swapon', $device) == 0 or die "bench: swapon failed\n";
	$swapping = $device;
	mkdir $cgroup or die "bench: $cgroup: $!\n";
}

END {
	my $status = $?;
	if ($$ == $parent) {
		kill 'KILL', $child if $child;
		waitpid $child, 0 if $child;
		system('swapoff', $swapping) if $swapping;
		write_file('/sys/class/zram-control/hot_remove', $_)
			for @zrams;
		write_file('/proc/sys/vm/page-cluster', $cluster)
			if defined $cluster;
		rmdir $cgroup if -d $cgroup;
	}
	$? = $status;
}

# How many pages a fault reads: 2 to the power of @log.
sub page_cluster { write_file('/proc/sys/vm/page-cluster', $_[0]) }

# -1: none.
sub limit { write_file("$cgroup/memory.limit_in_bytes", $_[0]) }

sub group_stat {
	my %s = read_file("$cgroup/memory.stat") =~ /^(\w+) (\d+)$/mg;
	$s{usage} = read_file("$cgroup/memory.usage_in_bytes");
	return \%s;
}

sub counts {
	my %vm = read_file('/proc/vmstat') =~ /^(\w+) (\d+)$/mg;
	return {
		in => $vm{pswpin}, out => $vm{pswpout},
		major => group_stat()->{pgmajfault} };
}

# Run @command in the cgroup. Its output, what it swapped, and samples of the
# cgroup. Reading memory.stat is not for us alone: it makes the kernel sum up
# its counts, without which reclaim can miss that the inactive list is empty,
# and kills the group. It does so at times all the same.
sub run {
	my (@command) = @_;
	my $before = counts();
	my $ready = '';
	my @samples;
	$child = open(my $out, '-|') // die "bench: fork: $!\n";
	if (!$child) {
		write_file("$cgroup/cgroup.procs", $$);
		open STDERR, '>&', \*STDOUT;
		open STDIN, '<', '/dev/null';
		exec @command or die "bench: $command[0]: $!\n";
	}
	vec($ready, fileno $out, 1) = 1;
	push @samples, group_stat()
		while !select(my $r = $ready, undef, undef, 0.01);
	my $text = join '', <$out>;
	close $out; # and waits for it
	$child = 0;
	my $after = counts();
	$after->{$_} -= $before->{$_} for keys %$after;
	return ($text, $after, @samples);
}

1;
