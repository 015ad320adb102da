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

# What its balloon says, once @test is true of that; a busy capsule may be late
# with an answer, and what Linux says of itself is as old as a second.
sub balloon {
	my ($d, $what, $test) = @_;
	my ($b, $text);
	ok until_true(120, sub {
		(my $code, $text) = ctl($d->{run}, 'balloon', '--json');
		$b = $code ? {} : decode_json($text);
		return !$code && $test->($b);
	}), $what or diag $text;
	return $b;
}

sub ask {
	my ($d, $mib) = @_;
	ok until_true(120, sub { !(ctl($d->{run}, 'balloon', $mib . 'M'))[0] }),
		"$mib MiB are asked for";
	my $began = time;
	balloon($d, 'and given', sub { $_[0]->{actual_mib} == $mib });
	diag sprintf '%.1f s', time - $began;
}

use constant NEARLY => HALF * MIB * 0.9;

sub half_and_back {
	my ($d, $sorted) = @_;
	# Those of Linux 6.1: ten.
	my @all = qw(swap_in swap_out major_faults minor_faults free_memory
		total_memory available_memory disk_caches hugetlb_allocations
		hugetlb_failures);
	my $all = balloon($d, 'all of its statistics', sub {
		!grep { !defined $_[0]->{$_} } @all;
	});
	ask($d, HALF);
	my $half = balloon($d, 'Linux has so much less', sub {
		$all->{available_memory} - $_[0]->{available_memory} >= NEARLY;
	});
	cmp_ok $half->{discarded_pages}, '>=', HALF * MIB / 4096 / 2,
		'much of it was in memory or swap';
	like type($d, 'md5sum sorted', 300), qr/^$sorted /, 'it works on';
	ask($d, 0);
	balloon($d, 'Linux has it again', sub {
		$_[0]->{available_memory} - $half->{available_memory} >= NEARLY;
	});
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
