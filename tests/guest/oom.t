# SPDX-License-Identifier: MIT
# Out of memory in the guest: who has most is named and ended, and nobody else.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

for my $accel (accels()) {
	for my $cpus (1, 2) {
		my $r = run($accel, 0, '-c', $cpus, '--', 'hog');
		my $out = slurp($r->{out});
		my @named = $out =~ /^kernel: out of memory: hog \(pid (\d+)\) is killed: it has most, (\d+) pages/mg;
		my ($large) = $out =~ /^hog: the large child is pid (\d+)/m;

		is @named, 2, 'one is chosen' or diag $out;
		is $named[0], $large, 'it is the one that has most';
		cmp_ok $named[1], '>', 256, 'and it has much';
		like $out, qr/^hog: ok/m, 'the other keeps all that it has';
	}
}

done_testing;
