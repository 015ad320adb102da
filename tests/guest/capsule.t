# SPDX-License-Identifier: MIT
# What only the capsule can do wrong: its parts missing, QEMU dying, streams.
use strict;
use warnings;
use lib 'tests/guest/lib';
use File::Copy;
use JSON::PP;
use Test::More;
use Twofold;

# Run a shell command: (exit status, output with errors).
sub shell {
	my $out = `$_[0] 2>&1`;
	return ($? >> 8, $out);
}

my ($status, $out) = shell("$program doctor --json");
my $report = eval { decode_json($out) };
ok $report, 'doctor --json is JSON';
is $status, $report->{kvm} || $report->{capsule} ? 0 : 1,
	'its status says whether a guest can run';
is scalar(grep { $_->{result} !~ /^(ok|warn|fail)$/ } @{$report->{checks}}), 0,
	'every check has a result';

my ($capsule) = grep { $_ eq 'capsule' } accels();
if (!$capsule) {
	done_testing;
	exit;
}
my $guest = '-k build/guest/sample.elf';
my $run = "$program run --accel capsule --name test-$$ $guest";

($status, $out) = shell("PATH=/nowhere $run </dev/null");
is $status, 125, 'no QEMU';
like $out, qr/^twofold: .*apt-get install qemu-system-x86\n\z/, '... how to';

my $alone = scratch('twofold');
copy($program, $alone);
chmod 0755, $alone;
($status, $out) = shell("$alone run --accel capsule $guest </dev/null");
is $status, 125, 'no image';
like $out, qr/^twofold: .*make capsule\n\z/, '... how to';

# More than the pipe and the port hold, to a guest that reads none of it.
($status, $out) = shell("head -c 1000000 /dev/zero | $run -- hello");
is $status, 0, 'input that nobody reads';
like $out, qr/^hello/, '... does not hold up output';

($status, $out) = shell("($run -- hello <&- >&-)");
is $status, 0, 'closed standard files';

($status, $out) = shell("$run --stats /dev/full -- hello </dev/null");
is $status, 125, 'a report that cannot be written';
like $out, qr/^twofold: stats \/dev\/full: No space/m, '... says so';

# The child of the launcher is QEMU.
my @busy = ('--', 'verify', '--size', '8M', '--passes', '1000000');
my $r = start('capsule', @busy);
ok wait_for($r, qr/pass 2/, 60), 'the guest is busy';
my ($qemu) = slurp("/proc/$r->{pid}/task/$r->{pid}/children") =~ /(\d+)/;
kill 'KILL', $qemu;
is finish($r, 60), 125, 'QEMU is killed';
like slurp($r->{err}), qr/^twofold: the capsule ended before its guest/,
	'... which is told';

# However the launcher ends, QEMU does not outlive it.
$r = start('capsule', @busy);
ok wait_for($r, qr/pass 2/, 60), 'the guest is busy again';
($qemu) = slurp("/proc/$r->{pid}/task/$r->{pid}/children") =~ /(\d+)/;
kill 'KILL', $r->{pid};
finish($r, 60);
ok until_true(60, sub {
	!-e "/proc/$qemu" || slurp("/proc/$qemu/stat") =~ / Z /;
}), 'QEMU ends with a launcher that is killed';

done_testing;
