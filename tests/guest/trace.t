# SPDX-License-Identifier: MIT
# A trace holds one record for each fault of either stage, no more, no fewer.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

my $program = $ENV{TWOFOLD} || 'build/twofold';

sub lines {
	my ($file, $pattern) = @_;
	my $n = 0;
	open my $p, '-|', $program, 'trace', 'print', $file or die;
	while (<$p>) { $n++ if /$pattern/ }
	close $p;
	is $?, 0, 'trace print';
	return $n;
}

# The times of the first and the last line that match.
sub span {
	my ($file, $pattern) = @_;
	my @t;
	open my $p, '-|', $program, 'trace', 'print', $file or die;
	while (<$p>) { push @t, $1 if /$pattern/ && /^\s*(\S+)/ }
	close $p;
	return @t[0, -1];
}

for my $accel (accels()) {
	my $trace = scratch("$accel.tft");
	my $r = run($accel, 0, '-m', '128M', '--resident', '24M', '--swap',
		'ram', '--trace', $trace, '--', 'verify', '--size', '48M',
		'--passes', 2);
	my $s = stats($r);
	is lines($trace, qr/\bstage2\b/),
		$s->{faults}{missing} + $s->{faults}{minor}, 'stage-2 records';
	cmp_ok $s->{guest}{page_faults}, '>=', 48 * 256, 'guest faults';
	is lines($trace, qr/\bstage1\b/), $s->{guest}{page_faults},
		'stage-1 records';
	my ($said) = slurp($r->{out}) =~ /(\d+) page faults/;
	is $said, $s->{guest}{page_faults}, "the guest's own count";
	my ($first, $last) = span($trace, qr/\bstage2\b/);
	my ($from, $to) = span($trace, qr/\bstage1\b/);
	cmp_ok $from, '>=', $first, 'both stages lie on one time axis';
	cmp_ok $to, '<=', $last + 1, 'to the end';
	is lines($trace, qr/^\s*\S+ evict\b/),
		$s->{pages}{swapped_out} + $s->{pages}{clean_dropped} +
		$s->{pages}{zero_elided}, 'evict records';
	is lines($trace, qr/^\s*\S+ ahead\b/), $s->{pages}{mapped_ahead},
		'ahead records';
}

done_testing;
