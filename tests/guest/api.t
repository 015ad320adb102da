# SPDX-License-Identifier: MIT
# The control API of a running VM: several clients at once, one of them slow,
# one that listens; orders in every order; a flood. (E5, E8, E9, E17, E18 of
# docs/hostile.md; the others are in tests/unit/vmm_api_*.c.)
use strict;
use warnings;
use lib 'tests/guest/lib';
use IO::Socket::UNIX;
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);
use Twofold;

# A client of the socket at @path.
sub client {
	my ($path) = @_;
	my $c;
	until_true(60, sub { $c = IO::Socket::UNIX->new(Peer => $path) });
	return $c || die "$path: $!";
}

sub request {
	my ($c, $method, $target, $body) = @_;
	$body //= '';
	print $c "$method $target HTTP/1.1\r\nContent-Length: ", length $body,
		"\r\n\r\n$body";
	$c->flush;
}

# The next answer: (status, body), of a stream its head only.
sub answer {
	my ($c) = @_;
	my $head = '';
	local $SIG{ALRM} = sub { die "no answer\n" };
	alarm 60;
	while ($head !~ /\r\n\r\n$/) {
		my $line = <$c> // return (0, '');
		$head .= $line;
	}
	my ($len) = $head =~ /^Content-Length: (\d+)/m;
	my $body = '';
	read $c, $body, $len if $len;
	alarm 0;
	return ($head =~ /^HTTP\/1.1 (\d+)/, $body);
}

sub asked {
	my ($c, @words) = @_;
	request($c, @words);
	my ($status, $body) = answer($c);
	return wantarray ? ($status, $body) : $status;
}

# The next event of a stream.
sub event {
	my ($c) = @_;
	local $SIG{ALRM} = sub { die "no event\n" };
	alarm 60;
	chomp(my $size = <$c> // return {});
	$size =~ tr{\r}{}d;
	my $line = hex $size ? <$c> : '{}';
	<$c>;
	alarm 0;
	return decode_json($line);
}

sub status_of { decode_json((asked($_[0], 'GET', '/status'))[1]) }

# Each order after each other one, by two clients, neither waiting: both are
# done, one after the other.
sub test_orders {
	my ($one, $two) = @_;
	my @orders = (
		['PATCH', '/vm', '{"state":"Paused"}'],
		['PATCH', '/vm', '{"state":"Resumed"}'],
		['PUT', '/memory/resident', '{"resident_bytes":16777216}'],
		['PUT', '/policy', '{"policy":"lru"}'],
		['PATCH', '/pressure', '{"delay":"fixed","delay_us":10}'],
		['PUT', '/pressure', '{}']);
	my $done = 0;
	for my $first (@orders) {
		for my $second (@orders) {
			request($one, @$first);
			request($two, @$second);
			$done += (answer($one))[0] == 204;
			$done += (answer($two))[0] == 204;
		}
	}
	is $done, 2 * @orders ** 2, 'orders in every order';
	is asked($one, 'PATCH', '/vm', '{"state":"Resumed"}'), 204, 'it goes on';
	my $s = status_of($two);
	is $s->{state}, 'running', 'its state is known';
	is $s->{memory}{resident_limit_bytes}, 16 * MIB, 'and its cap';
}

# The status when the guest has just said how far it is, which it does now and
# then; $meanwhile->() is done all the time.
sub told {
	my ($c, $meanwhile) = @_;
	my ($before, $s) = (status_of($c));
	until_true(60, sub {
		$meanwhile->();
		$s = status_of($c);
		$s->{guest}{progress} != $before->{guest}{progress}
	}) or die "the guest does not go on\n";
	return $s;
}

# Its faults for a page of work, while it does $pages of that.
sub faults_a_page {
	my ($c, $pages, $meanwhile) = @_;
	my ($begin, $s) = (told($c, $meanwhile));
	my $done = 0;
	while ($done < $pages) {
		$s = told($c, $meanwhile);
		$done = $s->{guest}{progress} - $begin->{guest}{progress};
	}
	my @faults = map { $_->{faults}{missing} + $_->{faults}{minor} }
		$begin, $s;
	return ($faults[1] - $faults[0]) / $done;
}

# E18: as many requests as can be, while the guest goes on: all are answered,
# and its work costs it no more faults than without them.
sub test_flood {
	my ($path) = @_;
	my $calm = client($path);
	# It has nearly all that it needs, so that a fault more would be seen.
	is asked($calm, 'PUT', '/memory/resident',
		'{"resident_bytes":39845888}'), 204, 'a large cap';
	my $settled = 20480 + status_of($calm)->{guest}{progress};
	until_true(120, sub { status_of($calm)->{guest}{progress} > $settled });
	my $alone = faults_a_page($calm, 8000, sub { sleep 0.002 });
	my $before = status_of($calm);
	my ($sent, $good) = (0, 0);
	my @flood = map { client($path) } 1 .. 4;
	my $began = time;
	my $flooded = faults_a_page($calm, 8000, sub {
		for my $c (@flood) {
			print $c "GET /version HTTP/1.1\r\n\r\n" x 20;
			$c->flush;
			$sent += 20;
		}
		for my $c (@flood) {
			$good += (answer($c))[0] == 200 for 1 .. 20;
		}
	});
	is $good, $sent, 'a flood is answered';
	cmp_ok $flooded, '<', $alone * 1.25,
		'and costs the guest no fault more for a page of work';
	diag sprintf '%d requests, %d a second; %.3f faults a page, %.3f '
		. 'before; fault latency p99 %.1f us, %.1f before', $sent,
		$sent / (time - $began), $flooded, $alone,
		map { $_->{faults}{latency_us}{p99} } status_of($calm), $before;
}

for my $accel (accels()) {
	my $folder = scratch("api-$accel");
	mkdir $folder or die "$folder: $!";
	my $path = "$folder/vm.sock";
	my $r = start($accel, '-m', '64M', '--resident', '24M', '--swap', 'ram',
		'--api-socket', $path, '--', 'verify', '--size', '40M',
		'--order', 'random', '--passes', 1000000);
	my $listener = client($path);
	is asked($listener, 'GET', '/events'), 200, "$accel: one listens";
	my $slow = client($path);
	print $slow "GET /status HTT";
	$slow->flush;
	my ($one, $two) = (client($path), client($path));
	ok until_true(120, sub { status_of($one)->{guest}{progress} }),
		'one asks, and one is slow';
	is asked($two, 'GET', '/version'), 200, 'one more';
	is asked($one, 'PATCH', '/vm', '{"state":"Paused"}'), 204, 'pause';
	my $e = event($listener);
	$e = event($listener) while $e->{event} && $e->{event} ne 'paused';
	is $e->{detail}, 'asked to', 'the listener is told';
	my $machine = decode_json((asked($two, 'GET', '/machine-config'))[1]);
	is $machine->{mem_size_mib}, 64, 'its machine';
	is_deeply decode_json((asked($two, 'GET', '/'))[1]),
		{ app_name => 'twofold', id => $r->{name}, state => 'Paused',
		vmm_version => $machine && decode_json((asked($two, 'GET',
		'/version'))[1])->{version} }, 'its instance';
	is asked($one, 'PATCH', '/vm', '{"state":"Resumed"}'), 204, 'resume';
	is event($listener)->{event}, 'resumed', 'told, too';

	test_orders($one, $two);
	test_flood($path);

	# The folder goes: who is here stays, and the VM runs on.
	unlink $path;
	rmdir $folder;
	is asked($one, 'GET', '/version'), 200, 'without a socket file';
	# E9: twice, in one go; out of the capsule the second may come too late.
	my $stop = '{"state":"Stopped"}';
	print $one join("\r\n", 'PATCH /vm HTTP/1.1',
		'Content-Length: ' . length $stop, '', $stop) x 2;
	$one->flush;
	is((answer($one))[0], 204, 'stop');
	like((answer($one))[0], $accel eq 'kvm' ? qr/^204$/ : qr/^(204|502|0)$/,
		'and once more');
	is finish($r), 0, 'it ends';
	my $last = '';
	while (my $n = event($listener)->{event}) {
		$last = $n;
	}
	is $last, 'ended', 'the last thing that is told' if $accel eq 'kvm';
}

done_testing;
