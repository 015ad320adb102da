/* SPDX-License-Identifier: MIT */
/* A line becomes words, and its second word says who reads the rest. */
#include "vmm/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/scenario_deed.h"
#include "vmm/scenario_value.h"

static void split(struct line *l, char *text)
{
	char *rest = NULL;

	*l = (struct line){ .words = 0 };
	for (char *w = strtok_r(text, " \t\r", &rest); w;
	     w = strtok_r(NULL, " \t\r", &rest)) {
		size_t len = strlen(l->text);

		if (l->words < LINE_WORDS)
			l->word[l->words] = w;
		l->words++;
		snprintf(l->text + len, sizeof(l->text) - len, "%s%s",
			 len ? " " : "", w);
	}
}

/* When all that @s says is done. */
static int64_t last_ms(const struct scenario *s)
{
	int64_t last = 0;

	for (unsigned i = 0; i < s->events; i++) {
		const struct event *e = &s->event[i];
		int64_t ms = e->at_ms;

		if (e->deed == DEED_MOVE && e->move.shape == MOVE_RAMP)
			ms += e->move.ms;
		last = ms > last ? ms : last;
	}
	return last;
}

static bool add_event(struct scenario *s, struct line *l, struct complaint *why)
{
	struct event *e = &s->event[s->events];

	if (s->events == SCENARIO_EVENTS)
		return complaint_set(why, "more than %d of them",
				     SCENARIO_EVENTS);
	*e = (struct event){ .deed = DEED_END };
	snprintf(e->text, sizeof(e->text), "%s",
		 l->text + strcspn(l->text, " ") + (l->words > 1));
	if (!value_ms(line_word(l, 0), &e->at_ms))
		return complaint_set(why, "'%.40s' is no time, as in 2s",
				     line_word(l, 0));
	if (s->events && s->event[s->events - 1].at_ms > e->at_ms)
		return complaint_set(why,
				     "'%s' is late: the line before "
				     "happens after it",
				     l->text);
	if (s->end_ms)
		return complaint_set(why, "'%s' is after the end", l->text);
	if (!deed_read(e, l, why))
		return false;
	if (e->deed == DEED_END)
		s->end_ms = e->at_ms;
	else
		s->events++;
	return true;
}

static bool add_expectation(struct scenario *s, const struct line *l,
			    struct complaint *why)
{
	struct expectation *e = &s->expect[s->expects];
	unsigned at = line_is(l, 1, "mean") || line_is(l, 1, "end") ? 2 : 1;

	if (s->expects == SCENARIO_EXPECTS)
		return complaint_set(why, "more than %d expectations",
				     SCENARIO_EXPECTS);
	*e = (struct expectation){ .when = EXPECT_ALWAYS };
	if (at == 2)
		e->when = line_is(l, 1, "mean") ? EXPECT_MEAN : EXPECT_END;
	snprintf(e->text, sizeof(e->text), "%s", l->text + strlen("expect "));
	if (l->words == at + 3 &&
	    value_bound(line_word(l, at), line_word(l, at + 1),
			line_word(l, at + 2), &e->bound)) {
		s->expects++;
		return true;
	}
	return complaint_set(why,
			     "'%s': want expect [mean|end] METRIC < "
			     "NUMBER; --help names the metrics",
			     l->text);
}

/* @text is one line, or a part of one, without its comment. */
static bool add_line(struct scenario *s, char *text, struct complaint *why)
{
	struct line l;

	split(&l, text);
	if (!l.words)
		return true;
	if (line_is(&l, 0, "expect"))
		return add_expectation(s, &l, why);
	return add_event(s, &l, why);
}

static void take_comment(struct scenario *s, char *line)
{
	char *hash = strchr(line, '#');

	if (!hash)
		return;
	*hash++ = '\0';
	if (!s->about[0])
		snprintf(s->about, sizeof(s->about), "%s",
			 hash + strspn(hash, " #"));
}

static bool add_lines(struct scenario *s, char *text, struct complaint *why)
{
	struct complaint what;
	unsigned n = 0;

	for (char *line; (line = strsep(&text, "\n"));) {
		n++;
		take_comment(s, line);
		for (char *part; (part = strsep(&line, ";"));)
			if (!add_line(s, part, &what))
				return complaint_set(why, "line %u: %s", n,
						     what.text);
	}
	return true;
}

bool scenario_parse(struct scenario *s, const char *text, struct complaint *why)
{
	char *copy = strdup(text);
	bool ok;

	*s = (struct scenario){ .events = 0 };
	if (!copy)
		return complaint_set(why, "no memory");
	ok = add_lines(s, copy, why);
	free(copy);
	if (!ok)
		return false;
	if (!s->end_ms)
		s->end_ms = last_ms(s);
	return s->end_ms > 0 || complaint_set(why, "it ends as it begins: say "
						   "when, as in 10s end");
}
