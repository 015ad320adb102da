# SPDX-License-Identifier: MIT
# Debian with 128 MiB of the 512 that it believes to have compiles a program,
# has it write 300 MB, sorts and checksums them. By hand, or by `make
# debian-test`: it takes minutes.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Debian;
use Test::More;

use constant LINES => 5_300_000;

for my $accel (debian_accels()) {
	my $d = boot($accel, 1, 'uart');
	off($d, work($d, LINES));
}
done_testing;
