# SPDX-License-Identifier: MIT
# Each stage-2 fault of a program is seen by the kernel's own tracepoints, too
# (faults of ring 0 are not, where KVM emulates that; so it is memory that the
# guest's kernel never touches). What they have beside is explained by our
# records, in the order of time: KVM asks once more for a page that is there,
# for one that came ahead of its fault, or that is unmapped in our table and not
# yet in the host. It never asks for one that is not there.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

my $instance = "/sys/kernel/tracing/instances/twofold$$";

sub write_to {
	my ($file, $text) = @_;
	open my $f, '>', "$instance/$file" or return 0;
	return print({$f} $text) && close $f;
}

sub begin {
	return 'no /dev/kvm' if !-w '/dev/kvm';
	return 'no tracefs, or no right to it' if !mkdir $instance;
	my $event = 'events/kvmmmu/kvm_mmu_spte_requested/enable';
	return "no $event" if !-e "$instance/$event";
	write_to('buffer_size_kb', 16384) or return "buffer: $!";
	write_to('trace_clock', 'x86-tsc') or return "clock: $!";
	write_to($event, 1) or return "$event: $!";
	return '';
}

END { rmdir $instance }

# When that thread had KVM ask for which gfn: (gfn => [us], in order).
sub asked {
	my ($thread, $hz, $start) = @_;
	my (%us, $n);
	open my $f, '<', "$instance/trace" or return ();
	while (<$f>) {
		is $1, $2, 'the kernel has lost none'
			if m{entries-written: (\d+)/(\d+)};
		my ($tsc, $gfn) =
			/-$thread .*? (\d+): \w+requested: gfn (\w+) / or next;
		push @{$us{hex $gfn}}, ($tsc - $start) * 1e6 / $hz;
	}
	return \%us;
}

# What we say of each page: (gfn => [[us, kind, of the program's memory]]).
sub known {
	my ($trace) = @_;
	my (%known, %thread);
	open my $p, '-|', $program, 'trace', 'export', $trace, '--format',
		'csv' or die;
	chomp(my @names = split /,/, <$p>);
	while (<$p>) {
		my %r;
		chomp;
		@r{@names} = split /,/, $_, -1;
		next if $r{kind} eq 'store' || $r{gpa} eq '';
		push @{$known{hex($r{gpa}) >> 12}}, [$r{time_us}, $r{kind},
			$r{kind} eq 'stage2' && $r{level} eq '0' &&
			$r{gva} =~ /^0x1[0-9a-f]{11}$/];
	}
	close $p;
	return \%known;
}

# The header of a trace (ept/trace.h), and the thread that faulted.
sub header {
	my ($trace) = @_;
	my ($hz, $start) = unpack 'x16 Q< Q<', slurp($trace);
	my ($thread) = `$program trace print $trace --kind data` =~
		/ thread=([1-9]\d*) /;
	return ($thread, $hz, $start);
}

# Lay both beside each other, for one page. Our fault is a fault until KVM asks.
sub match {
	my ($n, $known, $asked) = @_;
	my @all = sort { $a->[0] <=> $b->[0] } @$known,
		map { [$_, 'asks'] } @$asked;
	my ($there, $fault) = ('nothing', 0);
	for (@all) {
		my ($us, $kind, $ours) = @$_;
		if ($kind eq 'asks') {
			$n->{$there}++;
			$n->{seen}++ if $fault;
			$fault = 0;
			$there = 'again' if $there eq 'stage2';
			next;
		}
		$n->{faults}++ if $ours;
		$there = $kind;
		$fault = $ours;
	}
}

SKIP: {
	my $lack = begin();
	skip $lack, 1 if $lack;
	my $trace = scratch('kernel.tft');
	run('kvm', 0, '-m', '64M', '--resident', '6M', '--swap', 'ram',
		'--trace', $trace, '--', 'touch', '8M', 'random');
	write_to('tracing_on', 0);
	my $known = known($trace);
	my $asked = asked(header($trace));
	my %n = (faults => 0, seen => 0);
	match(\%n, $known->{$_} || [], $asked->{$_} || [])
		for keys %{{%$known, %$asked}};
	cmp_ok $n{faults}, '>', 1500, 'many faults of the program';
	is $n{seen}, $n{faults}, 'each is seen by the kernel';
	is $n{$_} // 0, 0, "which asks for no page that is not there: $_"
		for qw(nothing evict discard);
	note "asked for: $_ $n{$_}" for sort keys %n;
}

done_testing;
