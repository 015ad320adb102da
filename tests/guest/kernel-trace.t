# SPDX-License-Identifier: MIT
# Each stage-2 fault of a program is seen by the kernel's own tracepoints, too
# (faults of ring 0 are not, where KVM emulates that; so it is memory that the
# guest's kernel never touches). What they have beside is explained by our
# records: KVM asks again for a page that is there, one that came ahead of its
# fault or after one.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

my $program = $ENV{TWOFOLD} || 'build/twofold';
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
	write_to($event, 1) or return "$event: $!";
	return '';
}

END { rmdir $instance }

# (gfn => how often) KVM was asked for it, on behalf of that thread.
sub asked {
	my ($thread) = @_;
	my %n;
	open my $f, '<', "$instance/trace" or return ();
	while (<$f>) {
		$n{hex $1}++ if /-$thread .*spte_requested: gfn ([0-9a-f]+) /;
	}
	return \%n;
}

SKIP: {
	my $lack = begin();
	skip $lack, 1 if $lack;
	my $trace = scratch('kernel.tft');
	run('kvm', 0, '-m', '64M', '--resident', '6M', '--swap', 'ram',
		'--trace', $trace, '--', 'touch', '8M', 'random');
	write_to('tracing_on', 0);
	my (%faults, %known, $thread);
	open my $p, '-|', $program, 'trace', 'print', $trace or die;
	while (<$p>) {
		my ($kind, $gpa) = / (\w+) gpa=0x0*([0-9a-f]+) / or next;
		$known{hex($gpa) >> 12} = 1;
		next if $kind ne 'stage2' || !/ ref=data gva=0x00001/;
		$faults{hex($gpa) >> 12}++;
		($thread) = / thread=(\d+) /;
	}
	close $p;
	my $asked = asked($thread);
	my $faults = 0;
	$faults += $_ for values %faults;
	cmp_ok $faults, '>', 1500, 'many faults of the program';
	is scalar(grep { ($asked->{$_} // 0) < $faults{$_} } keys %faults), 0,
		'each is seen by the kernel';
	is scalar(grep { !$known{$_} } keys %$asked), 0,
		'which asks for no page that we know nothing of';
}

done_testing;
