# SPDX-License-Identifier: MIT
# A demonstration that cannot fail proves nothing: with the kernel option
# broken=NAME its concept is wrong in one place, and it must say so.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

my %cpus = (asid => 2); # others need one, which costs half

sub breaks {
	my ($accel, $broken, $name) = @_;
	my $r = start($accel, '-c', $cpus{$name} || 1, '--', "broken=$broken",
		'--', $name);
	is finish($r, 300), 1, "$accel: broken=$broken $name";
	like slurp($r->{out}), qr/^not ok 1 - \Q$name\E:/m, 'seen'
		or diag slurp($r->{out});
}

my @accels = accels();
for my $accel (@accels) {
	breaks($accel, $_, $_) for demonstrations();
	last; # the kernel is the same on the others
}
# But the capsule's processor remembers translations, and has SMAP and SMEP.
if (grep { $_ eq 'capsule' } @accels) {
	breaks('capsule', 'tlb', 'tlb');
	breaks('capsule', 'smap', 'pte-bits');
}

done_testing;
