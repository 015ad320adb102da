# SPDX-License-Identifier: MIT
#
# A plain SVG of panels side by side: lines over a few named places.

package Plot;
use strict;
use warnings;

use constant { WIDTH => 440, LEFT => 50, BOTTOM => 250, HEIGHT => 200 };

sub text {
	my ($x, $y, $anchor, $text) = @_;
	return qq(<text x="$x" y="$y" text-anchor="$anchor">$text</text>\n);
}

sub path {
	my ($d, $colour, $width) = @_;
	return qq(<path d="$d" stroke="$colour" stroke-width="$width"/>\n);
}

# The next of 1, 2, 5, 10, ... that is @value or more.
sub round_up {
	my ($value) = @_;
	my $unit = 10 ** int(log($value) / log(10) - ($value < 1));
	for (1, 2, 5, 10) {
		return $_ * $unit if $_ * $unit >= $value;
	}
}

# @$lines: [label, colour, values, one a place; undef: none].
sub panel {
	my ($left, $title, $places, $lines) = @_;
	my ($most) = sort { $b <=> $a } map { grep { defined } @{$_->[2]} }
		@$lines;
	my $top = round_up($most);
	my $x = sub { $left + 20 + 80 * $_[0] };
	my $y = sub { sprintf '%.1f', BOTTOM - HEIGHT * $_[0] / $top };
	my $out = text($left, 24, 'start', $title);
	for my $value (map { $top * $_ / 4 } 0 .. 4) {
		$out .= path("M$left " . $y->($value) . 'h360', '#ddd', 1);
		$out .= text($left - 6, $y->($value) + 4, 'end', $value);
	}
	$out .= text($x->($_), BOTTOM + 20, 'middle', $places->[$_])
		for 0 .. $#$places;
	my $row = BOTTOM + 42;
	for my $line (@$lines) {
		my ($label, $colour, $values) = @$line;
		my @there = grep { defined $values->[$_] } 0 .. $#$places;
		my @points = map { $x->($_) . ',' . $y->($values->[$_]) }
			@there;
		$out .= qq(<polyline points="@points" fill="none" )
			. qq(stroke="$colour" stroke-width="2"/>\n);
		$out .= path("M$left ${row}h20", $colour, 2);
		$out .= text($left + 26, $row + 4, 'start', $label);
		$row += 16;
	}
	return $out;
}

# @panels: [title, lines]; all have the same @$places.
sub draw {
	my ($file, $places, @panels) = @_;
	my $width = WIDTH * @panels;
	open my $f, '>', $file or die "bench: $file: $!\n";
	print $f qq(<svg xmlns="http://www.w3.org/2000/svg" width="$width" )
		. qq(height="350" font-family="sans-serif" font-size="12">\n)
		. qq(<rect width="$width" height="350" fill="white"/>\n);
	print $f panel(LEFT + WIDTH * $_, $panels[$_][0], $places,
		$panels[$_][1]) for 0 .. $#panels;
	print $f "</svg>\n";
	close $f;
}

1;
