# SPDX-License-Identifier: MIT
# Replay, as a user runs it: on text, and on what a VM recorded.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

# `replay FILE WORDS` as CSV: ({policy => {frames => row}}, what stderr says).
sub replay {
	my ($file, @words) = @_;
	my $err = scratch('replay.err');
	my ($head, @lines) = `$program replay $file @words --format csv 2>$err`;
	is $? >> 8, 0, "replay @words" or diag slurp($err);
	is $head, "trace,policy,frames,references,misses,miss_ratio\n", 'head';
	my %rows;
	for (@lines) {
		chomp;
		my ($trace, $policy, $frames, $references, $misses, $ratio) =
			split /,/;
		is $trace, $file, 'each row names the trace';
		is $ratio, sprintf('%.4f', $misses / $references), 'ratio';
		$rows{$policy}{$frames} = { references => $references,
			misses => $misses };
	}
	return (\%rows, slurp($err));
}

sub misses {
	my ($rows) = @_;
	return { map {
		my $r = $rows->{$_};
		$_ => [ map { $r->{$_}{misses} } sort { $a <=> $b } keys %$r ]
	} keys %$rows };
}

my $text = scratch('belady.txt');
open my $f, '>', $text or die;
printf $f "r 0x%x\n", $_ * (2**36 + 1) for split //, '123412512345';
close $f;
my ($rows) = replay($text, '--policy fifo,lru,opt --frames 3,4');
my $want = { fifo => [9, 10], lru => [10, 8], opt => [7, 6] };
is_deeply misses($rows), $want, "Belady's anomaly";
system "gzip -c $text > $text.gz";
($rows) = replay("$text.gz", '--policy fifo,lru,opt --frames 3,4');
is_deeply misses($rows), $want, 'the same through gzip';

open $f, '>>', $text or die;
print $f "x 0x1\n";
close $f;
my $said = `$program replay $text --frames 3 2>&1`;
is $? >> 8, 2, 'a bad line: status';
like $said, qr/\A[^\n]*line 13[^\n]*\n\z/, 'a bad line: one line says which';

# What a VM recorded with @options; stderr must say @kind.
sub recorded {
	my ($accel, $kind, @options) = @_;
	my $trace = scratch("$accel.tft");
	my $s = stats(run($accel, 0, '-m', '64M', '--resident', '8M',
		'--trace', $trace, @options, '--', 'verify', '--size', '16M',
		'--passes', 1));
	my ($rows, $said) = replay($trace, '--frames 1024,2048');
	my $faults = $s->{faults}{missing} + $s->{faults}{minor};
	is keys %$rows, 9, "$accel: eight policies and opt";
	for my $policy (sort keys %$rows) {
		my $r = $rows->{$policy}{2048};
		is $r->{references}, $faults, "$policy: each fault counts";
		cmp_ok $r->{misses}, '>=', $rows->{opt}{2048}{misses},
			"$policy: no better than opt";
	}
	like $said, qr/\A[^\n]*$kind[^\n]* $faults references[^\n]*\n\z/,
		"$accel: says what the trace holds";
}

for my $accel (accels()) {
	recorded($accel, 'faults only');
	recorded($accel, 'dense[^\n]* within 50 ms', '--trace-refs', 50);
}

done_testing;
