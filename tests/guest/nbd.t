# SPDX-License-Identifier: MIT
# Swap on an NBD server: one that is well (of two makes), one that dies again
# and again, one that fails now and then, one that is gone for good.
use strict;
use warnings;
use Fcntl;
use IO::Socket::UNIX;
use JSON::PP;
use POSIX 'mkfifo';
use lib 'tests/guest/lib';
use Test::More;
use Time::HiRes 'sleep';
use Twofold;

if (system('nbdkit --version >/dev/null 2>&1')) {
	plan skip_all => 'no nbdkit: make deps';
}

my $servers = 0;

sub server_start {
	my ($s) = @_;
	unlink $s->{socket};
	$s->{pid} = fork // die "fork: $!";
	if (!$s->{pid}) {
		open STDERR, '>>', scratch('nbdkit.log');
		exec @{$s->{command}};
		die "exec $s->{command}[0]: $!";
	}
	until_true(60, sub { -S $s->{socket} })
		or die "$s->{command}[0] did not start";
}

sub server {
	my (@args) = @_;
	my $socket = scratch('nbd' . $servers++);
	my $s = { socket => $socket, command => ['nbdkit', '-f',
		'--exit-with-parent', '-U', $socket, @args] };
	server_start($s);
	return $s;
}

# One of another make.
sub qemu_server {
	my ($path) = @_;
	my $socket = scratch('nbd' . $servers++);
	my $s = { socket => $socket, command => ['qemu-nbd', '--persistent',
		'--shared=0', '-f', 'raw', '-k', $socket, $path] };
	server_start($s);
	return $s;
}

sub server_kill {
	my ($s) = @_;
	kill 'KILL', $s->{pid};
	waitpid $s->{pid}, 0;
}

sub uri { 'nbd=nbd+unix:///?socket=' . shift->{socket} }

# A disk that outlives its server.
sub disk {
	my ($mib) = @_;
	my $path = scratch('disk' . $servers);
	open my $f, '>', $path or die "$path: $!";
	truncate $f, $mib * MIB or die "$path: $!";
	return $path;
}

sub guest {
	my ($swap, $mib, $passes, @more) = @_;
	return ('-m', '64M', '--resident', '16M', '--swap', $swap, @more, '--',
		'verify', '--size', $mib . 'M', '--passes', $passes);
}

# The process that a run has started.
sub helper_of {
	my ($r) = @_;
	slurp("/proc/$r->{pid}/task/$r->{pid}/children") =~ /(\d+)/;
	return $1;
}

sub test_well {
	my ($accel, $s) = @_;
	my $r = start($accel, guest(uri($s), 32, 2));
	wait_for($r, qr/pass 1/);
	my $helper = helper_of($r);
	is finish($r), 0, "$accel: a run on a server that is well";
	my $st = stats($r);
	cmp_ok $st->{pages}{swapped_out}, '>', 4000, 'swapped_out';
	cmp_ok $st->{pages}{swapped_in}, '>', 4000, 'swapped_in';
	is_on_rung($st, 'remote');
	like slurp($r->{out}), qr/^verify: ok, 8192 pages/m, 'verified';
	ok $helper && !kill(0, $helper), 'no helper is left';
	server_kill($s);
}

# Killed in the middle of reads and writes, ten times.
sub test_dying {
	my ($accel) = @_;
	my $s = server('file', disk(64));
	my $r = start($accel, guest(uri($s), 40, $accel eq 'kvm' ? 3 : 2));
	wait_for($r, qr/pass 1/);
	my $deaths = 0;
	for (1 .. 10) {
		server_kill($s);
		$deaths++ if slurp($r->{out}) !~ /^verify: ok/m;
		sleep 0.05;
		server_start($s);
		sleep 0.2;
	}
	is finish($r, 120), 0, "$accel: the run ends well"
		or diag slurp($r->{out}), slurp($r->{err});
	is $deaths, 10, 'its server died ten times meanwhile';
	like slurp($r->{out}), qr/^verify: ok, 10240 pages/m, 'verified';
	server_kill($s);
}

sub test_failing {
	my ($accel) = @_;
	my $s = server('--filter=error', 'memory', '64M', 'error-rate=1%');
	my $r = run($accel, 0, guest(uri($s), 32, 2));
	like slurp($r->{out}), qr/^verify: ok, 8192 pages/m, 'verified';
	like slurp(scratch('nbdkit.log')), qr/injecting EIO/, 'it did fail';
	server_kill($s);
}

# Gone for good: the VM pauses and says why; a server that comes back after all
# finds it as it was.
sub test_gone {
	my ($accel) = @_;
	my $s = server('file', disk(64));
	my $r = start($accel, guest(uri($s) . ',timeout=1', 32, 2));
	wait_for($r, qr/pass 1/);
	server_kill($s);
	my $said = until_true(60, sub {
		my ($status, $text) = ctl($r, 'status', '--json');
		$text =~ /"state": ?"paused"/ && $text;
	});
	like $said, qr/"reason": ?".*(timed out|error)/i,
		"$accel: it pauses, and says why";
	if ($accel ne 'kvm') { # QEMU looks for it every 16 s only
		is((ctl($r, 'stop'))[0], 0, 'stop');
		is finish($r, 60), 0, 'and it ends';
		return;
	}
	server_start($s);
	sleep 1;
	is((ctl($r, 'resume'))[0], 0, 'resume');
	is finish($r, 120), 0, 'and nothing was lost'
		or diag slurp($r->{out}), slurp($r->{err});
	like slurp($r->{out}), qr/^verify: ok, 8192 pages/m, 'verified';
	server_kill($s);
}

sub asked {
	my ($r, $verb) = @_;
	my ($code, $text) = ctl($r, $verb, '--json');
	return $code ? {} : decode_json($text);
}

# A server that hangs for a while is no error, and nobody's but theirs who need
# a page of it: pages that leave wait for it, and the balloon does not.
sub test_stalled {
	my ($accel) = @_;
	my $s = server('memory', '64M');
	my $typed = scratch("typed$servers");
	mkfifo $typed, 0600 or die "mkfifo: $!";
	sysopen my $keys, $typed, O_RDWR or die "$typed: $!";
	$Twofold::stdin = $typed;
	my $r = start($accel, '-m', '32M', '--swap', uri($s), '--balloon',
		'size=0', '--', 'shell');
	$Twofold::stdin = '/dev/null';
	ok wait_for($r, qr/\$ /), "$accel: a guest listens";
	syswrite $keys, "verify --size 20M --passes 1\r";
	ok wait_for($r, qr/verify: ok, 5120 pages/, 120), 'has used its RAM';
	ctl($r, 'balloon', '1M');
	ok until_true(60, sub { asked($r, 'balloon')->{actual_pages} == 256 }),
		'and knows its balloon';

	kill 'STOP', $s->{pid};
	is((ctl($r, 'resident', '20M'))[0], 0, 'pages have to leave');
	ok until_true(60, sub { asked($r, 'audit')->{in_motion} }),
		'but their server hangs';
	my $before = asked($r, 'status')->{memory}{resident_bytes} / MIB;
	is((ctl($r, 'balloon', '16M'))[0], 0, 'half of RAM is asked for');
	ok until_true(60, sub { asked($r, 'balloon')->{actual_pages} == 4096 }),
		'and given all the same';
	my $st = asked($r, 'status');
	cmp_ok $st->{memory}{resident_bytes} / MIB, '<=', $before - 6,
		'its frames are free';
	is $st->{pages}{swapped_out}, 0, 'while nothing could be stored';
	ok asked($r, 'audit')->{sound}, 'all is in order';
	is((ctl($r, $_))[0], 0, $_) for 'pause', 'resume';
	kill 'CONT', $s->{pid};

	ok until_true(60, sub { asked($r, 'status')->{pages}{swapped_out} }),
		'a stall is waited for';
	ctl($r, 'balloon', '0');
	syswrite $keys, "verify --size 4M --passes 1; exit 3\r";
	is finish($r), 3, 'and the guest goes on' or diag slurp($r->{err});
	is(() = slurp($r->{out}) =~ /^verify: ok/mg, 2, 'with all its bytes');
	server_kill($s);
}

# The export comes back without its second half.
sub test_shrunk {
	my $path = disk(64);
	my $s = server('file', $path);
	my $r = start('kvm', '--on-swap-error', 'kill', guest(uri($s), 24, 9));
	wait_for($r, qr/pass 1/);
	server_kill($s);
	truncate $path, 32 * MIB;
	server_start($s);
	is finish($r, 60), 125, 'a shrunk export is an error';
	like slurp($r->{err}), qr/killed: .*No such device/, 'saying why';
	server_kill($s);
}

# Says @words to whoever comes, and closes.
sub liar {
	my ($words) = @_;
	my $s = { socket => scratch('liar' . $servers++) };
	my $listening = IO::Socket::UNIX->new(
		Local => $s->{socket}, Listen => 5) or die "socket: $!";
	$s->{pid} = fork // die "fork: $!";
	return $s if $s->{pid};
	while (my $peer = $listening->accept) {
		print $peer $words;
	}
	POSIX::_exit(0);
}

# What cannot work is refused at once, in words.
sub test_refused {
	my $s = server('-r', 'memory', '64M');
	my $small = server('memory', '16M');
	my @liars = map { liar($_) } '', 'x' x 300, 'NBDMAGIC' . 'x' x 300;
	my %say = (
		(map { uri($_) => qr/swap nbd\S+: nbd_aio_\w+: / } @liars),
		uri($s) => qr/the export is read-only/,
		uri($small) => qr/has 16777216 bytes, and 67108864 are needed/,
		'nbd=nbd+unix:///?socket=/nowhere' => qr/No such file/,
		'nbd=nbdx://x' => qr/unknown NBD URI scheme/);
	for my $swap (sort keys %say) {
		my $r = run('kvm', 125, guest($swap, 32, 1));
		like slurp($r->{err}), $say{$swap}, 'the reason';
	}
	run('kvm', 0, guest(uri($small) . ',size=16M', 8, 1));
	server_kill($_) for $s, $small, @liars;
}

# Somebody kills the helper: an error, not a hang.
sub test_helper_dies {
	my $s = server('memory', '64M');
	my $r = start('kvm', '--on-swap-error', 'kill', guest(uri($s), 40, 9));
	wait_for($r, qr/pass 1/);
	kill 'KILL', helper_of($r);
	is finish($r, 60), 125, 'without its helper the run ends';
	like slurp($r->{err}), qr/killed: .*Input\/output error/, 'saying why';
	server_kill($s);
}

# In the capsule QEMU is the client, and the rest is swap on a disk.
for my $accel (accels()) {
	test_stalled($accel);
	test_dying($accel);
	test_gone($accel);
	next if $accel ne 'kvm';
	test_well($accel, $_) for server('memory', '64M'),
		qemu_server(disk(64));
	test_failing($accel);
	test_shrunk();
	test_refused();
	test_helper_dies();
}

done_testing;
