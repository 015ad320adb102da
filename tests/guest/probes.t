# SPDX-License-Identifier: MIT
# The program's probe points: they are noted in the file with their arguments,
# each is a nop, and the kernel counts at them what twofold counts itself.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Cwd;
use Test::More;
use Twofold;

use constant TRACING => '/sys/kernel/tracing';

my %arguments = (fault => 5, evict => 3, store => 3, load => 4);

# [name, address, arguments], as the file notes them.
sub probes {
	my ($file) = @_;
	my $notes = `readelf -n $file`;
	my @found;
	while ($notes =~ /Provider: twofold\s+Name: (\w+)\s+Location: 0x(\w+),.*?\n\s+Arguments: (.*)/g) {
		push @found, [$1, hex $2, split / /, $3];
	}
	return @found;
}

# Where a program's file has the byte at an address.
sub offset {
	my ($file, $address) = @_;
	for (`readelf -lW $file`) {
		my ($at, $va, $size) = /^  LOAD +(0x\w+) (0x\w+) 0x\w+ (0x\w+)/
			or next;
		my $into = $address - hex $va;
		return hex($at) + $into if $into >= 0 && $into < hex $size;
	}
}

my @probes = probes($program);
for my $name (sort keys %arguments) {
	my @those = grep { $_->[0] eq $name } @probes;
	ok @those, "$name is there";
	is scalar(@$_) - 2, $arguments{$name}, 'with its arguments' for @those;
}
is scalar(grep { !$arguments{$_->[0]} } @probes), 0, 'and no other';
open my $f, '<:raw', $program or die;
for my $probe (@probes) {
	seek $f, offset($program, $probe->[1]), 0;
	read $f, my $byte, 1;
	is ord $byte, 0x90, "$probe->[0] is a nop";
}
close $f;

# A copy of the program, so that no other run is counted.
my $folder = scratch('probes');
mkdir $folder;
system 'cp', $program, "$folder/twofold";
symlink getcwd() . '/build/guest', "$folder/guest";
my $group = "twofold$$";

sub write_to {
	my ($file, $how, $text) = @_;
	open my $to, $how, TRACING . "/$file" or return 0;
	print $to $text;
	return close $to;
}

# What the kernel counted, by probe.
sub hits {
	my %hits;
	for (split /\n/, slurp(TRACING . '/uprobe_profile')) {
		my ($file, $event, $n) = split;
		$hits{$1} += $n if $file eq "$folder/twofold" &&
			$event =~ /^([a-z]+)/;
	}
	return %hits;
}

my @made;

END {
	local $?;
	write_to("events/$group/enable", '>', '0') if @made;
	write_to('uprobe_events', '>>', "-:$group/$_\n") for @made;
}

SKIP: {
	skip 'no kernel probes to be had (root, tracefs)', 5
		if !-w TRACING . '/uprobe_events';
	skip 'no /dev/kvm', 5 if !grep { $_ eq 'kvm' } accels();
	for my $i (0 .. $#probes) {
		my ($name, $address) = @{$probes[$i]};
		write_to('uprobe_events', '>>', sprintf "p:%s/%s%d %s:0x%x\n",
			$group, $name, $i, "$folder/twofold",
			offset($program, $address)) or last;
		push @made, "$name$i";
	}
	is scalar @made, scalar @probes, 'the kernel takes them all';
	write_to("events/$group/enable", '>', '1');
	my $stats = scratch('probes.json');
	my $out = `$folder/twofold run -m 64M --resident 16M --swap ram --stats $stats -- verify --size 40M --passes 2 2>&1`;
	is $?, 0, 'a run that swaps' or diag $out;
	my %hits = hits();
	my $s = stats({ stats => $stats });
	my $pages = $s->{pages};
	is $hits{fault}, $s->{faults}{missing} + $s->{faults}{minor},
		'each fault is a hit';
	is $hits{evict}, $pages->{swapped_out} + $pages->{clean_dropped} +
		$pages->{zero_elided}, 'each eviction';
	cmp_ok $hits{store}, '>=', $pages->{swapped_out}, 'each store';
	cmp_ok $hits{load}, '>=', $pages->{swapped_in}, 'each load';
	cmp_ok $pages->{swapped_in}, '>', 5000, 'and there were many';
}

done_testing;
