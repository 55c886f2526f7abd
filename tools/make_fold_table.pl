#!/usr/bin/env perl
# Prints src/record/fold_table.inc: Unicode simple case folding (statuses C and S of CaseFolding.txt) as ranges, from the
# data of the running perl. Usage: tools/make_fold_table.pl > src/record/fold_table.inc
use strict;
use warnings;
use Unicode::UCD qw(charinfo casefold);

my @ranges;    # [first, last, stride, delta]
for my $code (0x80 .. 0x1FFFF) {
  next if $code >= 0xD800 && $code < 0xE000;
  my $fold = casefold($code) or next;
  next if $fold->{simple} eq "";    # statuses F and T alone
  my $delta = hex($fold->{simple}) - $code;
  next if $delta == 0;
  if (@ranges) {
    my $last = $ranges[-1];
    my $step = $code - $last->[1];
    my $is_single = $last->[0] == $last->[1];
    if ($delta == $last->[3] && $step <= 2 && ($is_single || $step == $last->[2])) {
      $last->[1] = $code;
      $last->[2] = $step;
      next;
    }
  }
  push @ranges, [$code, $code, 1, $delta];
}

print "// Made by tools/make_fold_table.pl from Unicode ", Unicode::UCD::UnicodeVersion(), ", perl $^V. Do not edit.\n";
print "// {first, last, stride, delta}: each stride-th code point of [first, last] folds to itself plus delta.\n";
print "// clang-format off\n";
printf "{0x%04X, 0x%04X, %d, %d},\n", @$_ for @ranges;
print "// clang-format on\n";
