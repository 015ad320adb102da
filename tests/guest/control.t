# SPDX-License-Identifier: MIT
# The control socket, signals and time-out of a running VM.
use strict;
use warnings;
use lib 'tests/guest/lib';
use IO::Handle;
use Test::More;
use Time::HiRes 'time';
use Twofold;

my @busy = ('-m', '128M', '--resident', '64M', '--swap', 'ram', '--',
	'verify', '--size', '48M', '--passes');

for my $accel (accels()) {
	my ($passes, $at) = $accel eq 'kvm' ? (14, 4) : (4, 2);
	my $r = start($accel, @busy, $passes);

	ok wait_for($r, qr/pass $at/, 120), "$accel: verify is under way";
	my ($code, $text) = ctl($r, 'resident', '16M');
	is $code, 0, 'ctl resident' or diag $text;
	my $asked = time;
	ok until_true(30, sub {
		(status($r)->{memory}{resident_bytes} // 1e18) <= 16 * MIB
	}), 'the cap holds';
	diag sprintf '%s: %.2f s after ctl', $accel, time - $asked;
	is status($r)->{memory}{resident_limit_bytes}, 16 * MIB, 'limit';
	is status($r)->{state}, 'running', 'state';
	cmp_ok status($r)->{guest}{page_faults}, '>=', 48 * 256,
		'its own faults are told while it runs';

	($code, $text) = ctl($r, 'resident', '1M');
	isnt $code, 0, 'a cap below the floor is refused';
	like $text, qr/below/, 'with a reason';

	($code) = ctl($r, 'pause');
	is $code, 0, 'pause';
	is status($r)->{state}, 'paused', 'it is paused';
	($code) = ctl($r, 'resume');
	is $code, 0, 'resume';

	is finish($r, 600), 0, 'and still verifies' or diag slurp($r->{err});
	like slurp($r->{out}), qr/^verify: ok/m, 'ok';

	$r = start($accel, '--timeout', 3, @busy, 100000);
	is finish($r, 90), 124, "$accel: --timeout ends with 124";
	is stats($r)->{guest}{exit_reason}, 'timeout', 'reason';

	for my $signal (['INT', 130], ['TERM', 143]) {
		$r = start($accel, @busy, 100000);
		wait_for($r, qr/verify/, 60);
		kill $signal->[0], $r->{pid};
		is finish($r, 60), $signal->[1], "$accel: SIG$signal->[0]";
		is stats($r)->{guest}{exit_reason}, 'stopped', 'reason';
		last if $accel eq 'capsule';
	}
	($code, $text) = ctl($r, 'status');
	isnt $code, 0, 'a VM that is gone is an error';
}

# A run whose terminal is full, and nobody reads it.
sub start_stalled {
	my ($accel, @options) = @_;
	pipe my $reader, my $full or die;
	$full->blocking(0);
	1 while syswrite $full, 'x' x 4096;
	$full->blocking(1);
	my $r = { name => "stalled-$$-$accel", began => time,
		reader => $reader };
	$r->{pid} = fork // die;
	return $r if $r->{pid};
	open STDOUT, '>&', $full;
	open STDIN, '<', '/dev/null';
	exec $ENV{TWOFOLD} || 'build/twofold', 'run', '--accel', $accel,
		'--name', $r->{name}, @options;
}

for my $accel (accels()) {
	my $r = start_stalled($accel, '--timeout', 2, '--', 'hello');
	is finish($r, 60), 124, "$accel: a stalled terminal stops no time-out";
	$r = start_stalled($accel, '--', 'verify', '--size', '4M', '--passes',
		1000000);
	ok until_true(60, sub { (status($r)->{state} // '') eq 'running' }),
		'nor the API';
	kill 'TERM', $r->{pid};
	is finish($r, 60), 143, 'nor a signal';
}

done_testing;
