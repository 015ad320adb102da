/* SPDX-License-Identifier: MIT */
#include "vmm/scenario_deed.h"

#include "vmm/scenario_value.h"

/* "AMOUNT", "AMOUNT over TIME", "A..B sine|walk TIME". */
static bool read_move(struct event *e, const struct line *l)
{
	struct move *m = &e->move;

	e->deed = DEED_MOVE;
	if (l->words == 3)
		return value_amount(line_word(l, 2), &m->low);
	if (l->words != 5 || !value_ms(line_word(l, 4), &m->ms) || m->ms < 1)
		return false;
	if (line_is(l, 3, "over")) {
		m->shape = MOVE_RAMP;
		return value_amount(line_word(l, 2), &m->low);
	}
	m->shape = line_is(l, 3, "sine") ? MOVE_SINE : MOVE_WALK;
	return (line_is(l, 3, "sine") || line_is(l, 3, "walk")) &&
	       value_range(line_word(l, 2), &m->low, &m->high);
}

static bool read_cap(struct event *e, const struct line *l)
{
	e->dial = DIAL_CAP;
	return read_move(e, l);
}

static bool read_balloon(struct event *e, const struct line *l)
{
	e->dial = DIAL_BALLOON;
	return read_move(e, l);
}

static bool read_hog(struct event *e, const struct line *l)
{
	e->dial = DIAL_HOG;
	return read_move(e, l);
}

static bool read_delay(struct event *e, const struct line *l)
{
	static const unsigned words[INJECT_DELAYS] = {
		[INJECT_NONE] = 3,    [INJECT_FIXED] = 4,
		[INJECT_PARETO] = 5,  [INJECT_EXPONENTIAL] = 4,
		[INJECT_BIMODAL] = 6,
	};
	struct injection *i = &e->injection;
	int kind = 0;

	e->deed = DEED_DELAY;
	while (kind < INJECT_DELAYS && !line_is(l, 2, inject_delay_name[kind]))
		kind++;
	if (kind == INJECT_DELAYS || l->words != words[kind])
		return false;
	i->delay = (enum inject_delay)kind;
	if (kind != INJECT_NONE && !value_us(line_word(l, 3), &i->delay_us))
		return false;
	if (kind == INJECT_PARETO && !value_number(line_word(l, 4), &i->shape))
		return false;
	return (kind != INJECT_BIMODAL ||
		(value_us(line_word(l, 4), &i->slow_us) &&
		 value_share(line_word(l, 5), &i->slow_share))) &&
	       !injection_check(i);
}

static bool read_errors(struct event *e, const struct line *l)
{
	e->deed = DEED_ERRORS;
	return l->words == 3 &&
	       value_share(line_word(l, 2), &e->injection.error_rate);
}

static bool read_switch(const struct line *l, bool *on)
{
	*on = line_is(l, 2, "on");
	return l->words == 3 && (*on || line_is(l, 2, "off"));
}

static bool read_full(struct event *e, const struct line *l)
{
	e->deed = DEED_FULL;
	return read_switch(l, &e->injection.full);
}

static bool read_stall(struct event *e, const struct line *l)
{
	e->deed = DEED_STALL;
	return read_switch(l, &e->injection.stall);
}

static bool read_pause(struct event *e, const struct line *l)
{
	e->deed = DEED_PAUSE;
	return l->words == 2;
}

static bool read_resume(struct event *e, const struct line *l)
{
	e->deed = DEED_RESUME;
	return l->words == 2;
}

static bool read_wait(struct event *e, const struct line *l)
{
	e->deed = DEED_WAIT;
	return l->words == 7 &&
	       value_bound(line_word(l, 2), line_word(l, 3), line_word(l, 4),
			   &e->bound) &&
	       line_is(l, 5, "within") &&
	       value_ms(line_word(l, 6), &e->within_ms);
}

static bool read_end(struct event *e, const struct line *l)
{
	e->deed = DEED_END;
	return l->words == 2;
}

static const struct {
	const char *name;
	bool (*read)(struct event *e, const struct line *l);
	const char *want;
	bool tiered; /* may be for one tier */
} deeds[] = {
	{ "cap", read_cap, "cap 64M, or cap 20%..80% sine 4s", false },
	{ "balloon", read_balloon, "balloon 32M, or balloon 20% over 5s",
	  false },
	{ "hog", read_hog, "hog 1G, or hog 25% over 5s", false },
	{ "delay", read_delay,
	  "delay none, fixed 2ms, exponential 2ms, pareto 1ms 1.5 or "
	  "bimodal 1ms 20ms 5%",
	  true },
	{ "errors", read_errors, "errors 1%", true },
	{ "full", read_full, "full on or full off", true },
	{ "stall", read_stall, "stall on or stall off", true },
	{ "pause", read_pause, "pause", false },
	{ "resume", read_resume, "resume", false },
	{ "wait", read_wait, "wait METRIC > NUMBER within 60s", false },
	{ "end", read_end, "end", false },
};

#define DEEDS (sizeof(deeds) / sizeof(deeds[0]))

/* "… in TIER" goes from the line into @tier. */
static bool take_tier(struct line *l, char tier[16])
{
	if (l->words < 5 || l->words > LINE_WORDS ||
	    strcmp(line_word(l, l->words - 2), "in"))
		return true;
	if (strlen(line_word(l, l->words - 1)) > 15)
		return false;
	strcpy(tier, line_word(l, l->words - 1));
	l->words -= 2;
	return true;
}

bool deed_read(struct event *e, struct line *l, struct complaint *why)
{
	size_t d = 0;

	while (d < DEEDS && !line_is(l, 1, deeds[d].name))
		d++;
	if (d == DEEDS)
		return complaint_set(why,
				     "'%.40s' is nothing to do: cap, "
				     "balloon, hog, delay, errors, full, "
				     "stall, pause, resume, wait or end",
				     line_word(l, 1));
	if ((!deeds[d].tiered || take_tier(l, e->tier)) && deeds[d].read(e, l))
		return true;
	return complaint_set(why, "'%s': want %s", l->text, deeds[d].want);
}
