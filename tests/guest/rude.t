# SPDX-License-Identifier: MIT
# What a CPU of the guest can do to the hypervisor: B2, B16, B17, B20 to B22 of
# docs/hostile.md; and C16, a pause with requests of a disk under way.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

my $rude = 'build/tests/guest/rude.elf';

# A run of rude.elf that does @what.
sub begin {
	my ($accel, $what, @args) = @_;
	return start($accel, '-m', '16M', '--timeout', 120, @args, '-p', $what,
		$rude);
}

# Pause and go on, @times, while it runs.
sub disturb {
	my ($r, $times) = @_;
	my $done = 0;
	for (1 .. $times) {
		$done++ if !(ctl($r, 'pause'))[0] && !(ctl($r, 'resume'))[0];
	}
	return $done;
}

# Unknown registers are faults, unknown addresses ones, a SIPI to itself is
# nothing; and nobody writes a log about it.
sub test_flood {
	my ($accel) = @_;
	my $r = begin($accel, 'flood');
	is finish($r), 0, "$accel: B2, B16, B20, B22: a flood" or
		diag slurp($r->{out});
	is slurp($r->{err}) =~ tr/\n//, 0, 'and nothing to be said about it';
}

sub test_still {
	my ($accel, $what) = @_;
	my $r = begin($accel, $what);
	ok wait_for($r, qr/does $what/), "$accel: B21: $what";
	ok until_true(60, sub { (ctl($r, 'events'))[1] =~
		/unknown_access.*port 0x1234: no device.*: 1$/m }),
		'B16: an access that met nobody is told of';
	is disturb($r, 3), 3, 'it is paused and goes on';
	is((ctl($r, 'stop'))[0], 0, 'it is stopped');
	is finish($r, 60), 0, 'at once';
}

# Where ring 0 is emulated the access comes to us, and cannot be a machine check.
sub test_lost {
	my ($accel) = @_;
	my $r = begin($accel, 'ram', '--resident', '4M', '--on-swap-error',
		'poison', '--inject', 'flip=400');
	ok until_true(90, sub { slurp($r->{err}) =~ /^twofold: paused: /m }),
		"$accel: B17: a page is lost: paused" or diag slurp($r->{err});
	like((ctl($r, 'status'))[1], qr/paused/, 'status says so');
	ctl($r, 'stop');
	finish($r, 60);
	unlike slurp($r->{out}), qr/failed/, 'and no byte was invented';
}

sub test_paused_disk {
	my ($accel) = @_;
	open my $typed, '>', scratch('typed') or die;
	print $typed "typed words\n";
	close $typed;
	local $Twofold::stdin = scratch('typed');
	my $image = scratch("$accel.img");
	open my $f, '>:raw', $image or die;
	truncate $f, 8 * MIB;
	seek $f, 8 * MIB - 4096, 0;
	print $f 'mark';
	close $f;
	my $r = start($accel, '-m', '24M', '--resident', '4M', '--timeout', 120,
		'--disk', "path=$image", '--console', 'virtio',
		'build/tests/guest/virtio.elf');
	ok until_true(60, sub { !(ctl($r, 'status'))[0] }), 'it runs';
	cmp_ok disturb($r, 10), '>', 0, "$accel: C16: paused while at work";
	is finish($r), 0, 'and all is well' or diag slurp($r->{out});
	my ($blk) = grep { $_->{name} eq 'blk' } @{stats($r)->{devices}};
	is_deeply [@$blk{qw(requests bytes errors needs_reset)}],
		[2051, 2049 * 4096, 1, 0], 'each request was done once';
}

for my $accel (accels()) {
	test_flood($accel);
	# It is ignored, or the CPU begins anew, where no code is.
	my $r = begin($accel, 'init', '--timeout', 10);
	like finish($r, 60), qr/^(0|124|126)$/, "$accel: B22: an INIT to itself";
	test_still($accel, $_) for qw(halt pause);
	test_lost($accel);
	test_paused_disk($accel);
}

done_testing;
