# SPDX-License-Identifier: MIT
# The balloon while a guest verifies its memory: half of all RAM given, which is
# gone from the host, and taken back; then what is free by hints.
# --balloon auto: two guests in one control group that is too small for what
# both hold. The idle one gives what it no longer uses, and no byte of the busy
# one is wrong.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Fcntl;
use POSIX 'mkfifo';
use Test::More;
use Time::HiRes 'time';
use Twofold;

my @balloon = ('--balloon', 'auto,free_page_reporting=off');

# A memory control group of our own below ours, of version 1 or 2: its folder,
# or why there is none.
sub make_group {
	my ($bytes) = @_;
	my $own = slurp('/proc/self/cgroup');
	my ($folder, $file) = $own =~ /^\d+:memory:(.*)$/m
		? ("/sys/fs/cgroup/memory$1", 'memory.limit_in_bytes')
		: $own =~ /^0::(.*)$/m ? ("/sys/fs/cgroup$1", 'memory.max')
		: return (undef, 'no control groups');
	my $group = "$folder/twofold-test-$$";
	mkdir $group or return (undef, "mkdir $group: $!");
	return $group if put("$group/$file", $bytes);
	rmdir $group;
	return (undef, "no memory control in $folder");
}

sub put {
	my ($path, $text) = @_;
	sysopen my $f, $path, O_WRONLY or return 0;
	return defined syswrite $f, "$text\n";
}

sub balloon { ctl_json(shift, 'balloon') }

# What guest RAM holds, MiB: as twofold says, and on kvm from outside, as the
# memfd's blocks and as the process's Rss.
sub held {
	my ($r, $accel) = @_;
	my @held = grep { defined } status($r)->{memory}{resident_bytes};
	return map { $_ / MIB } @held if $accel ne 'kvm';
	my ($fd) = grep { (readlink || '') =~ /memfd:guest-ram/ }
		glob "/proc/$r->{pid}/fd/*";
	my ($rss) = slurp("/proc/$r->{pid}/status") =~ /^RssShmem:\s+(\d+)/m;
	return map { $_ / MIB } @held, (stat $fd)[12] * 512, $rss * 1024;
}

sub passes {
	my ($r) = @_;
	my $n = () = slurp($r->{out}) =~ /^verify: pass/mg;
	return $n;
}

# It goes on and finds nothing wrong.
sub verifies {
	my ($r, $when) = @_;
	my $n = passes($r) + 2;
	ok until_true(120, sub { passes($r) >= $n }), "it verifies $when"
		or diag slurp($r->{out});
	unlike slurp($r->{out}), qr/mismatch|killed/, 'and nothing is wrong';
}

sub test_half {
	my ($accel) = @_;
	my $r = start($accel, '-m', '48M', '--balloon', 'size=0', '--',
		'shell', '-c', 'verify --size 34M --passes 1; ' .
		'verify --size 8M --passes 1000000');
	ok wait_for($r, qr/verify: ok, 8704 pages/, 120),
		"$accel: nearly all of RAM was used" or diag slurp($r->{out});
	verifies($r, 'a part');
	my @before = held($r, $accel);
	is scalar @before, $accel eq 'kvm' ? 3 : 1, 'measured';

	is((ctl($r, 'balloon', '24M'))[0], 0, 'half of RAM is asked for');
	my $asked = time;
	ok until_true(60, sub { balloon($r)->{actual_pages} == 6144 }),
		'and given';
	diag sprintf '%s: %.2f s', $accel, time - $asked;
	my @after = held($r, $accel);
	for my $i (0 .. $#before) {
		cmp_ok $after[$i], '<=', 25, "$before[$i] MiB: half is gone";
		cmp_ok $before[$i] - $after[$i], '>=', 12, 'that was there';
	}
	verifies($r, 'with half of RAM');
	my $b = balloon($r);
	is_deeply [grep { !exists $b->{$_} } qw(swap_in swap_out major_faults
		minor_faults free_memory total_memory available_memory
		disk_caches oom_kill)],
		[], 'the guest tells all that it knows of itself';

	ctl($r, 'balloon', '0');
	ok until_true(60, sub { balloon($r)->{actual_pages} == 0 }),
		'taken back';
	verifies($r, 'with all of it');
	is((ctl($r, 'balloon', 'hints'))[0], 0, 'hints are asked for');
	ok until_true(60, sub { balloon($r)->{hinted_pages} >= 2048 }),
		'and come';
	verifies($r, 'with what is free given up');
	cmp_ok balloon($r)->{discarded_pages}, '>', $b->{discarded_pages},
		'bytes are gone with them';
	ctl($r, 'stop');
	finish($r, 60);
}

# Both in @group: one has written much and forgotten it, the other verifies.
sub test_two {
	my ($accel, $group) = @_;
	my $typed = scratch('typed');
	mkfifo $typed, 0600 or die "mkfifo: $!";
	sysopen my $keys, $typed, O_RDWR or die "$typed: $!";
	$Twofold::stdin = $typed;
	my $idle = start($accel, '-m', '64M', @balloon, '--', 'shell');
	$Twofold::stdin = '/dev/null';
	ok put("$group/cgroup.procs", $idle->{pid}), 'the idle one';
	ok wait_for($idle, qr/\$ /), 'listens';
	syswrite $keys, "verify --size 40M --passes 1\r";
	ok wait_for($idle, qr/verify: ok, 10240 pages/, 300), 'has used 40 MiB';
	is balloon($idle)->{actual_pages}, 0, 'and gives none yet';

	my $busy = start($accel, '-m', '64M', @balloon, '--', 'verify',
		'--size', '48M', '--passes', 40);
	ok put("$group/cgroup.procs", $busy->{pid}), 'the busy one';
	my $most = 0;
	ok until_true(300, sub {
		$most = balloon($idle)->{discarded_pages} // 0;
		$most > 1024;
	}), 'the idle one gives 4 MiB' or diag "$most pages";
	my ($code, $text) = ctl($idle, 'balloon', '2M');
	isnt $code, 0, 'nobody else may say how much';
	like $text, qr/sizes itself/, 'in one line';
	is finish($busy), 0, 'the busy one finds every byte'
		or diag slurp($busy->{out});
	ok until_true(120, sub {
		my $b = balloon($idle);
		($b->{deflated_pages} // 0) > 0 &&
			$b->{actual_pages} < $b->{inflated_pages};
	}), 'then it comes back';
	syswrite $keys, "exit 3\r";
	is finish($idle), 3, 'and lives';
}

for my $accel (accels()) {
	test_half($accel);
	my ($group, $lack) = $accel eq 'kvm' ? make_group(100 * MIB)
		: (undef, 'has a host of its own');
	if ($group) {
		test_two($accel, $group);
		ok rmdir $group, 'the group is empty';
	} else {
		SKIP: { skip "$accel: two guests: $lack", 1 }
	}
	run($accel, 0, '-m', '64M', @balloon, '--', 'verify', '--size', '40M');
}

done_testing;
