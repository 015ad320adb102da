# SPDX-License-Identifier: MIT
# Everything at once, at random, with too little memory in the guest and half
# of it on the host. STRESS_SECONDS makes it longer, STRESS_SEED another run.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

my $seconds = $ENV{STRESS_SECONDS} || 10;
my $seed = $ENV{STRESS_SEED} || 1;

for my $accel (accels()) {
	my $r = start($accel, '-m', '64M', '-c', 2, '--resident', '32M',
		'--swap', 'ram', '--', 'stress', '--seed', $seed, '--seconds',
		$seconds);
	is finish($r, $seconds * 4 + 120), 0, "$accel: stress, seed $seed";
	my $out = slurp($r->{out});
	like $out, qr/^stress: ok, seed $seed/m, 'nothing was lost or leaked'
		or diag $out, slurp($r->{err});
	diag $1 if $out =~ /^(stress: ok.*)/m;
}

done_testing;
