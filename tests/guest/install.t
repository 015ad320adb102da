# SPDX-License-Identifier: MIT
# What `make install` puts where: a program that runs from there, man pages
# that troff has nothing to say against, completion that bash can use.
use strict;
use warnings;
use lib 'tests/guest/lib';
use Test::More;
use Twofold;

my $root = scratch('root');
my $twofold = "$root/usr/bin/twofold";

# What completes the last of @words, in bash.
sub completed {
	my (@words) = @_;
	my $n = $#words;
	open my $f, '>', scratch('complete') or die;
	print $f ". $root/usr/share/bash-completion/completions/twofold\n",
		'COMP_WORDS=(', join(' ', map { "'$_'" } @words), ")\n",
		"COMP_CWORD=$n; _twofold; printf '%s\\n' \"\${COMPREPLY[\@]}\"\n";
	close $f;
	my @words_there = `bash @{[scratch('complete')]} 2>&1`;
	chomp @words_there;
	return [grep { $_ ne '' } @words_there];
}

my $said = `make -s install DESTDIR=$root PREFIX=/usr 2>&1`;
is $?, 0, 'make install' or diag $said;
my @commands = map { /^  (\w+) / } `$twofold --help`;
cmp_ok scalar @commands, '>', 5, 'it runs and lists its commands';

for my $page ('twofold', map { "twofold-$_" } @commands) {
	my $path = "$root/usr/share/man/man1/$page.1";
	ok -s $path, "$page.1";
	is `groff -k -man -Tutf8 -ww -z $path 2>&1`, '', 'is good troff';
}
# One source: every option of --help is in the page, and the reverse.
my $page = `groff -k -man -Tascii -P-cbou $root/usr/share/man/man1/twofold-run.1`;
my @help = map { /^ +(?:-\w, )?(--[a-z-]+)/ } `$twofold run --help`;
my @paged = $page =~ /^ +(?:-\w, )?(--[a-z-]+)/mg;
cmp_ok scalar @help, '>', 20, 'run has options';
is_deeply \@paged, \@help, 'which its page has, too';

is_deeply completed('twofold', 'wa'), ['walk'], 'a command';
is_deeply completed('twofold', 'run', '--pol'), ['--policy'], 'an option';
is_deeply completed('twofold', 'run', '--policy', 's'), ['s3fifo', 'sieve'],
	'a policy';
is_deeply completed('twofold', 'run', '--accel', '=', 'k'), ['kvm'],
	'behind an equals sign';
is_deeply completed(qw(twofold trace export x.tft --format c)),
	['csv', 'chrome'], 'an option of a verb';
is_deeply completed('twofold', 'run', '-m', ''), [], 'a size is not guessed';
is_deeply completed('twofold', 'run', '--trace', 'tests/guest/install'),
	['tests/guest/install.t'], 'a file';
mkdir "$root/twofold";
{
	local $ENV{XDG_RUNTIME_DIR} = $root;
	is_deeply completed('twofold', 'ctl', 'v'), [], 'no VM';
	open my $socket, '>', "$root/twofold/vm1.sock";
	is_deeply completed('twofold', 'ctl', 'v'), ['vm1'], 'a VM';
}
is_deeply completed('twofold', 'ctl', 'vm1', 'pa'), ['pause'], 'a verb';

is `$twofold pressure --list`, `build/twofold pressure --list`,
	'the installed program has all scenarios';
for my $accel (accels()) {
	is system("$twofold run --accel $accel -- hello >/dev/null"), 0,
		"$accel: the installed program runs its own guest";
}

done_testing;
