# SPDX-License-Identifier: MIT
# `twofold top` in a terminal: it shows what `ctl status` says, its keys change
# the VM, it fits, and it ends with the VM. And the guest's shell, typed at in
# the same way. `top --once` and GET /memory/map, too.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Tmux;
use Twofold;

plan skip_all => 'no tmux' if system 'command -v tmux >/dev/null';

for my $accel (accels()) {
	my $r = start($accel, '-m', '256M', '--resident', '64M', '--swap',
		'ram', '--', 'verify', '--size', '192M', '--passes', 100000);
	ok swapping($r, 2000), "$accel: verify is swapping";

	my $t = Tmux->new(80, 24, "$program top $r->{name}");
	my $seen = $t->shows(qr/misses by clock.* s stored/s);
	like $seen, qr/^twofold  $r->{name}  running  $accel, /, 'who it is';
	like $seen, qr/^memory +\[[#-]+ +\] [\d.]+ MiB of 256\.0, cap 64\.0/m,
		'memory';
	like $seen, qr/^swap +ram [1-9][\d.]* MiB in [\d.]+/m, 'swap';
	like $t->shows(qr/^faults\/s +missing [1-9]/m),
		qr/^faults\/s +missing [1-9]/m, 'fault rates';
	like $seen, qr/^pressure +some [\d.]+ /m, 'pressure';
	like $seen, qr/^policy +clock$/m, 'policy';
	like $seen, qr/^c cap  p policy  b balloon/m, 'keys';
	my ($cells) = join '', $seen =~ /^(?:0 +|   +)([#+s.~]+)$/mg;
	is length $cells, 128, 'a cell for each 2 MiB';
	like $cells, qr/s/, 'of which some are stored';
	like $t->text('-e'), qr/\e\[3[26]m[#s]/, 'in colours';

	# Keys.
	$t->type('c', '48M');
	like $t->shows(qr/as in 64M: 48M/), qr/as in 64M: 48M$/m, 'asked';
	$t->type('BSpace', 'BSpace', '0M', 'Enter');
	like $t->shows(qr/cap 40\.0/), qr/cap 40\.0/, 'the cap is changed';
	is status($r)->{memory}{resident_limit_bytes}, 40 * MIB, 'indeed';
	$t->type('p', 'arc', 'Enter');
	like $t->shows(qr/^policy +arc/m), qr/^policy +arc/m, 'the policy';
	$t->type('b', '16M', 'Enter');
	like $t->shows(qr/balloon 16 MiB/), qr/balloon 16 MiB/, 'the balloon';
	$t->type('c', '1M', 'Enter');
	like $t->shows(qr/^refused: /m), qr/^refused: .*below/m,
		'a refusal is told';
	$t->type('c', '2G', 'Escape', 'Space');
	like $t->shows(qr/paused/), qr/  paused: asked to  /, 'space pauses';
	is status($r)->{memory}{resident_limit_bytes}, 40 * MIB,
		'escape changes nothing';
	$t->type('Space');
	like $t->shows(qr/  running  /), qr/  running  /, 'and resumes';

	# Any size.
	$t->resize(30, 8);
	$seen = $t->shows(qr/^c cap  p policy  b balloon  sp$/m);
	is scalar(split /\n/, $seen), 8, 'as small as 30 by 8';
	$t->resize(132, 40);
	like $t->shows(qr/ space pause  q quit$/m), qr/^map 2 MiB/m,
		'and large again';
	$t->resize(1, 1);
	$t->resize(80, 24);
	like $t->shows(qr/^policy.*q quit$/ms), qr/^policy +arc/m, 'after next to none';

	$t->type('q');
	is $t->status, 0, 'q quits';
	my $once = `$program top $r->{name} --once`;
	is $?, 0, '--once';
	like $once, qr/^twofold  $r->{name}  running.*^policy +arc\n.*\n0 +\S/ms,
		'is a view as text';

	$t = Tmux->new(80, 24, "env TERM=nonsense $program top $r->{name}");
	like $t->shows(qr/--once/), qr/not a terminal that can show it/,
		'a terminal that nobody knows';

	$t = Tmux->new(80, 24, "$program top $r->{name}");
	$t->shows(qr/q quit/);
	ctl($r, 'stop');
	like $t->shows(qr/has ended/), qr/^VM $r->{name} has ended$/m,
		'it ends with the VM';
	is $t->status, 0, 'well';
	is finish($r), 0, 'which has ended';
	like `$program top $r->{name} 2>&1`, qr/no VM $r->{name}/,
		'a VM that is gone is an error';

	# The guest's shell, with the terminal's own editing keys.
	$t = Tmux->new(80, 24,
		"$program run --accel $accel --timeout 60 -- shell");
	$t->shows(qr/^\$\s*$/m);
	$t->type('echo', 'Space', 'two', 'Left', 'Left', 'BSpace', 'Right',
		'x', 'Enter');
	like $t->shows(qr/^wxo$/m), qr/^wxo$/m, 'the shell: its line editor';
	$t->type('Up', 'Enter');
	like $t->shows(qr/^wxo\n.*^wxo$/ms), qr/^wxo\n.*^wxo$/ms, 'its history';
	$t->type('echo lost', 'C-u');
	$t->type('exit 7', 'Enter');
	is $t->status, 7, 'and its status';
	unlike $t->text, qr/^lost$/m, 'control-U gave the line up';
}

done_testing;
