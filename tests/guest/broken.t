# SPDX-License-Identifier: MIT
# A demonstration that cannot fail proves nothing: with the kernel option
# broken=NAME its concept is wrong in one place, and it must say so.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

my %cpus = (asid => 2); # others need one, which costs half

for my $accel (accels()) {
	for my $name (demonstrations()) {
		my $r = start($accel, '-c', $cpus{$name} || 1, '--',
			"broken=$name", '--', $name);
		is finish($r, 300), 1, "$accel: broken=$name";
		like slurp($r->{out}), qr/^not ok 1 - \Q$name\E:/m, 'seen'
			or diag slurp($r->{out});
	}
	last; # the kernel is the same on the others
}

done_testing;
