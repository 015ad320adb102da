# SPDX-License-Identifier: MIT
# `twofold walk`: the references that a running VM's tables of both stages
# take, for the page sizes where their number is known.
use strict;
use warnings;
use lib 'tests/guest/lib';
use JSON::PP;
use Test::More;
use Twofold;

my $guest = 'build/tests/guest/walk.elf';

sub walked {
	my ($r, @words) = @_;
	my $text = `$program walk $r->{name} @words 2>&1`;
	is $?, 0, "walk @words" or diag $text;
	return $text;
}

# Walk @gva until it takes @want references: a table of the guest's may be away
# when no frame is free.
sub takes {
	my ($r, $gva, $want, $why) = @_;
	my $w = {};
	until_true(30, sub {
		$w = eval { decode_json(`$program walk $r->{name} $gva --json`) }
			|| {};
		($w->{references} // 0) == $want;
	});
	is $w->{references}, $want, $why;
	return @{$w->{walk} || []};
}

# Each reference follows from those before it: a stage-1 entry lies where the
# stage-2 walk before it led, in the table that the entry above names.
sub follows {
	my ($accel, @walk) = @_;
	my ($wrong, $table, $for) = (0);
	for my $ref (@walk) {
		$wrong += $ref->{gpa} ne $for if defined $for &&
			$ref->{stage} == 2 && $ref->{level} < 4;
		if ($ref->{stage} == 2) {
			$for = $ref->{gpa};
			next;
		}
		$wrong += $ref->{gpa} ne $for;
		$wrong += hex($ref->{table}) + 8 * $ref->{index} !=
			hex $ref->{gpa};
		$wrong += defined $table && $ref->{table} ne $table;
		($table) = $ref->{answer} =~ /^table (0x\w+)/;
		$for = undef;
	}
	is $wrong, 0, "$accel: each reference follows from those before it";
}

for my $accel (accels()) {
	# 4 KiB on 4 KiB: pages come one by one.
	my $r = start($accel, '-m', '64M', $guest);
	ok wait_for($r, qr/^\./m), "$accel: the guest is there";
	my @walk = takes($r, 'gva:0x400000', 24, '4 KiB on 4 KiB');
	follows($accel, @walk);
	is $walk[-1]{answer} =~ /^frame 0x(\w+)/ && $walk[-1]{gpa}, '0x200000',
		'it ends at the page';
	my $picture = scratch("$accel.svg");
	my $text = walked($r, 'gva:0x400000', '--svg', $picture);
	like $text, qr/^walk  24 references: 4 to the guest's tables, 20 to ours; a page of 4 KiB on one of 4 KiB$/m,
		'as text';
	is scalar(() = $text =~ /^ +\d+  stage/mg), 24, 'a line each';
	my $svg = slurp($picture);
	is scalar(() = $svg =~ /class="number">\d+</g), 24, 'drawn, a box each';
	like walked($r, 'gpa:0x200000'), qr/^walk  4 references; one of 4 KiB/m,
		'a gpa takes stage 2 alone';
	takes($r, 'gva:0x600000', 15, 'stage 1 ends at level 2: 3 entries');
	ctl($r, 'stop');
	is finish($r), 0, 'it ends';

	# Without paging our table has the largest pages that fit.
	$r = start($accel, '-m', '512M', '--paging', 'off', $guest);
	ok wait_for($r, qr/^\./m), "$accel: 512 MiB, in pages of 2 MiB";
	follows($accel, takes($r, 'gva:0x234567', 15, '2 MiB on 2 MiB'));
	takes($r, 'gva:0x400000', 19, '4 KiB on 2 MiB');
	ctl($r, 'stop');
	is finish($r), 0, 'it ends';

	$r = start($accel, '-m', '2G', '--paging', 'off', $guest);
	ok wait_for($r, qr/^\./m), "$accel: 2 GiB, in pages of 1 GiB";
	follows($accel, takes($r, 'gva:0x5a5a5a5a', 8, '1 GiB on 1 GiB'));
	takes($r, 'gva:0x234567', 11, '2 MiB on 1 GiB');
	ctl($r, 'stop');
	is finish($r), 0, 'it ends';

	my $err = `$program walk $r->{name} 0x1000 2>&1`;
	is $? >> 8, 1, 'a VM that is gone';
	like $err, qr/^twofold: walk: no VM/, 'is said to be';
}

done_testing;
