# SPDX-License-Identifier: MIT
# Bad input: one line that says what to do, status 125, nothing else.
use strict;
use warnings;
use lib 'tests/guest/lib';
use POSIX 'mkfifo';
use Test::More;
use Twofold;

my $elf = 'build/guest/sample.elf';

# Run @words through the shell prefix @how; expect 125 and one line like @want.
sub refused {
	my ($what, $want, $how, @words) = @_;
	my $err = scratch('refused.err');
	my $out = `$how $program @words 2>$err </dev/null`;
	my $text = slurp($err);
	is $? >> 8, 125, "$what: status";
	like $text, $want, "$what: says why";
	is(($text =~ tr/\n//), 1, "$what: in one line") or diag $text;
	is $out, '', "$what: prints nothing else";
}

sub file {
	my ($name, $bytes) = @_;
	open my $f, '>:raw', scratch($name);
	print $f $bytes;
	close $f;
	return scratch($name);
}

my $good = slurp($elf);

# The good image with @bytes at @offset.
sub patched {
	my ($name, $offset, $bytes) = @_;
	my $image = $good;
	substr($image, $offset, length $bytes) = $bytes;
	return file($name, $image);
}

my $phoff = unpack 'Q<', substr $good, 32, 8;
my $phnum = unpack 'S<', substr $good, 56, 2;
my ($load) = grep { unpack('L<', substr $good, $phoff + 56 * $_, 4) == 1 }
	0 .. $phnum - 1;
my $p_paddr = $phoff + 56 * $load + 24;
my $p_memsz = $phoff + 56 * $load + 40;

mkfifo(scratch('fifo'), 0600);
my $run = 'run --accel kvm';

refused 'no such file', qr/nonesuch/, '', "$run nonesuch";
refused 'empty file', qr/empty|short|ELF/i, '', $run, file('empty', '');
refused 'directory', qr/regular|directory/i, '', $run, '/';
refused 'FIFO', qr/regular/i, 'timeout 5', $run, scratch('fifo');
refused 'segment outside RAM', qr/guest memory/, '', $run,
	patched('outside', $p_paddr, pack('Q<', 1 << 40));
refused 'segment that wraps', qr/RAM|wrap/i, '', $run,
	patched('wraps', $p_memsz, pack('Q<', ~0));
refused 'segment in low memory', qr/RAM|MiB/, '', $run,
	patched('low', $p_paddr, pack('Q<', 0x1000));

# As many segments as are taken, and the initrd behind them: the image is fine,
# but its code is UD2 and it has no handler, so that the guest crashes. (The
# header lies in the first page of the file, a page for each segment follows.)
sub segmented {
	my ($n) = @_;
	my $note = pack 'L<3 a4 L<', 4, 4, 18, 'Xen', 0x200000;
	my $notes_at = 64 + 56 * ($n + 1);
	my $program = pack 'L<2 Q<6', 4, 4, $notes_at, 0, 0, length $note,
		length $note, 4;
	$program .= pack 'L<2 Q<6', 1, 7, 4096 * $_, (0x1ff000 + 4096 * $_) x 2,
		4096, 4096, 4096 for 1 .. $n;
	my $header = pack 'a4 C3 x9 S<2 L< Q<3 L< S<6', "\x7fELF", 2, 1, 1, 2,
		62, 1, 0x200000, 64, 0, 0, 64, 56, $n + 1, 0, 0, 0;
	return file("segments$n", pack('a4096',
		$header . $program . $note) . "\x0f\x0b" x (2048 * $n));
}
SKIP: {
	skip 'no /dev/kvm', 2 if !-w '/dev/kvm';
	my $image = segmented(16);
	my $out = `$program $run -k $image -i $elf 2>&1 </dev/null`;
	is $? >> 8, 126, '16 segments and an initrd are taken' or diag $out;
	like $out, qr/^twofold: guest crashed: [^\n]*\n\z/, 'no more is said';
}
refused '17 segments', qr/more than 16/, '', $run, segmented(17);

# From here on it is not the image that is wrong.
$run .= " -k $elf";
refused '-m 0', qr/memory/i, '', "$run -m 0";
refused '-m 1P', qr/memory/i, '', "$run -m 1P";
refused 'resident below the floor', qr/resident/, '', "$run --resident 1M";
refused 'unknown option', qr/--frobnicate/, '', "$run --frobnicate";
refused 'no swap directory', qr/nonesuch/, '', "$run --swap file=/nonesuch";
refused 'no such disk', qr/disk \/nonesuch: No such file/, '',
	"$run --disk path=/nonesuch";
refused 'a disk of no sectors', qr/no whole number of sectors/, '',
	"$run --disk path=" . file('odd', 'x' x 700);
refused 'a FIFO as disk', qr/neither a file nor/, 'timeout 5',
	"$run --disk path=" . scratch('fifo');
open my $used, '+<', file('used', "\0" x 4096);
my $lock = pack 's s x4 q q l x4', 1, 0, 0, 0, 0; # F_WRLCK, on all of it
fcntl $used, 37, $lock or die; # F_OFD_SETLK
refused 'a disk that another VM has', qr/another VM is using it/, '',
	"$run --disk path=" . scratch('used');
refused 'no such tap', qr/tap nonesuch: there is none/, '',
	"$run --net tap=nonesuch";
refused 'swap larger than a file may be', qr/swap .*too large/i,
	'ulimit -f 99999;', "$run --swap file=/var/tmp,size=128M";
refused 'no room for swap', qr/room|space/, '',
	"$run --swap file=/dev/shm,size=900T";
refused 'unwritable stats', qr/stats/, '', "$run --stats /nonesuch/s.json";

# Truncated at every offset of its first 4 KiB: one process each would take
# minutes; the unit test does them all in one. Here a few, as a user sees it.
refused "truncated at $_", qr/cut/, '', "run --accel kvm",
	file('cut', substr $good, 0, $_)
	for 1, 63, 64, 500, 4095;

SKIP: {
	skip 'mount namespaces need root', 1 if $>;
	refused '/dev/kvm missing', qr/capsule|kvm_intel|virtuali/,
		q(unshare -m sh -c 'mount -t tmpfs none /dev && exec "$@"' --),
		$run;
	refused 'userfaultfd forbidden',
		qr{/dev/userfaultfd.*vm\.unprivileged_userfaultfd},
		'tests/guest/forbid', $run;
	my $home = scratch('locked');
	mkdir $home, 0500;
	my $nobody = 'setpriv --reuid=65534 --clear-groups --inh-caps=-all';
	refused '/dev/kvm forbidden', qr/group kvm|permission/i, $nobody, $run;
	refused 'unwritable swap directory', qr/denied|locked|writable/i,
		'setpriv --bounding-set=-dac_override --inh-caps=-dac_override',
		"$run --swap file=$home";
}

done_testing;
