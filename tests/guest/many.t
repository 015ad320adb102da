# SPDX-License-Identifier: MIT
# Thirty-two VMs at once, each twice as large as its cap: each keeps every
# byte, and its cap. Hardware KVM only: the capsule holds one VM.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

use constant VMS => 32;

if (!grep { $_ eq 'kvm' } accels()) {
	SKIP: { skip 'not on KVM, and the capsule holds one VM', 1 }
	done_testing;
	exit;
}

# A seed each, so that a page of another VM would be seen.
my @vms = map { start('kvm', '-m', '24M', '--resident', '8M', '--swap', 'ram',
	'--', 'verify', '--size', '16M', '--passes', 2, '--seed', $_,
	'--order', $_ % 2 ? 'seq' : 'random') } 1 .. VMS;

# Paused, none can end: they all are there at the same time.
sub paused {
	my ($r) = @_;
	return until_true(120, sub { (ctl($r, 'pause'))[0] == 0 });
}
is grep({ paused($_) } @vms), VMS, 'all are there at once';
is grep({ (ctl($_, 'resume'))[0] == 0 } @vms), VMS, 'and all go on';

for my $seed (1 .. VMS) {
	my $r = $vms[$seed - 1];
	is finish($r, 300), 0, "VM $seed: exit status"
		or diag slurp($r->{out}), slurp($r->{err});
	like slurp($r->{out}), qr/^verify: ok, 4096 pages, 2 passes, seed $seed,/m,
		"VM $seed: every byte is right";
	my $s = stats($r);
	cmp_ok $s->{memory}{resident_peak_bytes}, '<=', 8 * MIB,
		"VM $seed: the cap";
	cmp_ok $s->{pages}{swapped_out}, '>', 2000, "VM $seed: it swapped";
	is $s->{guest}{exit_code}, 0, "VM $seed: its own status";
}

done_testing;
