# SPDX-License-Identifier: MIT
#
# Ratios on a noisy machine: both sides in one run, in the order A B B A, and
# the median of the ratios of pairs.

package Bench;
use strict;
use warnings;
use Exporter 'import';

our @EXPORT = qw(pairs median ratio_line);

sub median {
	my @s = sort { $a <=> $b } @_;
	return $s[@s / 2];
}

# Call $one and $other $n times each, A B B A. Two lists of their results.
sub pairs {
	my ($n, $one, $other) = @_;
	my (@one, @other);
	for my $i (1 .. $n) {
		push @one, $one->() if $i % 2;
		push @other, $other->();
		push @one, $one->() if $i % 2 == 0;
	}
	return (\@one, \@other);
}

# One line: both medians, and the median and quartiles of the pairs' ratios.
sub ratio_line {
	my ($what, $unit, $ours, $base) = @_;
	my @r = map { $base->[$_] ? $ours->[$_] / $base->[$_] : 0 } 0 .. $#$ours;
	@r = sort { $a <=> $b } @r;
	printf "%-34s %10.1f %10.1f %-3s ratio %.3f (quartiles %.3f to %.3f)\n",
		$what, median(@$ours), median(@$base), $unit, $r[@r / 2],
		$r[@r / 4], $r[3 * @r / 4];
}

1;
