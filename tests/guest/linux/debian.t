# SPDX-License-Identifier: MIT
# Debian, with a quarter of the memory that it believes to have, on one CPU and
# on two, on either console: it has a network, compiles, sorts and checksums,
# gives half of its memory and takes it back, and leaves a clean file system.
# By hand, or by `make debian-test`: it takes minutes.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Debian;
use JSON::PP;
use Test::More;
use Time::HiRes 'time';
use Twofold;

use constant { LINES => 530_000, HALF => 256 };

my $bytes = scratch('bytes');

sub look {
	my ($d, $cpus, $console) = @_;
	is type($d, 'nproc'), "$cpus\n", 'its CPUs';
	is type($d, 'tty'), "/dev/@{[TTY->{$console}]}\n", 'its console';
	like type($d, 'grep " / " /proc/mounts'), qr{^/dev/vda / ext4 rw}m,
		'its root';
	like type($d, 'ip addr'),
		qr{^\d+: eth0: .*state UP.* inet 10\.0\.2\.15/24}ms,
		'its network';
}

# 16 MiB from a server here, and back.
sub transfer {
	my ($d) = @_;
	my ($port) = peer('<', $bytes);
	type($d, "cat </dev/tcp/10.0.2.2/$port >bytes");
	my $sum = sum_of("cat $bytes");
	like type($d, 'md5sum bytes'), qr/^$sum /, 'the same bytes there';
	my $back = scratch('back');
	($port, my $pid) = peer('>', $back);
	type($d, "cat bytes >/dev/tcp/10.0.2.2/$port");
	waitpid $pid, 0;
	is sum_of("cat $back"), $sum, 'and back';
}

sub balloon {
	my ($d) = @_;
	my ($code, $text) = ctl($d->{run}, 'balloon', '--json');
	return $code ? {} : decode_json($text);
}

sub asks {
	my ($d, $mib) = @_;
	is((ctl($d->{run}, 'balloon', $mib . 'M'))[0], 0,
		"$mib MiB are asked for");
	my $began = time;
	ok until_true(120, sub { balloon($d)->{actual_mib} == $mib }),
		'and given';
	diag sprintf '%.1f s', time - $began;
	return balloon($d);
}

sub half_and_back {
	my ($d, $sorted) = @_;
	my $all = balloon($d);
	# Those of Linux 6.1: ten.
	is_deeply [grep { !defined $all->{$_} } qw(swap_in swap_out
		major_faults minor_faults free_memory total_memory
		available_memory disk_caches hugetlb_allocations
		hugetlb_failures)], [], 'all of its statistics';
	my $half = asks($d, HALF);
	cmp_ok $all->{available_memory} - $half->{available_memory}, '>=',
		HALF * MIB * 0.9, 'Linux has so much less';
	cmp_ok $half->{discarded_pages}, '>=', HALF * MIB / 4096 / 2,
		'much of it was in memory or swap';
	like type($d, 'md5sum sorted', 300), qr/^$sorted /, 'it works on';
	my $back = asks($d, 0);
	cmp_ok $back->{available_memory} - $half->{available_memory}, '>=',
		HALF * MIB * 0.9, 'Linux has it again';
	like type($d, 'md5sum sorted', 300), qr/^$sorted /, 'and uses it';
}

if (my @accels = debian_accels()) {
	sh("head -c 16M /dev/urandom >$bytes");
	for my $accel (@accels) {
		for ([1, 'uart'], [2, 'virtio']) {
			my ($cpus, $console) = @$_;
			my $d = boot($accel, $cpus, $console);
			look($d, $cpus, $console);
			transfer($d);
			my $sorted = work($d, LINES);
			half_and_back($d, $sorted);
			off($d, $sorted);
		}
	}
}
done_testing;
