# SPDX-License-Identifier: MIT
# One flipped bit in swap: nothing wrong reaches the guest.
use strict;
use warnings;
use lib 'tests/guest/lib';
use POSIX 'uname';
use Test::More;
use Twofold;

my @verify = ('-m', '64M', '--resident', '16M', '--swap', 'ram', '--inject',
	'flip=1000', '--', 'verify', '--size', '32M', '--passes', '3');

sub can_poison {
	my ($major, $minor) = (uname())[2] =~ /^(\d+)\.(\d+)/;
	return $major > 6 || ($major == 6 && $minor >= 6);
}

for my $accel (accels()) {
	my $r = run($accel, 125, '--on-swap-error', 'kill', @verify);
	like slurp($r->{err}),
		qr/killed: gfn 0x[0-9a-f]+: slot \d+ of tier ram: .*damaged/,
		'kill names gfn, slot and tier';
	unlike slurp($r->{out}), qr/mismatch/, 'the guest saw nothing wrong';

	# Linux 6.6 learned to poison a page; the capsule's kernel is older.
	if ($accel eq 'kvm' && can_poison()) {
		$r = run($accel, 119, '--on-swap-error', 'poison', @verify);
		my ($gfn) = slurp($r->{err}) =~
			/poisoned: gfn (0x[0-9a-f]+): slot \d+ of tier ram: .*damaged/;
		ok $gfn, 'poison names gfn, slot and tier';
		like slurp($r->{out}), qr/check: .* at gpa ${gfn}000 is lost/,
			'the guest is told where';
	} else {
		$r = start($accel, '--on-swap-error', 'poison', @verify);
		ok until_true(120, sub {
			slurp($r->{err}) =~ /paused: gfn/
		}), "$accel: where no page can be poisoned, the VM is paused";
		ctl($r, 'stop');
		finish($r);
	}
	unlike slurp($r->{out}), qr/mismatch|verify: ok/, 'and nothing wrong';

	$r = start($accel, '--on-swap-error', 'stop', @verify);
	my $said = until_true(120, sub {
		my ($status, $text) = ctl($r, 'status', '--json');
		$text =~ /"state": ?"paused"/ && $text;
	});
	like $said, qr/"reason": ?"gfn 0x[0-9a-f]+: slot \d+ of tier ram/,
		"$accel: stop pauses, and status says why";
	unlike slurp($r->{out}), qr/mismatch|verify: ok/, 'it is not running';
	my ($status) = ctl($r, 'stop');
	is $status, 0, 'a paused VM can be stopped';
	is finish($r), 0, 'and ends';
}

done_testing;
