# SPDX-License-Identifier: MIT
# More processors than the other tests have: processes take turns on the first
# one, and a stale translation leaves the last.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

for my $accel (accels()) {
	for my $cpus (4, 8) {
		my $last = $cpus - 1;
		my $r = run($accel, 0, '-c', $cpus, '--', 'tour', 'switch',
			'asid');
		my $out = slurp($r->{out});
		like $out, qr/^ok 1 - switch: /m, "$accel, $cpus CPUs: turns"
			or diag $out;
		like $out, qr/^ok 2 - asid: .* on CPU $last taken/m,
			"a page is taken from who runs on CPU $last"
			or diag $out;
	}
}

done_testing;
