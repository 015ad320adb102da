# SPDX-License-Identifier: MIT
# The network device, with a guest that is nothing but its driver and an echo's
# protocols: through the user-mode network to a server on this host's loopback,
# and through a tap in a network namespace of the test's own. Every datagram
# comes back as it was sent, in buffers smaller than it.
use strict;
use warnings;
use lib 'tests/guest/lib';
use IO::Socket::INET;
use POSIX ();
use Test::More;
use Twofold;

use constant { SYS_unshare => 272, CLONE_NEWNET => 0x40000000, COUNT => 60,
	MAC => '02:00:00:00:00:77' };

my $guest = 'build/tests/guest/net.elf';
my @servers;

END { kill 'KILL', @servers if @servers }

# A process that sends back what it gets at @ip; its port.
sub echo {
	my ($ip) = @_;
	my $socket = IO::Socket::INET->new(Proto => 'udp', LocalAddr => $ip)
		or die "echo: $!";
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		$SIG{TERM} = 'DEFAULT';
		while (defined(my $from = $socket->recv(my $bytes, 65536))) {
			$socket->send($bytes, 0, $from);
		}
		POSIX::_exit(0);
	}
	push @servers, $pid;
	return $socket->sockport;
}

# The guest echoes with @peer by --net @net, under memory pressure, too.
sub echoes {
	my ($accel, $net, $own, $peer) = @_;
	my $port = echo($peer eq '10.0.2.2' ? '127.0.0.1' : $peer);
	# All of the guest's pages are in memory, or few.
	for my $cap ($accel eq 'kvm' ? ('24M', '3M') : '3M') {
		my $r = run($accel, 0, '-m', '24M', '--resident', $cap,
			'--timeout', 100, '--net', $net, '-p',
			"$own $peer $port " . COUNT, $guest);
		like slurp($r->{out}), qr/^all came back$/m,
			"$accel, $net, $cap: every datagram, unchanged";
		my ($d) = grep { $_->{name} eq 'net' } @{stats($r)->{devices}};
		# 2 of ARP, 2 of ICMP, 2 of each datagram: at least so many.
		cmp_ok $d->{requests}, '>=', 2 * COUNT + 4, 'packets';
		is_deeply [@$d{qw(errors needs_reset foreign_frames)}],
			[0, 0, 0], 'no errors, no frames of others';
	}
}

sub sh { system(@_) == 0 or die "@_: status $?\n" }

my @accels = accels();
echoes($_, 'user', '10.0.2.15', '10.0.2.2') for @accels;

SKIP: {
	# A tap is the host's: here one in a namespace that ends with the test.
	skip 'tap: needs root', 1 if $>;
	skip 'tap: no /dev/net/tun', 1 if !-w '/dev/net/tun';
	syscall(SYS_unshare, CLONE_NEWNET) == 0
		or skip "tap: no network namespace: $!", 1;
	sh(qw(ip tuntap add dev tap0 mode tap));
	sh(qw(ip addr add 10.99.0.1/24 dev tap0));
	sh(qw(ip link set tap0 up));
	# The guest does not answer when it is asked who it is.
	sh(qw(ip neigh add 10.99.0.2 dev tap0 nud permanent lladdr), MAC);
	echoes($_, 'tap=tap0,mac=' . MAC, '10.99.0.2', '10.99.0.1') for @accels;

	# A capsule keeps its card when its cable is cut.
	last if !grep { $_ eq 'kvm' } @accels;
	# D40: the interface goes while the guest waits for an echo.
	my $r = start('kvm', '-m', '24M', '--timeout', 100, '--net', 'tap=tap0',
		'-p', '10.99.0.2 10.99.0.1 9 1', $guest);
	ok until_true(30, sub {
		my ($status, $text) = ctl($r, 'status');
		$text =~ /net: [1-9]/ }), 'the guest sends';
	sh(qw(ip link del tap0));
	sleep 1;
	like((ctl($r, 'status'))[1], qr/running/, 'D40: the VM lives');
	ctl($r, 'stop');
	is finish($r, 30), 0, 'and can be stopped';
}

done_testing;
