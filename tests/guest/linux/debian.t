# SPDX-License-Identifier: MIT
# Debian on a disk (make debian-image), with a quarter of the memory that it
# believes to have: it has a network, compiles, sorts and checksums 300 MB,
# gives half of its memory and takes it back, and leaves a clean file system.
# By hand, or by `make debian-test`: it takes minutes.
use strict;
use warnings;
use lib 'tests/guest/lib';
use IO::Handle;
use IO::Socket::INET;
use JSON::PP;
use POSIX 'mkfifo';
use Test::More;
use Time::HiRes 'time';
use Twofold;

use constant { LINES => 5_300_000, SIZE => 512, CAP => 128, HALF => 256 };

my $source = 'tests/guest/linux/lines.c';
my ($keys, $disk, $bytes) = map { scratch($_) } qw(keys root.img bytes);
mkfifo($keys, 0600) or die "mkfifo: $!";
my ($r, $in, $typed); # the run, its keyboard, how many lines were typed

sub sh { system(@_) == 0 or die "@_: status $?\n" }
sub sum_of { (split ' ', `$_[0] | md5sum`)[0] }

# A process, and the port of this host's loopback at which it has one client:
# who gets the file @path, or, with @how '>', makes it.
sub peer {
	my ($how, $path) = @_;
	my $socket = IO::Socket::INET->new(Listen => 1,
		LocalAddr => '127.0.0.1') or die "listen: $!";
	my $pid = fork // die "fork: $!";
	return ($socket->sockport, $pid) if $pid;
	my $client = $socket->accept;
	open my $f, $how, $path or die "$path: $!";
	my ($from, $to) = $how eq '<' ? ($f, $client) : ($client, $f);
	local $/;
	print {$to} readline $from;
	close $to;
	POSIX::_exit(0);
}

# Have the guest's shell do @line: what it said. It must end well.
sub type {
	my ($line, $timeout) = @_;
	my ($from, $began) = (-s $r->{out}, time);
	$typed++;
	print $in "$line; echo =$typed= \$?\n";
	wait_for($r, qr/=$typed= \d+\r\n/, $timeout || 60);
	my $text = substr(slurp($r->{out}), $from) =~ s/\r//gr;
	my ($said, $status) = $text =~ /(.*?)=$typed= (\d+)\n/s;
	is $status, 0, $line or diag $text, slurp($r->{err});
	diag sprintf '%.1f s: %s', time - $began, $line;
	return $said // '';
}

my %tty = (uart => 'ttyS0', virtio => 'hvc0');

# Up to a shell that echoes and prompts nothing; none is on the other console,
# for both end here.
sub boot {
	my ($accel, $cpus, $console) = @_;
	my ($other) = grep { $_ ne $tty{$console} } values %tty;
	sh('cp', '--sparse=always', 'build/linux/root.img', $disk);
	$typed = 0;
	local $Twofold::stdin = $keys;
	$r = start($accel, '-m', SIZE . 'M', '-c', $cpus, '--resident',
		CAP . 'M', qw(--swap ram --balloon size=0 --net user), '--disk',
		"path=$disk", qw(-k build/linux/vmlinuz -i),
		'build/linux/initrd.cpio.gz', '--timeout', 1500, '--console',
		$console, '-p', "console=$tty{$console} root=/dev/vda quiet "
		. "systemd.mask=serial-getty\@$other.service");
	open $in, '>', $keys or die "$keys: $!";
	$in->autoflush;
	ok wait_for($r, qr/root\@guest:~# /, 300), "$accel, $cpus CPUs, " .
		"console $console: a shell's prompt"
		or diag substr(slurp($r->{out}), -2000), slurp($r->{err});
	diag sprintf '%.1f s to it', time - $r->{began};
	type('stty -echo; PS1=; bind "set enable-bracketed-paste off"');
}

sub look {
	my ($cpus, $console) = @_;
	is type('nproc'), "$cpus\n", 'its CPUs';
	is type('tty'), "/dev/$tty{$console}\n", 'its console';
	like type('grep " / " /proc/mounts'), qr{^/dev/vda / ext4 rw}m,
		'its root';
	type('until ip -4 addr show dev eth0 | grep -q inet; do sleep 1; done');
	like type('ip addr'), qr{^\d+: eth0: .*state UP.* inet 10\.0\.2\.15/24}ms,
		'its network';
}

# 16 MiB from a server here, and back.
sub transfer {
	my ($port) = peer('<', $bytes);
	type("cat </dev/tcp/10.0.2.2/$port >bytes");
	my $sum = sum_of("cat $bytes");
	like type('md5sum bytes'), qr/^$sum /, 'the same bytes there';
	my $back = scratch('back');
	($port, my $pid) = peer('>', $back);
	type("cat bytes >/dev/tcp/10.0.2.2/$port");
	waitpid $pid, 0;
	is sum_of("cat $back"), $sum, 'and back';
}

# The same as this host does with @count lines, with the same results: @sorted
# is the later one.
sub work {
	my ($count, $sum, $sorted) = @_;
	my ($port) = peer('<', $source);
	type("cat </dev/tcp/10.0.2.2/$port >lines.c");
	type('gcc -O2 -o lines lines.c', 300);
	like type("./lines $count | tee text | md5sum", 600),
		qr/^$sum /, 'what it compiled works';
	like type('LC_ALL=C sort -T . text | tee sorted | md5sum', 900),
		qr/^$sorted /, 'and is sorted';
}

sub balloon {
	my ($code, $text) = ctl($r, 'balloon', '--json');
	return $code ? {} : decode_json($text);
}

sub asks {
	my ($mib) = @_;
	is((ctl($r, 'balloon', $mib . 'M'))[0], 0, "$mib MiB are asked for");
	my $began = time;
	ok until_true(120, sub { balloon()->{actual_mib} == $mib }), 'and given';
	diag sprintf '%.1f s', time - $began;
	return balloon();
}

sub half_and_back {
	my ($sorted) = @_;
	my $all = balloon();
	# Those of Linux 6.1: ten.
	is_deeply [grep { !defined $all->{$_} } qw(swap_in swap_out
		major_faults minor_faults free_memory total_memory
		available_memory disk_caches hugetlb_allocations
		hugetlb_failures)], [], 'all of its statistics';
	my $half = asks(HALF);
	cmp_ok $all->{available_memory} - $half->{available_memory}, '>=',
		HALF * MIB * 0.9, 'Linux has so much less';
	cmp_ok $half->{discarded_pages}, '>=', HALF * MIB / 4096 / 2,
		'much of it was in memory or swap';
	like type('md5sum sorted', 300), qr/^$sorted /, 'it works on';
	my $back = asks(0);
	cmp_ok $back->{available_memory} - $half->{available_memory}, '>=',
		HALF * MIB * 0.9, 'Linux has it again';
	like type('md5sum sorted', 300), qr/^$sorted /, 'and uses it';
}

sub off {
	my ($sorted) = @_;
	print $in "poweroff\n";
	is finish($r, 300), 0, 'poweroff: status 0'
		or diag substr(slurp($r->{out}), -2000), slurp($r->{err});
	my $s = stats($r);
	is $s->{guest}{exit_reason}, 'poweroff', 'its reason';
	cmp_ok $s->{memory}{resident_peak_bytes}, '<=', CAP * MIB, 'the cap';
	cmp_ok $s->{pages}{swapped_out}, '>', CAP * MIB / 4096 / 4,
		'it swapped';
	is_deeply [grep { $_->{errors} || $_->{needs_reset} }
		@{$s->{devices}}], [], 'no device met an error';
	diag sprintf '%.0f s, %.1f MiB resident at most, %d faults, %d pages '
		. 'out, %d in, %.0f us a fault, %.1f s waited',
		$s->{wall_us} / 1e6, $s->{memory}{resident_peak_bytes} / MIB,
		$s->{faults}{missing} + $s->{faults}{minor},
		@{$s->{pages}}{qw(swapped_out swapped_in)},
		$s->{faults}{latency_us}{p50},
		$s->{pressure}{some}{total_us} / 1e6;
	is system("e2fsck -fn $disk >/dev/null 2>&1"), 0, 'a clean file system';
	is sum_of("debugfs -R 'cat /root/sorted' $disk 2>/dev/null"), $sorted,
		'and the file is on it';
}

plan skip_all => 'no build/linux/root.img: make debian-image'
	if !-e 'build/linux/root.img';
if (my @accels = linux_accels()) {
	my $lines = scratch('lines');
	sh('cc', '-O2', '-o', $lines, $source);
	sh("head -c 16M /dev/urandom >$bytes");
	for my $accel (@accels) {
		for ([1, 'uart', LINES], [2, 'virtio', LINES / 10]) {
			my ($cpus, $console, $count) = @$_;
			my $sum = sum_of("$lines $count");
			my $sorted = sum_of("$lines $count | LC_ALL=C sort");
			boot($accel, $cpus, $console);
			look($cpus, $console);
			transfer();
			work($count, $sum, $sorted);
			half_and_back($sorted);
			off($sorted);
		}
	}
}
done_testing;
