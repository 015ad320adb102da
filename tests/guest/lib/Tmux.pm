# SPDX-License-Identifier: MIT
#
# A terminal that a test types at and reads: a tmux server of the test's own.

package Tmux;
use strict;
use warnings;
use POSIX ();
use Twofold qw(scratch until_true);

# Killed, a test ends its servers, too.
$SIG{TERM} = $SIG{INT} = sub { exit 1 };

my $n = 0;

# A terminal of @columns by @rows in which a shell runs @command, and then says
# how it ended.
sub new {
	my ($class, $columns, $rows, $command) = @_;
	my $self = bless { socket => scratch('tmux' . $n++) }, $class;
	open my $config, '>', "$self->{socket}.conf" or die;
	print $config "set -g status off\n",
		"set -g default-terminal screen-256color\n",
		"set -sg escape-time 0\n";
	close $config;
	$self->tmux('-f', "$self->{socket}.conf", 'new-session', '-d',
		'-x', $columns, '-y', $rows,
		"$command; printf '\\n[exit %d]\\n' \$?; exec sleep 1000");
	return $self;
}

# The server outlives this call: of what we have open it gets nothing.
sub tmux {
	my ($self, @words) = @_;
	my $pid = open(my $f, '-|') // die "fork: $!";
	if (!$pid) {
		POSIX::close($_) for 3 .. 63;
		exec 'tmux', '-S', $self->{socket}, @words or
			POSIX::_exit(127);
	}
	local $/;
	my $out = <$f> // '';
	close $f;
	return $out;
}

# Type @keys, by tmux's names; text as it is.
sub type {
	my ($self, @keys) = @_;
	$self->tmux('send-keys', $_) for @keys;
}

sub text {
	my ($self, @how) = @_;
	return $self->tmux('capture-pane', '-p', @how);
}

# Wait until the screen matches; what it shows then.
sub shows {
	my ($self, $pattern, $timeout) = @_;
	my $seen = '';
	until_true($timeout || 60, sub {
		($seen = $self->text) =~ $pattern;
	});
	return $seen;
}

sub resize {
	my ($self, $columns, $rows) = @_;
	$self->tmux('resize-window', '-x', $columns, '-y', $rows);
}

# The exit status of the command, once it has ended.
sub status {
	my ($self) = @_;
	return $self->shows(qr/^\[exit \d+\]$/m) =~ /^\[exit (\d+)\]$/m
		? $1 : 'running';
}

sub DESTROY {
	my ($self) = @_;
	local $?;
	$self->tmux('kill-server');
}

1;
