#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Memory four times the cap, and the policy changed all the while: nothing is
# lost, and the auditor finds nothing. POLICIES_SECONDS in the environment makes
# it a soak test (600 with a change a second: ten minutes).
use strict;
use warnings;
use lib 'tests/guest/lib';
use Time::HiRes qw(time sleep);
use Twofold;
use Test::More;

my @policies = qw(fifo clock lru 2q arc s3fifo sieve random);
my $seconds = $ENV{POLICIES_SECONDS} || 12;
my $pause = $seconds > 60 ? 1 : 0.3;
my $load = 10_000; # pages out: so many there have to be

sub swapped_out {
	my ($r) = @_;
	return status($r)->{pages}{swapped_out} // $load;
}

for my $accel (accels()) {
	my $r = start($accel, qw(-m 96M --resident 20M --swap ram --timeout),
		$seconds + 600, qw(-- verify --size 80M --passes 1000000));
	ok wait_for($r, qr/pass 1 of/), "$accel: verify runs";
	my ($changes, $wrong, $audits) = (0, 0, 0);
	for (my $end = time + $seconds;
	     time < $end || !$audits || swapped_out($r) < $load;
	     sleep $pause) {
		my $policy = $policies[$changes++ % @policies];
		my ($status, $said) = ctl($r, 'policy', $policy);
		my (undef, $now) = ctl($r, 'policy');
		if ($status || $now !~ /\b$policy\b/) {
			$wrong++;
			diag "policy $policy: $status $said, then $now";
		}
		next if $changes % @policies;
		($status, $said) = ctl($r, 'audit');
		$audits++;
		$wrong++ if $status;
		diag $said if $status;
	}
	is $wrong, 0, "$accel: each change took, each audit passed";
	is((ctl($r, 'stop'))[0], 0, "$accel: stopped");
	is finish($r), 0, "$accel: verify found nothing wrong"
		or diag slurp($r->{out}), slurp($r->{err});
	my $s = stats($r);
	cmp_ok $s->{memory}{resident_peak_bytes}, '<=', 20 * MIB,
		"$accel: the cap held";
	cmp_ok $s->{pages}{swapped_out}, '>=', $load, "$accel: under load";
	diag "$accel: $changes changes, $audits audits, ",
		"$s->{pages}{swapped_in} pages in";
}
done_testing;
