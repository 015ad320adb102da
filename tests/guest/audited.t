# SPDX-License-Identifier: MIT
# The sanitizers' build (make all SAN=address,undefined) audits at every 200th
# round of faults or of evictions, and a divergence ends its run with 125. In
# the capsule there is no such build: its programs are linked static.
use strict;
use warnings;
use Test::More;

BEGIN { $ENV{TWOFOLD} = 'build/san-address-undefined/twofold' }
use lib 'tests/guest/lib';
use Twofold;

plan skip_all => "no $ENV{TWOFOLD}" if !-x $ENV{TWOFOLD};
plan skip_all => 'no kvm' if !grep { $_ eq 'kvm' } accels();

for my $policy (qw(clock s3fifo)) {
	my $r = run('kvm', 0, qw(-m 32M --resident 6M --swap ram --policy),
		$policy, qw(-- verify --size 24M --passes 2 --order random));
	like slurp($r->{out}), qr/^verify: ok/m, "$policy: verified";
	my ($audits) = slurp($r->{err}) =~ /^twofold: audits: (\d+)$/m;
	cmp_ok $audits // 0, '>', 20, "$policy: audited all the while";
}

done_testing;
