# SPDX-License-Identifier: MIT
# B19 of docs/hostile.md: a guest that crashes is reported as one: status 126 and
# a line that says where; and one that is killed by its own kernel is none.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

# The sample guest with @bytes where it starts.
sub image_starting_with {
	my ($name, $bytes) = @_;
	my $elf = slurp('build/guest/sample.elf');
	my ($entry) = $elf =~ /\x04\0\0\0\x08\0\0\0\x12\0\0\0Xen\0(.{8})/s;
	my ($phoff, $phnum) = (unpack('Q<', substr $elf, 32, 8),
		unpack('S<', substr $elf, 56, 2));
	for my $i (0 .. $phnum - 1) {
		my ($type, undef, $offset, undef, $at, $size) = unpack
			'L<L<Q<Q<Q<Q<', substr $elf, $phoff + 56 * $i, 40;
		my $into = unpack('Q<', $entry) - $at;
		next if $type != 1 || $into < 0 || $into >= $size;
		substr($elf, $offset + $into, length $bytes) = $bytes;
	}
	open my $f, '>:raw', scratch($name) or die;
	print $f $elf;
	close $f;
	return scratch($name);
}

for my $accel (accels()) {
	my $r = run($accel, 126, '--timeout', 60,
		image_starting_with('ud2', "\x0f\x0b"));
	like slurp($r->{err}), qr/guest crashed: .* rip 0x[0-9a-f]+/,
		'the report says where';
	is stats($r)->{guest}{exit_reason}, 'crash', 'exit_reason';

	$r = run($accel, 11, '--', 'poke', 'write', '0');
	like slurp($r->{out}), qr/killed: write to nothing at 0x0/,
		'the kernel survives its program';
	is stats($r)->{guest}{exit_code}, 11, 'exit_code';
}

done_testing;
