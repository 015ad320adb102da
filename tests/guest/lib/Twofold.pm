# SPDX-License-Identifier: MIT
#
# Whole-VM tests: run twofold as a user would, on every kind of stage 2 there
# is, and look at its status, its output and its reports.

package Twofold;
use strict;
use warnings;
use Exporter 'import';
use File::Temp 'tempdir';
use IO::Select;
use JSON::PP;
use POSIX ':sys_wait_h';
use Test::More;
use Time::HiRes qw(time sleep);

our @EXPORT = qw(accels linux_accels run start wait_for finish stats slurp
	scratch ctl ctl_json status swapping until_true demonstrations guest_disk
	guest_disks disk_in_order is_on_rung MIB $program);

use constant MIB => 1 << 20;

our $program = $ENV{TWOFOLD} || 'build/twofold';
my $scratch = tempdir('twofold-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $runs = 0;
our $stdin = '/dev/null'; # of the runs that start from now on

sub scratch { "$scratch/" . shift }

sub slurp {
	my ($path) = @_;
	open my $f, '<', $path or return '';
	local $/;
	return <$f> // '';
}

# Both kinds of stage 2; one that the machine lacks is skipped by name, and
# ACCELS in the environment narrows the choice.
sub accels {
	my %usable = (
		kvm => sub { -r '/dev/kvm' && -w _ ? '' : 'no /dev/kvm' },
		capsule => sub {
			-e 'build/capsule/vmlinuz' ? '' : 'no capsule built';
		});
	my @there;
	for my $accel (split ' ', $ENV{ACCELS} || 'kvm capsule') {
		my $lack = $usable{$accel}->();
		if ($lack) {
			SKIP: { skip "$accel: $lack", 1 }
			next;
		}
		diag "accel: $accel";
		push @there, $accel;
	}
	return @there;
}

# Those of them on which Linux can run as a guest.
sub linux_accels {
	return grep {
		my $lack = $_ eq 'kvm' && -e '/sys/module/kvm_pvm';
		SKIP: {
			skip 'kvm: kvm_pvm emulates ring 0, and not all that '
				. 'Linux needs', 1 if $lack;
		}
		!$lack;
	} accels();
}

# Start `twofold run ARGS`. A handle for wait_for, finish and stats.
sub start {
	my ($accel, @args) = @_;
	my $n = ++$runs;
	my %r = (
		n => $n, name => "test-$$-$n", stats => "$scratch/$n.json",
		out => "$scratch/$n.out", err => "$scratch/$n.err");
	$r{began} = time;
	$r{pid} = fork // die "fork: $!";
	if (!$r{pid}) {
		open STDIN, '<', $stdin;
		open STDOUT, '>', $r{out};
		open STDERR, '>', $r{err};
		exec $program, 'run', '--accel', $accel, '--name', $r{name},
			'--stats', $r{stats}, @args;
		die "exec $program: $!";
	}
	return \%r;
}

# Wait for the end. The exit status, or "hung" after @timeout seconds.
sub finish {
	my ($r, $timeout) = @_;
	my $end = time + ($timeout || 300);
	while (waitpid($r->{pid}, WNOHANG) == 0) {
		if (time > $end) {
			kill 'KILL', $r->{pid};
			waitpid $r->{pid}, 0;
			return 'hung';
		}
		sleep 0.01;
	}
	$r->{seconds} = time - $r->{began};
	return $? & 127 ? 'signal ' . ($? & 127) : $? >> 8;
}

# Run to the end; on a status other than @want, say what it printed.
sub run {
	my ($accel, $want, @args) = @_;
	my $r = start($accel, @args);
	my $status = finish($r);
	is $status, $want, "$accel: run @args"
		or diag slurp($r->{out}), slurp($r->{err});
	return $r;
}

sub stats {
	my ($r) = @_;
	my $s = eval { decode_json(slurp($r->{stats})) };
	ok $s, 'the statistics are JSON' or diag slurp($r->{stats});
	return $s || {};
}

# All that was stored is on that rung of the ladder, if it was not one word all
# over: pages, bytes and time, and nothing on those of other tiers.
sub is_on_rung {
	my ($s, $name) = @_;
	my %rung = map { $_->{name} => $_ } @{$s->{ladder}};
	my $r = delete $rung{$name};
	is $r->{pages} + $rung{same_filled}{pages}, $s->{pages}{swapped_out},
		"what was stored is on the rung $name";
	cmp_ok $r->{pages}, '>', 1000, 'many pages';
	is $r->{bytes}, 4096 * $r->{pages}, 'their bytes';
	cmp_ok $r->{time_us}, '>', 0, 'and time';
	is $rung{$_}{pages} // 0, 0, "none on the rung $_"
		for grep { $_ ne $name } qw(compressed file remote);
}

# Poll @test until it is true, at most @timeout seconds.
sub until_true {
	my ($timeout, $test) = @_;
	my $end = time + $timeout;
	my $v;
	sleep 0.02 until ($v = $test->()) || time > $end;
	return $v;
}

# Wait until the run's output matches.
sub wait_for {
	my ($r, $pattern, $timeout) = @_;
	return until_true($timeout || 60, sub { slurp($r->{out}) =~ $pattern });
}

# The names of the sample guest's demonstrations, in their order.
sub demonstrations {
	return slurp('guest/user/tour/names.h') =~ /X\(\w+, "([^"]+)"/g;
}

# A copy of the sample guest's disk, to write to.
sub guest_disk {
	my ($name) = @_;
	my $path = scratch($name);
	system('cp', 'build/guest/disk.img', $path) == 0 or die "cp: $?";
	return $path;
}

# The disks that it has without --disk, but they stay: such a copy, and an empty
# one to swap to. The path of the copy, and the options.
sub guest_disks {
	my ($name) = @_;
	my ($root, $swap) = (guest_disk("$name.img"), scratch("$name.swap"));
	open my $f, '>', $swap or die "$swap: $!";
	truncate $f, 64 * MIB or die "$swap: $!";
	return ($root, '--disk', "path=$root", '--disk', "path=$swap");
}

# What a guest has left on it, e2fsck must find in order.
sub disk_in_order {
	my ($path, $what) = @_;
	local $ENV{PATH} = "$ENV{PATH}:/usr/sbin:/sbin";
	my $report = `e2fsck -fn $path 2>&1`;
	is $?, 0, "$what: e2fsck finds all in order" or diag $report;
}

# `twofold ctl VM ...`: (exit status, output with errors).
sub ctl {
	my ($r, @words) = @_;
	my $out = `$program ctl $r->{name} @words 2>&1`;
	return ($? >> 8, $out);
}

# What it says in JSON; {} when it refuses, or is not there.
sub ctl_json {
	my ($r, @words) = @_;
	my ($code, $text) = ctl($r, @words, '--json');
	return $code ? {} : eval { decode_json($text) } || {};
}

sub status { ctl_json(shift, 'status') }

# Wait until more than @pages came back from swap.
sub swapping {
	my ($r, $pages) = @_;
	return until_true(240, sub {
		(status($r)->{pages}{swapped_in} // 0) > $pages;
	});
}

1;
