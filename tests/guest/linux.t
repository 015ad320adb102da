# SPDX-License-Identifier: MIT
# A guest nobody here wrote: Debian's Linux, on all our devices.
use strict;
use warnings;
use lib 'tests/guest/lib';
use IO::Handle;
use JSON::PP;
use POSIX 'mkfifo';
use Test::More;
use Twofold;

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

# Checksums of what is generated alike here and there.
sub job {
	return map { 'seq 1 2000000' . ($_ ? " | sed s/\$/$_/" : '') } 0 .. 3;
}

sub large {
	my ($accel) = @_;
	my $disk = scratch('disk.img');
	system("truncate -s 16M $disk && mke2fs -q -F $disk") == 0
		or die "mke2fs: $?";
	my ($r, $in) = boot($accel, '-m', '256M', '-c', 2, '--resident', '96M',
		'--swap', 'ram', '--balloon', 'size=16M', '--disk',
		"path=$disk", '--console', 'virtio');

	my ($status, $json);
	ok until_true(60, sub {
		($status, $json) = ctl($r, 'balloon', '--json');
		my $b = eval { decode_json($json) } or return;
		return ($b->{actual_mib} // 0) == 16
			&& $b->{stats}{available_memory};
	}), 'Linux gave 16 MiB, and says what it has' or diag $json;

	my @job = job();
	my $n = 0;
	print $in join('; ', 'nproc', (map { $n++; "$_ >/tmp/$n" } @job),
		'md5sum /tmp/?', 'mount /dev/vda /root', 'cp /tmp/4 /root/four',
		'umount /root', 'dd if=/dev/hwrng bs=64 count=1 2>/dev/null | wc -c',
		'echo left $?', 'poweroff -f'), "\n";
	my $out = last_words($r, 'poweroff');
	like $out, qr/^2$/m, 'two CPUs';
	$n = 0;
	for (@job) {
		my $sum = (split ' ', `$_ | md5sum`)[0];
		$n++;
		like $out, qr{^$sum  /tmp/$n$}m, "the sum of $_";
		is((split ' ', `debugfs -R 'cat /four' $disk 2>/dev/null | md5sum`)[0],
			$sum, '... and of the file on the disk') if $n == @job;
	}
	like $out, qr/^64$/m, 'random bytes';
	my $s = stats($r);
	cmp_ok $s->{pages}{swapped_out}, '>', 1000, 'pages left';
	cmp_ok $s->{pages}{swapped_in}, '>', 100, 'and came back';
	cmp_ok $s->{memory}{resident_peak_bytes}, '<=', 96 * MIB, 'the cap held';
}

for my $accel (accels()) {
	if ($accel eq 'kvm' && -e '/sys/module/kvm_pvm') {
		SKIP: {
			skip 'kvm: kvm_pvm emulates ring 0, and not all that '
				. 'Linux needs', 1;
		}
		next;
	}
	small($accel);
	large($accel);
}
done_testing;
