# SPDX-License-Identifier: MIT
# `twofold pressure`: a guest at a quarter of its memory is squeezed, slowed and
# refused, its report says so, and VM and guest are as they were.
use strict;
use warnings;
use lib 'tests/guest/lib';
use JSON::PP;
use Test::More;
use Twofold;

my $program = $ENV{TWOFOLD} || 'build/twofold';

# `twofold pressure VM ...`: (exit status, its report).
sub pressure {
	my ($r, $scenario, @words) = @_;
	my $text = `$program pressure $r->{name} '$scenario' --json @words \\
		2>@{[scratch('pressure.err')]}`;
	my $status = $? >> 8;
	my $report = eval { decode_json($text) } || {};
	return ($status, $report);
}

sub asked {
	my ($r, @words) = @_;
	my ($code, $text) = ctl($r, @words, '--json');
	return $code ? {} : eval { decode_json($text) } || {};
}

sub is_as_before {
	my ($r, $what) = @_;
	my $s = asked($r, 'status');
	is $s->{state}, 'running', "$what: it runs";
	is $s->{memory}{resident_limit_bytes}, 32 * MIB, 'with its own cap';
	my $before = $s->{guest}{progress};
	ok until_true(60, sub {
		asked($r, 'status')->{guest}{progress} > $before
	}), 'and goes on';
	unlike slurp($r->{out}), qr/mismatch/, 'every byte is right';
}

like `$program pressure --list`, qr/^$_ +\d+ s  \w/m, "$_ is listed"
	for qw(squeeze thrash noisy-neighbour disk-full flaky-remote);

for my $accel (accels()) {
	my $r = start($accel, '-m', '128M', '--resident', '32M', '--swap',
		'ram', '--', 'verify', '--size', '96M', '--passes', 1000000);
	ok until_true(240, sub {
		(asked($r, 'status')->{pages}{swapped_in} // 0) > 2000
	}), "$accel: verify is swapping";

	my ($status, $report) = pressure($r, 'squeeze');
	is $status, 0, 'squeeze: it copes'
		or diag slurp(scratch('pressure.err'));
	ok $report->{passed}, 'and passes';
	is_deeply [map { $_->{done} } @{$report->{phases}}],
		['as it was', 'cap 50% over 2s', 'cap 25% over 2s',
		'cap 100%'], 'its phases';
	my $m = $report->{metrics};
	is $m->{cap_mib}{least}, 8, 'a quarter, at least';
	is $m->{cap_mib}{most}, 32, 'all, at most';
	cmp_ok $m->{resident_mib}{least}, '<=', 8, 'it was kept';
	cmp_ok $m->{$_}{mean}, '>', 0, "$_ is measured"
		for qw(guest_per_s faults_per_s swap_in_per_s stall_some
			wait_us);
	is_as_before($r, 'squeeze');

	# Every other way to hurt it, all at once and one after the other.
	($status, $report) = pressure($r, <<~'END', '--seed', 5);
		0s   cap 20%..60% walk 100ms
		0s   delay exponential 200us
		0s   errors 1%
		1s   balloon 16M
		2s   stall on in ram
		3s   stall off
		3s   full on
		5s   full off
		5s   resume
		6s   end
		expect end paused < 1
		expect faults_per_s < 1
		END
	is $status, 1, 'what was expected did not come true';
	ok $report->{completed}, 'though it went on to the end';
	is_deeply [map { $_->{ok} ? 1 : 0 } @{$report->{expectations}}],
		[1, 0], 'which says which';
	is_as_before($r, 'all at once');
	is asked($r, 'balloon')->{target_pages}, 0, 'the balloon, too';

	my ($no, undef) = pressure($r, '0s full on in nbd; 1s end');
	is $no, 1, 'a tier that it has not';
	($no) = pressure($r, '0s cap 1M; 1s end');
	is $no, 1, 'a cap below what a guest needs';
	is_as_before($r, 'what was refused');
	ok asked($r, 'audit')->{sound}, 'the auditor finds nothing';

	my $pid = fork // die;
	if (!$pid) {
		open STDOUT, '>', scratch('gone');
		open STDERR, '>', scratch('gone.err');
		exec $program, 'pressure', $r->{name}, '60s end';
	}
	ok until_true(60, sub { -s scratch('gone.err') }), 'one more';
	ctl($r, 'stop');
	is finish($r), 0, 'the VM ends';
	waitpid $pid, 0;
	is $? >> 8, 1, 'and so does the run';
	like slurp(scratch('gone')), qr/^stopped   the VM has ended/m, 'why';
}

done_testing;
