# SPDX-License-Identifier: MIT
# A guest nobody here wrote: Debian's Linux, on all our devices. Its network card
# cuts what it sends by TCP: frames are larger than a wire takes.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Digest::MD5 'md5_hex';
use IO::Handle;
use IO::Socket::INET;
use JSON::PP;
use List::Util 'sum';
use POSIX 'mkfifo';
use Test::More;
use Twofold;

my $program = $ENV{TWOFOLD} || 'build/twofold';
my $keys = scratch('keys');
mkfifo($keys, 0600) or die "mkfifo: $!";

# Boot with @options up to the shell's first prompt: the run, and where to type.
sub boot {
	my ($accel, @options) = @_;
	local $Twofold::stdin = $keys;
	my $r = start($accel, '-k', 'build/linux/vmlinuz', '-i',
		'build/linux/initrd.cpio.gz', '--timeout', 240, @options);
	open my $in, '>', $keys or die "$keys: $!";
	$in->autoflush;
	# The prompt, and a question about the cursor.
	ok wait_for($r, qr/# \e\[6n/, 240), "$accel: a shell's prompt"
		or diag substr(slurp($r->{out}), -2000), slurp($r->{err});
	return ($r, $in);
}

# What it says at the end, and why it ended.
sub last_words {
	my ($r, $reason) = @_;
	is finish($r), 0, "$reason: status 0"
		or diag substr(slurp($r->{out}), -2000), slurp($r->{err});
	is stats($r)->{guest}{exit_reason}, $reason, '... the reason';
	return slurp($r->{out}) =~ s/\r//gr;
}

sub small {
	my ($accel) = @_;
	my ($r, $in) = boot($accel, '-m', '256M');
	print $in 'cat /proc/cmdline; nproc; '
		. 'cat /sys/devices/system/clocksource/*/current_clocksource; '
		. "reboot -f\n";
	my $out = last_words($r, 'reboot');
	like $out, qr/^Linux version 6\.|Linux version 6\./m, 'it is Linux';
	like $out, qr/^console=ttyS0 panic=-1$/m, 'a command line if none given';
	like $out, qr/^1$/m, 'one CPU';
	like $out, qr/^kvm-clock$/m, 'its clock is KVM\'s';
}

sub sum_of { (split ' ', `$_[0] | md5sum`)[0] }

# A process that answers one request after the other at this host's loopback: a
# POST with the sum of what came, a GET with 8 MiB of @path. Its port, and it.
sub web {
	my ($path) = @_;
	my $socket = IO::Socket::INET->new(Listen => 4,
		LocalAddr => '127.0.0.1') or die "listen: $!";
	my $pid = fork // die "fork: $!";
	return ($socket->sockport, $pid) if $pid;
	$SIG{TERM} = 'DEFAULT';
	while (my $client = $socket->accept) {
		my ($head, $body) = ('', '');
		$head .= $_ while defined($_ = <$client>) && /\S/;
		read $client, $body, $1 if $head =~ /^Content-Length: (\d+)/mi;
		print $client "HTTP/1.0 200 OK\r\n\r\n",
			$head =~ /^POST/ ? md5_hex($body) . "\n" :
			substr slurp($path), 0, 8 * MIB;
	}
	POSIX::_exit(0);
}

sub bytes { sum(values %{$_[0]}) }

# The program that has most memory, found by its page tables; it sleeps.
sub attribution {
	my ($r, $in) = @_;
	my ($a, $text);
	print $in "dd if=/dev/zero bs=32M | sleep 1000 &\n";
	ok until_true(60, sub {
		(undef, $text) = ctl($r, 'attribute', '--json');
		$a = eval { decode_json($text) } or return;
		return bytes($a->{processes}[0]{own}) >= 32 * MIB;
	}), 'a process has the 32 MiB that it asked for' or diag $text;
	cmp_ok bytes($a->{processes}[0]{own}), '<', 33 * MIB,
		'... and its stack';
	is sum(map { bytes($_) } (map { $_->{own} } @{$a->{processes}}),
			@$a{qw(shared tables kernel unreachable)}),
		256 * MIB, '... every page is in one account';
	print $in "kill %1\n";
}

# Where the kernel's own tables have its text, and where it says that it is.
sub explanation {
	my ($r, $in) = @_;
	print $in "grep ' linux_banner\$' /proc/kallsyms; " .
		"grep 'Kernel rodata' /proc/iomem; echo all of it\n";
	ok wait_for($r, qr/^all of it/m), 'it tells its addresses';
	my ($gva) = slurp($r->{out}) =~ /^([0-9a-f]{16}) \w linux_banner/m;
	my ($from, $to) = slurp($r->{out}) =~
		/^ +([0-9a-f]+)-([0-9a-f]+) : Kernel rodata/m;
	my $why = `$program explain $r->{name} gva:0x$gva 2>&1`;
	my ($gpa) = $why =~ /^gpa +0x([0-9a-f]+)/m;
	ok hex $gpa >= hex $from && hex $gpa <= hex $to,
		"$gva is found at $gpa" or diag $why;
}

sub start_trace {
	my ($r, $file) = @_;
	my $pid = fork // die "fork: $!";
	return $pid if $pid;
	open STDOUT, '>', '/dev/null';
	exec $program, 'trace', 'record', $r->{name}, '-o', $file,
		'--registers';
}

# Each fault of a CPU in @file says which of the guest's addresses led there.
# That of a page which another had just brought does not (nobody waited), nor
# an asynchronous one, which a thread of KVM's waits for.
sub end_trace {
	my ($pid, $file) = @_;
	kill 'INT', $pid;
	waitpid $pid, 0;
	is $?, 0, 'it was traced';
	my @fault = grep { / stage2 .* vcpu=/ && !/ source=there/ }
		`$program trace print $file`;
	my $known = grep { / gva=0x[0-9a-f]{16} .* by=registers\+walk/ } @fault;
	cmp_ok $known, '>', 10, 'faults with an address of the guest';
	is $known, @fault, 'which is known of all';
}

# Two CPUs, every device, and more in memory than may be resident.
sub large {
	my ($accel) = @_;
	my ($disk, $bytes) = (scratch('disk.img'), scratch('bytes.img'));
	system("truncate -s 16M $disk && mke2fs -q -F $disk && "
		. "head -c 32M /dev/urandom >$bytes") == 0 or die "disks: $?";
	my ($r, $in) = boot($accel, '-m', '256M', '-c', 2, '--resident', '96M',
		'--swap', 'ram', '--balloon', 'size=16M', '--disk',
		"path=$disk", '--disk', "path=$bytes,readonly=on", '--console',
		'virtio', '--net', 'user');
	my ($port, $web) = web($bytes);
	my $url = "http://10.0.2.2:$port/";

	my $json;
	ok until_true(60, sub {
		(undef, $json) = ctl($r, 'balloon', '--json');
		my $b = eval { decode_json($json) } or return;
		return $b->{actual_mib} == 16 && $b->{available_memory} &&
			$b->{reported_pages};
	}), 'Linux gave 16 MiB, says what it has, and what is free'
		or diag $json;

	explanation($r, $in);
	attribution($r, $in);
	my $trace = scratch('linux.tft');
	my $pid = start_trace($r, $trace);
	ok until_true(60, sub { -s $trace }), 'a trace begins';
	print $in join('; ', 'nproc', 'cat /dev/vdb >/tmp/1',
		'cp /tmp/1 /tmp/2', 'cp /tmp/2 /tmp/3', 'md5sum /tmp/?',
		'mount /dev/vda /root', 'head -c 8388608 /tmp/3 >/root/file',
		'umount /root', 'head -c 64 /dev/hwrng | wc -c',
		'ip addr add 10.0.2.15/24 dev eth0', 'ip link set eth0 up',
		'seq 600000 >/tmp/4', # busybox can post text only
		"echo there \$(wget -q -O - --post-file=/tmp/4 $url)",
		'cd /sys/class/net/eth0/statistics',
		'echo sent $(cat tx_bytes tx_packets)',
		"echo back \$(wget -q -O - $url | md5sum)",
		'echo received $(cat rx_bytes rx_packets)',
		'echo all done'), "\n";
	ok wait_for($r, qr/^all done/m, 240), 'it copies, writes, reads';
	end_trace($pid, $trace);
	print $in "poweroff -f\n";
	my $out = last_words($r, 'poweroff');
	like $out, qr/^2$/m, 'two CPUs';
	my $sum = sum_of("cat $bytes");
	like $out, qr{^$sum  /tmp/$_$}m, "what was read from the disk: copy $_"
		for 1 .. 3;
	is sum_of("debugfs -R 'cat /file' $disk 2>/dev/null"),
		sum_of("head -c 8388608 $bytes"), 'and written to the other';
	like $out, qr/^64$/m, 'random bytes';
	kill 'TERM', $web;
	waitpid $web, 0;
	my $came = sum_of("head -c 8388608 $bytes");
	like $out, qr/^back $came\b/m, 'TCP: what came';
	my $went = sum_of('seq 600000');
	like $out, qr/^there $went$/m, 'and what went';
	my ($tx, $frames) = $out =~ /^sent (\d+) (\d+)$/m;
	cmp_ok +($tx || 0) / ($frames || 1), '>', 1514, 'in segments for the card to cut'
		or diag "$tx bytes, $frames frames";
	diag $1 if $out =~ /^(received \d+ \d+)$/m;
	my $s = stats($r);
	cmp_ok $s->{pages}{swapped_out}, '>', 1000, 'pages left';
	cmp_ok $s->{pages}{swapped_in}, '>', 100, 'and came back';
	cmp_ok $s->{memory}{resident_peak_bytes}, '<=', 96 * MIB, 'the cap held';
}

for my $accel (linux_accels()) {
	small($accel);
	large($accel);
}
done_testing;
