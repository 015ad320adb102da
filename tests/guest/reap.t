# SPDX-License-Identifier: MIT
# A program killed in the middle of a system call that gives it page after page:
# it ends there, and all its frames are free.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

for my $accel (accels()) {
	for my $cpus (1, 2) {
		my $r = start($accel, '-c', $cpus, '--', 'reap');
		is finish($r, 120), 0, "$accel, $cpus CPUs: reap";
		like slurp($r->{out}), qr/^reap: ok$/m, 'nothing is left'
			or diag slurp($r->{out});
	}
}

done_testing;
