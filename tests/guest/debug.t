# SPDX-License-Identifier: MIT
# With the switch "debug" the kernel poisons what is freed and checks what it
# takes: every demonstration passes, and no check finds anything.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

my @names = demonstrations();

for my $accel (accels()) {
	my $r = run($accel, 0, '-c', 2, '--', 'debug', '--', 'tour');
	my @ok = slurp($r->{out}) =~ /^ok \d+ - (\S+?):/mg;

	is_deeply [sort @ok], [sort @names],
		"$accel: every demonstration is ok";
}

done_testing;
