# SPDX-License-Identifier: MIT
# A flat binary, loaded and told of its machine by multiboot, with a module;
# and one below 1 MiB, which gets its interrupt in real mode.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

my $module = scratch('module');
open my $f, '>', $module or die "$module: $!";
print $f 'module';
close $f;

for my $accel (accels()) {
	run($accel, 0, '-m', '64M', '-k', 'build/tests/guest/flat.bin', '-i',
		$module, '-p', 'text');
	run($accel, 5, '-m', '64M', '-k', 'build/tests/guest/flat.bin', '-i',
		$module); # it does look
	run($accel, 0, '-m', '64M', '--kut', '-k', 'build/tests/guest/low.bin');
}
done_testing;
