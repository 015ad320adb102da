# SPDX-License-Identifier: MIT
# A trace holds one record for each fault of either stage, no more, no fewer;
# those of stage 2 say whose they were, and the guest agrees.
use strict;
use warnings;
use lib 'tests/guest/lib';
use JSON::PP;
use Test::More;
use Twofold;

sub lines {
	my ($file, $pattern) = @_;
	my $n = 0;
	open my $p, '-|', $program, 'trace', 'print', $file or die;
	while (<$p>) { $n++ if /$pattern/ }
	close $p;
	is $?, 0, 'trace print';
	return $n;
}

# The times of the first and the last line that match.
sub span {
	my ($file, $pattern) = @_;
	my @t;
	open my $p, '-|', $program, 'trace', 'print', $file or die;
	while (<$p>) { push @t, $1 if /$pattern/ && /^\s*(\S+)/ }
	close $p;
	return @t[0, -1];
}

sub sums {
	my ($file, @filter) = @_;
	my $text = `$program trace stats $file --json @filter`;
	is $?, 0, 'trace stats';
	return eval { decode_json($text) } || {};
}

# As many of the VM's own counters as a trace has records; nothing is unknown.
sub is_whole {
	my ($sums) = @_;
	for my $name (sort keys %{$sums->{totals}}) {
		my $total = $sums->{totals}{$name};
		is $total->{records}, $total->{counted}, "all of $name";
	}
	ok $sums->{totals_exact}, 'which is exact';
	is $sums->{lost}, 0, 'none is lost';
	is $sums->{missed}{unknown} // 0, 0, 'each has a gva';
}

# [gva, gpa, pid] of each stage-2 fault; a page of the guest's tables has the
# lowest gva that it serves: none of its own.
sub addresses {
	my ($file) = @_;
	my @faults;
	open my $p, '-|', $program, 'trace', 'print', $file, '--kind', 'stage2'
		or die;
	while (<$p>) {
		my ($gpa) = / gpa=0x0*([0-9a-f]+) /;
		my ($gva) = / ref=data gva=0x0*([0-9a-f]+) /;
		my ($pid) = / pid=(\d+) /;
		push @faults, [$gva // '', $gpa, $pid // ''];
	}
	close $p;
	return @faults;
}

# Where the guest's own tables say that its pages lie: nothing but the program
# touches those, so that each fault there is of its address, and its own.
sub says_guest {
	my ($accel) = @_;
	my $trace = scratch("$accel-map.tft");
	my $r = run($accel, 0, '-m', '64M', '--resident', '5M', '--swap',
		'ram', '--trace', $trace, '--', 'touch', '8M', 'random',
		'map');
	my $out = slurp($r->{out});
	is stats($r)->{guest}{progress}, 2048, 'touch tells how far it is';
	my ($pid) = $out =~ /this is process (\d+)/;
	my %gpa = $out =~ /^page 0x([0-9a-f]+) 0x([0-9a-f]+)/mg;
	my %gva = reverse %gpa;
	my ($same, $other) = (0, 0);
	for (addresses($trace)) {
		my ($gva, $gpa, $of) = @$_;
		if ($of eq $pid && ($gpa{$gva} // '') eq $gpa) {
			$same++;
		} elsif ($gva{$gpa} || $of eq $pid && $gpa{$gva}) {
			diag "gpa $gpa gva $gva process $of" if !$other++;
		}
	}
	is keys %gpa, 2048, 'the guest says where its pages are';
	cmp_ok $same, '>=', 1000, 'and there they faulted';
	is $other, 0, 'and nowhere else';
}

# A trace of a VM that runs already.
sub on_the_fly {
	my ($accel) = @_;
	my $trace = scratch("$accel-fly.tft");
	my $r = start($accel, '-m', '128M', '--resident', '24M', '--swap',
		'ram', '--', 'verify', '--size', '48M', '--passes', 100000,
		'--order', 'random');
	ok swapping($r, 500), 'it is swapping';
	for my $option ('', '--registers') {
		my $said = `$program trace record $r->{name} -o $trace --seconds 1 $option`;
		is $?, 0, "trace record $option";
		like $said, qr/\d+ records$/m, 'says how many';
		my $sums = sums($trace);
		is_whole($sums);
		cmp_ok $sums->{kinds}{stage2}, '>', 10, 'there were faults';
		# But who had its page from another's fault: it ran already.
		my $there = $sums->{sources}{there} // 0;
		is lines($trace, qr/ stage2 .* rip=0x/),
			$sums->{kinds}{stage2} - $there, 'each knows its code'
			if $option;
	}
	my ($status) = ctl($r, 'stop');
	is $status, 0, 'stop';
	finish($r);
	return $trace;
}

sub exported {
	my ($trace) = @_;
	my $sums = sums($trace);
	my $events = $sums->{events};
	for my $format (qw(chrome perfetto)) {
		my $export = "$program trace export $trace --format $format";
		my $text = `$export --kind stage2`; # Perl parses slowly
		my $json = decode_json($text);
		my @events = grep { $_->{ph} ne 'M' } @{$json->{traceEvents}};
		is scalar @events, $sums->{kinds}{stage2}, "$format parses";
		is scalar(() = `$export` =~ /"ph":"[Xi]"/g), $events,
			"$format has all events";
	}
	my @lines = `$program trace export $trace --format csv`;
	is @lines - 1, $events, 'csv has, too';
	my $columns = () = $lines[0] =~ /,/g;
	is scalar(grep { (() = /,/g) != $columns } @lines), 0, 'in columns';
}

# The page, in a browser: what its plots have drawn is what the trace has.
sub drawn {
	my ($trace) = @_;
	my ($page, $picture) = (scratch('report.html'), scratch('report.png'));
	my $sums = sums($trace);
	system $program, 'trace', 'report', $trace, '-o', $page;
	is $?, 0, 'trace report';
	unlike slurp($page), qr/(src|href)=|url\(|import/, 'it loads nothing';
	my @chromium = ('timeout', 60, 'chromium', '--headless=new',
		'--no-sandbox', '--disable-gpu', '--window-size=1240,3200',
		'--user-data-dir=' . scratch('chromium'),
		'--virtual-time-budget=5000');
	my $dom = `@chromium --dump-dom file://$page 2>/dev/null`;
	like $dom, qr/<body data-drawn="yes"/, 'the page draws all it has';
	like $dom, qr/id="exact"[^>]*><b>equal</, 'and says: equal';
	my %drawn;
	while ($dom =~ /data-series="(\w+)" data-n="([\d.]+)"/g) {
		$drawn{$1} += $2;
	}
	my %want = (%{$sums->{faults}}, stage1 => $sums->{kinds}{stage1} // 0,
		evict => $sums->{kinds}{evict} // 0);
	is $drawn{$_} // 0, $want{$_}, "the time line has all: $_"
		for sort keys %want;
	my ($heat) = $dom =~ /id="heat"[^>]* data-n="(\d+)"/;
	is $heat, $sums->{kinds}{stage2} + ($sums->{kinds}{ahead} // 0),
		'the heat map, too';
	my ($latency) = $dom =~ /id="latency"[^>]* data-n="(\d+)"/;
	is $latency, $sums->{kinds}{stage2}, 'and the latencies';
	my ($references) = $dom =~ /id="walk"[^>]* data-references="(\d+)"/;
	cmp_ok $references, '>=', 4, 'a walk is drawn';
	cmp_ok $references, '<=', 24, 'of at most 24 references';
	system "@chromium --screenshot=$picture file://$page >/dev/null 2>&1";
	like slurp($picture), qr/^\x89PNG/, 'and a picture taken';
	cmp_ok -s $picture, '>', 50000, 'with something in it';
}

for my $accel (accels()) {
	my $trace = scratch("$accel.tft");
	my $r = run($accel, 0, '-m', '128M', '--resident', '24M', '--swap',
		'ram', '--trace', $trace, '--', 'verify', '--size', '48M',
		'--passes', 2);
	my $s = stats($r);
	is lines($trace, qr/\bstage2\b/),
		$s->{faults}{missing} + $s->{faults}{minor}, 'stage-2 records';
	cmp_ok $s->{guest}{page_faults}, '>=', 48 * 256, 'guest faults';
	is lines($trace, qr/\bstage1\b/), $s->{guest}{page_faults},
		'stage-1 records';
	my ($said) = slurp($r->{out}) =~ /(\d+) page faults/;
	is $said, $s->{guest}{page_faults}, "the guest's own count";
	my ($first, $last) = span($trace, qr/\bstage2\b/);
	my ($from, $to) = span($trace, qr/\bstage1\b/);
	cmp_ok $from, '>=', $first, 'both stages lie on one time axis';
	cmp_ok $to, '<=', $last + 1, 'to the end';
	is lines($trace, qr/^\s*\S+ evict\b/),
		$s->{pages}{swapped_out} + $s->{pages}{clean_dropped} +
		$s->{pages}{zero_elided}, 'evict records';
	is lines($trace, qr/^\s*\S+ ahead\b/), $s->{pages}{mapped_ahead},
		'ahead records';
	is_whole(sums($trace));
	like `$program replay --verify $trace`,
		qr/[1-9]\d* decisions of clock: .*; [1-9]\d* evictions follow/,
		'told the same once more, the policy evicts the same';
	is $?, 0, 'replay --verify';
	says_guest($accel);
	$trace = on_the_fly($accel);
	exported($trace);
	drawn($trace);
}

done_testing;
