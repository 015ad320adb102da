# SPDX-License-Identifier: MIT
# What has no queue, with a guest that is nothing but its drivers: UART, clock,
# exit port and test devices. (Interrupt lines and the alarm: flat.t.)
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Time::Local 'timegm_modern';
use Twofold;

for my $accel (accels()) {
	my $before = time;
	my $r = run($accel, 0, '--kut', '-m', '16M', '--timeout', 60,
		'build/tests/guest/ports.elf');
	my $after = time;
	my ($y, $mo, $d, $h, $mi, $s) = slurp($r->{out}) =~
		/^time (\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)$/m
		or diag slurp($r->{out});
	my $said = timegm_modern($s // 0, $mi // 0, $h // 0, $d // 1,
		($mo // 1) - 1, $y // 1970);
	# A capsule's clock was set to whole seconds when it started.
	cmp_ok $said, '>=', $before - 2, "$accel: the guest's time is ours";
	cmp_ok $said, '<=', $after + 2, 'and not later';
	cmp_ok stats($r)->{faults}{minor} + stats($r)->{faults}{missing}, '>=',
		8, 'pages that were taken out faulted again';
}

done_testing;
