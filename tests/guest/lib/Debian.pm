# SPDX-License-Identifier: MIT
#
# Debian on a disk (make debian-image), with a quarter of the memory that it
# believes to have: up to a shell on its console, what is typed there, work for
# it, and its end.

package Debian;
use strict;
use warnings;
use Exporter 'import';
use IO::Handle;
use IO::Socket::INET;
use POSIX 'mkfifo';
use Test::More;
use Time::HiRes 'time';
use Twofold;

our @EXPORT = qw(debian_accels boot type peer work off sum_of sh TTY);

use constant { SIZE => 512, CAP => 128, # MiB
	TTY => { uart => 'ttyS0', virtio => 'hvc0' } };

my $source = 'tests/guest/linux/lines.c';
my $lines = scratch('lines'); # made of it, for this host

sub sh { system(@_) == 0 or die "@_: status $?\n" }
sub sum_of { (split ' ', `$_[0] | md5sum`)[0] }

sub debian_accels {
	plan skip_all => 'no build/linux/root.img: make debian-image'
		if !-e 'build/linux/root.img';
	sh('cc', '-O2', '-o', $lines, $source);
	return linux_accels();
}

# A process, and the port of this host's loopback at which it has one client:
# who gets the file @path, or, with @how '>', makes it.
sub peer {
	my ($how, $path) = @_;
	my $socket = IO::Socket::INET->new(Listen => 1,
		LocalAddr => '127.0.0.1') or die "listen: $!";
	my $pid = fork // die "fork: $!";
	return ($socket->sockport, $pid) if $pid;
	my $client = $socket->accept;
	open my $f, $how, $path or die "$path: $!";
	my ($from, $to) = $how eq '<' ? ($f, $client) : ($client, $f);
	local $/;
	print {$to} readline $from;
	close $to;
	POSIX::_exit(0);
}

# Have the guest's shell do @line: what it said. It must end well.
sub type {
	my ($d, $line, $timeout) = @_;
	my ($r, $in) = @$d{qw(run in)};
	my ($from, $began, $n) = (-s $r->{out}, time, ++$d->{typed});
	print $in "$line; echo =$n= \$?\n";
	wait_for($r, qr/=$n= \d+\r\n/, $timeout || 60);
	my $text = substr(slurp($r->{out}), $from) =~ s/\r//gr;
	my ($said, $status) = $text =~ /(.*?)=$n= (\d+)\n/s;
	die "$line: no answer: $text", slurp($r->{err}) if !defined $status;
	is $status, 0, $line or diag $text;
	diag sprintf '%.1f s: %s', time - $began, $line;
	return $said;
}

# Up to a shell that echoes and prompts nothing; none is on the other console,
# for both end here.
sub boot {
	my ($accel, $cpus, $console) = @_;
	my ($other) = grep { $_ ne TTY->{$console} } values %{+TTY};
	my ($disk, $keys) = map { scratch($_) } qw(root.img keys);
	sh('cp', '--sparse=always', 'build/linux/root.img', $disk);
	-p $keys or mkfifo($keys, 0600) or die "mkfifo: $!";
	local $Twofold::stdin = $keys;
	my $r = start($accel, '-m', SIZE . 'M', '-c', $cpus, '--resident',
		CAP . 'M', qw(--swap ram --balloon size=0 --net user), '--disk',
		"path=$disk", qw(-k build/linux/vmlinuz -i),
		'build/linux/initrd.cpio.gz', '--timeout', 9000, '--console',
		$console, '-p', "console=@{[TTY->{$console}]} root=/dev/vda "
		. "quiet systemd.mask=serial-getty\@$other.service "
		# On a busy machine, too.
		. 'systemd.default_device_timeout_sec=900 '
		. 'systemd.default_timeout_start_sec=900');
	open my $in, '>', $keys or die "$keys: $!";
	$in->autoflush;
	my $d = { run => $r, in => $in, disk => $disk };
	ok wait_for($r, qr/root\@guest:~# /, 900), "$accel, $cpus CPUs, " .
		"console $console: a shell's prompt"
		or diag substr(slurp($r->{out}), -2000), slurp($r->{err});
	diag sprintf '%.1f s to it', time - $r->{began};
	type($d, 'stty -echo; PS1=; bind "set enable-bracketed-paste off"');
	type($d, 'until ip -4 addr show dev eth0 | grep -q inet; ' .
		'do sleep 1; done');
	return $d;
}

# The same as this host does with @count lines, with the same results: the sum
# of the sorted ones.
sub work {
	my ($d, $count) = @_;
	my ($port) = peer('<', $source);
	type($d, "cat </dev/tcp/10.0.2.2/$port >lines.c");
	type($d, 'gcc -O2 -o lines lines.c', 600);
	type($d, "./lines $count >text", 3600);
	my $sum = sum_of("$lines $count");
	like type($d, 'md5sum text', 3600), qr/^$sum /,
		'what it compiled works';
	type($d, 'LC_ALL=C sort -T . -o sorted text', 3600);
	$sum = sum_of("$lines $count | LC_ALL=C sort");
	like type($d, 'md5sum sorted', 3600), qr/^$sum /, 'and is sorted';
	return $sum;
}

# It is switched off, with the file `sorted` on its disk.
sub off {
	my ($d, $sorted) = @_;
	my $r = $d->{run};
	print {$d->{in}} "poweroff\n";
	is finish($r, 300), 0, 'poweroff: status 0'
		or diag substr(slurp($r->{out}), -2000), slurp($r->{err});
	my $s = stats($r);
	is $s->{guest}{exit_reason}, 'poweroff', 'its reason';
	cmp_ok $s->{memory}{resident_peak_bytes}, '<=', CAP * MIB, 'the cap';
	cmp_ok $s->{pages}{swapped_out}, '>', CAP * MIB / 4096 / 4,
		'it swapped';
	is_deeply [grep { $_->{errors} || $_->{needs_reset} }
		@{$s->{devices}}], [], 'no device met an error';
	diag sprintf '%.0f s, %.1f MiB resident at most, %d faults, %d pages '
		. 'out, %d in, %.0f us a fault, %.1f s waited',
		$s->{wall_us} / 1e6, $s->{memory}{resident_peak_bytes} / MIB,
		$s->{faults}{missing} + $s->{faults}{minor},
		@{$s->{pages}}{qw(swapped_out swapped_in)},
		$s->{faults}{latency_us}{p50},
		$s->{pressure}{some}{total_us} / 1e6;
	is system("e2fsck -fn $d->{disk} >/dev/null 2>&1"), 0,
		'a clean file system';
	is sum_of("debugfs -R 'cat /root/sorted' $d->{disk} 2>/dev/null"),
		$sorted, 'and the file is on it';
}

1;
