# SPDX-License-Identifier: MIT
# A VM under load can be asked what it does: pressure, audit, explain; and
# --mem-slo finds out what its guest needs.
use strict;
use warnings;
use lib 'tests/guest/lib';
use JSON::PP;
use Test::More;
use Twofold;

# As ctl_json, of a VM that is there.
sub told {
	my ($r, @words) = @_;
	my $answer = ctl_json($r, @words);
	ok %$answer, "ctl @words";
	return $answer;
}

# `twofold explain VM ADDRESS --json`.
sub explained {
	my ($r, $address) = @_;
	my $text = `$program explain $r->{name} $address --json 2>&1`;
	is $?, 0, "explain $address" or diag $text;
	return eval { decode_json($text) } || {};
}

# Ask about pages of RAM until one is stored, and so lately that its story is
# remembered.
sub find_stored {
	my ($r) = @_;
	for my $mib ((16 .. 200) x 10) {
		my $e = explained($r, sprintf 'gpa:%#x', $mib << 20);
		my $page = $e->{page} || {};
		return $e if ($page->{state} // '') eq 'stored' &&
			$page->{summary} =~ /^evicted/;
	}
	return {};
}

for my $accel (accels()) {
	my $r = start($accel, '-m', '256M', '--resident', '64M', '--swap',
		'ram', '--', 'verify', '--size', '192M', '--passes', 100000);

	ok swapping($r, 2000), "$accel: verify is swapping";

	my $before = told($r, 'status');
	my $some = $before->{pressure}{some};
	cmp_ok $some->{total_us}, '>', 0, 'it has waited for pages';
	cmp_ok $some->{$_}, '>', 0, $_ for qw(avg10 avg60 avg300);
	is_deeply $before->{pressure}{full}, $some, 'one vCPU: some is full';
	ok until_true(30, sub {
		told($r, 'status')->{pressure}{some}{total_us} >
			$some->{total_us};
	}), 'and waits more';
	my $placed = $before->{placement};
	like $placed->{choice}, qr/^(same_cpu|spin|blocked|awake)\z/,
		'where faults are served';
	cmp_ok $placed->{"$placed->{choice}_us"}, '>', 0, 'was measured';
	my @polls = @$placed{qw(poll_now_us poll_most_us)};
	cmp_ok $polls[0], '<=', $polls[1], 'how long the server polls';
	is $polls[1] > 0, $placed->{choice} eq 'spin', 'if it does';
	cmp_ok $placed->{waits_polled} + $placed->{waits_blocked}, '>', 100,
		'for faults it has waited';
	for (1 .. 5) {
		my $audit = told($r, 'audit');
		ok $audit->{sound}, 'the auditor finds nothing'
			or diag $audit->{divergence}{text};
		is $audit->{pages}, 65536, 'in all of RAM';
		cmp_ok $audit->{checked}{$_}, '>', 60000, $_
			for qw(memfd pagemap policy);
		cmp_ok $audit->{checked}{slot}, '>', 10000, 'slots';
	}

	my $e = find_stored($r);
	my $page = $e->{page};
	is $page->{stored}{tier}, 'ram', 'a stored page names its tier';
	is $page->{stored}{codec}, 'lz4', 'its codec';
	is $page->{stored}{checksum}, 'ok', 'and verifies';
	like $page->{stored}{slot}, qr/^\d+$/, 'its slot';
	like $page->{summary},
		qr/^evicted [\d.]+ s ago by clock to ram slot \d+/, 'its story';
	is scalar @{$e->{walk}}, 4, 'stage 2 has four levels';
	like $e->{walk}[3]{decoded}, qr/stored: tier ram slot \d+/, 'the last';

	# The first page of the program's text, by its own tables; the walk ends
	# early when a table is away and no frame is free for it just then.
	ok until_true(30, sub {
		$e = explained($r, 'gva:0x400000');
		@{$e->{walk}} == 24;
	}), 'both stages: 24 references';
	is scalar(grep { $_->{stage} == 1 } @{$e->{walk}}), 4, '4 of the guest';
	like $e->{gpa}, qr/^0x[0-9a-f]+$/, 'they lead somewhere';
	$e = explained($r, 'gva:0x7fffffff0000');
	is $e->{gpa}, undef, 'an address that is not mapped';

	# It has seen misses only, until it was asked: then the sampler starts.
	my $mrc = told($r, 'mrc');
	cmp_ok $mrc->{sampled_references}, '>', 0, 'mrc: a sample is told';
	my @curve = map { $_->{misses} } @{$mrc->{curve}};
	is scalar @curve, 16, 'of 16 sizes';
	is_deeply \@curve, [sort { $b <=> $a } @curve], 'more memory: no more '
		. 'misses';
	is $curve[-1], $mrc->{first_references}, 'all of RAM: the first ones';
	is scalar @{$mrc->{policies}}, 8, 'and of eight policies';

	for my $policy (@{told($r, 'policy')->{policies}}) {
		my ($status, $text) = ctl($r, 'policy', $policy);
		is $status, 0, "policy $policy" or diag $text;
		is told($r, 'status')->{policy}, $policy, 'is in force';
		ok told($r, 'audit')->{sound}, 'and all is sound';
	}

	my ($code, $said) = ctl($r, 'pause');
	is $code, 0, 'pause' or diag $said;
	ok until_true(30, sub {
		@{explained($r, 'gva:0x400000')->{walk}} == 24;
	}), 'a paused vCPU answers too';
	ok told($r, 'audit')->{sound}, 'and its memory is sound';
	ok until_true(30, sub { !told($r, 'audit')->{in_motion} }),
		'and comes to rest';
	# Nothing leaves any more, once reclaim has what it wants.
	my ($status, %rung);
	ok until_true(30, sub {
		$status = told($r, 'status');
		%rung = map { $_->{name} => $_ } @{$status->{ladder}};
		my $pages = $status->{pages};
		$rung{zero}{pages} == $pages->{zero_elided} &&
			$rung{clean}{pages} == $pages->{clean_dropped} &&
			$rung{same_filled}{pages} + $rung{compressed}{pages}
			== $pages->{swapped_out};
	}), 'each page that left is on a rung';
	is $rung{compressed}{bytes}, 4096 * $rung{compressed}{pages}, 'bytes';
	cmp_ok $rung{compressed}{pages}, '>', 2000, 'many were compressed';
	cmp_ok $rung{compressed}{time_us}, '>', 0, 'which took time';
	ctl($r, 'resume');
	unlike slurp($r->{out}), qr/mismatch/, 'nothing was disturbed';
	ctl($r, 'stop');
	is finish($r), 0, 'it ends';

	# A guest that needs 32 MiB of its 256, at most.
	$r = start($accel, '-m', '256M', '--mem-slo', 'stall=5', '--',
		'verify', '--size', '24M', '--passes', 1000000);
	ok until_true(120, sub {
		my $s = status($r);
		($s->{memory}{resident_limit_bytes} // 1e18) < 64 * MIB &&
			$s->{mem_slo}{lowered} > 1;
	}), "$accel: --mem-slo lowers the cap to what is needed";
	ok until_true(30, sub {
		my $s = told($r, 'status');
		$s->{mem_slo}{stall_percent} == 5 &&
			$s->{mem_slo}{cap_bytes} >> 12 ==
			$s->{memory}{resident_limit_bytes} >> 12;
	}), 'the cap in force is the one it found';
	ctl($r, 'stop');
	is finish($r), 0, 'it ends';
}

done_testing;
