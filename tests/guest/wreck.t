# SPDX-License-Identifier: MIT
# D3, D12 and D61 of docs/hostile.md: a guest gives away, or overwrites by DMA,
# its own page tables, its IDT, the code that it runs next, or all of its RAM. It
# crashes alone: the hypervisor says so, the host's kernel has nothing to say,
# and the next guest runs.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

my $guest = 'build/tests/guest/wreck.elf';
my @vm = ('-m', '16M', '--resident', '8M', '--balloon', 'size=0', '--timeout',
	60);

# What the host's kernel has said of itself since it had run for @from seconds.
sub complaints {
	my ($from) = @_;
	return grep { /^\[ *([\d.]+)\] (?:BUG:|Oops|WARNING:|general prot)/
		&& $1 > $from } `dmesg 2>&1`;
}

my ($from) = split ' ', slurp('/proc/uptime');

for my $accel (accels()) {
	for my $what (qw(tables idt code)) {
		for my $by (qw(balloon dma)) {
			my $r = run($accel, 126, @vm, '-p', "$by $what", $guest);
			like slurp($r->{out}), qr/^loses $what$/m, "$by: $what";
			is stats($r)->{guest}{exit_reason}, 'crash',
				'and the report says so';
		}
	}
	# Without code it may also go round in what zeros mean to a CPU.
	my $r = start($accel, @vm, '--timeout', 10, '-p', 'balloon all', $guest);
	like finish($r), qr/^(126|124)$/, "$accel: D12: all of RAM is given";
	my ($given) = map { $_->{pages} }
		grep { $_->{name} eq 'ballooned' } @{stats($r)->{ladder}};
	cmp_ok $given, '>', 0, 'and was taken';
	run($accel, 0, '-m', '64M', '--timeout', 60, '--', 'hello');
}

is join('', complaints($from)), '', 'the host has not complained';

done_testing;
