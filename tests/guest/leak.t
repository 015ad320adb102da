# SPDX-License-Identifier: MIT
# When a program has ended its frames are free: the kernel looks, and says so
# where they are not.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

my $leak = qr/^kernel: leak: when (\S+) \(pid \d+\) had ended [1-9]\d* frames were nobody's$/m;

for my $accel (accels()) {
	for my $name (qw(hello rights)) {
		my $whole = run($accel, 0, '-c', 2, '--', $name);
		unlike slurp($whole->{out}), $leak, 'nothing is lost';
	}
	my $r = run($accel, 0, '--', 'broken=leak', '--', 'hello');
	my ($who) = slurp($r->{out}) =~ $leak;
	is $who, 'hello', 'broken, it is seen who lost some'
		or diag slurp($r->{out});
}

done_testing;
