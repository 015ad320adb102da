/* SPDX-License-Identifier: MIT */
#include "vmm/pressure.h"
#include "vmm/pressure_metric.h"

static const char language[] =
	"A scenario is lines (or, on the command line, parts between "
	"semicolons) of\n"
	"  TIME WHAT ARGUMENTS [in TIER]    # and a comment\n"
	"  expect [mean|end] METRIC < NUMBER\n"
	"TIME is since the begin of the run (2s, 500ms, 1.5m); WHAT is one of\n"
	"  cap AMOUNT             the resident cap; 50% is of what it was before\n"
	"  balloon AMOUNT         the balloon; of the guest's memory\n"
	"  hog AMOUNT             memory that another process uses on this host;"
	" of\n"
	"                         what is available at the start; half of it at "
	"most\n"
	"    … over TIME          get there evenly, not at once\n"
	"    A..B sine TIME       up and down in that time, again and again\n"
	"    A..B walk TIME       a random step each TIME\n"
	"  delay fixed TIME       each call to a tier of swap takes longer: also\n"
	"    exponential TIME (on average), pareto TIME SHAPE (at least),\n"
	"    bimodal TIME SLOW SHARE% (so many are slow), none\n"
	"  errors SHARE%          of the pages that are stored or loaded fail\n"
	"  full on|off            a tier takes no more pages\n"
	"  stall on|off           a tier does not answer, for 30 s at most\n"
	"  pause, resume          the VM (a swap error pauses it, too)\n"
	"  wait METRIC > NUMBER within TIME    (or <) until it is so, or the run "
	"fails;\n"
	"                         what follows is later by that\n"
	"  end                    of the run; else when the last line is done\n"
	"An expectation (also with >) is of every moment, of the whole run's "
	"mean, or of\n"
	"its end. The run's result is whether all of them came true.\n";

void pressure_help(FILE *to)
{
	fprintf(to, "%s\nMetrics:\n", language);
	for (unsigned m = 0; m < METRICS; m++)
		fprintf(to, "  %-18s %s\n", metric_name[m].name,
			metric_name[m].about);
}
