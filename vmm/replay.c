/* SPDX-License-Identifier: MIT */
/*
 * `twofold replay`: what every policy, and OPT, would have missed on the
 * references that a file holds.
 */
#include "vmm/replay.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "ept/opt.h"
#include "ept/replay.h"

#define MAX_POLICIES 16
#define MAX_SIZES    256

struct order {
	const char *trace;
	unsigned policies, sizes;
	const struct policy_ops *policy[MAX_POLICIES]; /* NULL: OPT */
	uint64_t frames[MAX_SIZES];
	const struct replay_format *format;
};

static bool add_policy(struct order *o, const struct policy_ops *ops)
{
	if (o->policies == MAX_POLICIES)
		return false;
	o->policy[o->policies++] = ops;
	return true;
}

/* Every policy, the yardstick last. */
static void add_all(struct order *o)
{
	for (unsigned i = 0; policies[i]; i++)
		add_policy(o, policies[i]);
	add_policy(o, NULL);
}

static bool unknown_policy(const char *name, struct complaint *why)
{
	char names[128] = "";

	for (unsigned i = 0; policies[i]; i++) {
		size_t used = strlen(names);

		snprintf(names + used, sizeof(names) - used, "%s ",
			 policies[i]->name);
	}
	return complaint_set(why, "--policy '%.40s': want all, or of %sopt",
			     name, names);
}

static bool take_policies(struct order *o, char *list, struct complaint *why)
{
	o->policies = 0;
	if (!strcmp(list, "all")) {
		add_all(o);
		return true;
	}
	for (char *name; (name = strsep(&list, ","));) {
		const struct policy_ops *ops = policy_find(name);

		if (!ops && strcmp(name, "opt"))
			return unknown_policy(name, why);
		if (!add_policy(o, ops))
			return complaint_set(why, "more than %d policies",
					     MAX_POLICIES);
	}
	return true;
}

static bool take_frames(struct order *o, char *list, struct complaint *why)
{
	o->sizes = 0;
	for (char *text; (text = strsep(&list, ","));) {
		if (o->sizes == MAX_SIZES)
			return complaint_set(why, "more than %d sizes",
					     MAX_SIZES);
		if (!number_parse(text, &o->frames[o->sizes]) ||
		    !o->frames[o->sizes])
			return complaint_set(why,
					     "--frames '%.40s': want a number "
					     "of frames, 1 or more",
					     text);
		o->sizes++;
	}
	return true;
}

static bool take_format(struct order *o, char *name, struct complaint *why)
{
	for (o->format = replay_formats; o->format->name; o->format++)
		if (!strcmp(o->format->name, name))
			return true;
	return complaint_set(why, "--format '%.40s': want table, csv or json",
			     name);
}

static const struct {
	const char *name;
	bool (*take)(struct order *o, char *value, struct complaint *why);
} takers[] = {
	{ "--policy", take_policies },
	{ "--frames", take_frames },
	{ "--format", take_format },
};

/* @take gets a copy of @value that it may cut up. */
static bool take_value(struct order *o, const char *value, const char *option,
		       bool (*take)(struct order *o, char *value,
				    struct complaint *why),
		       struct complaint *why)
{
	char *copy;
	bool good;

	if (!value)
		return complaint_set(why, "%s needs a value", option);
	copy = strdup(value);
	if (!copy)
		return complaint_set(why, "no memory");
	good = take(o, copy, why);
	free(copy);
	return good;
}

/* Word argv[*i], and the next one where it is an option's value. */
static bool take_word(struct order *o, char **argv, int *i,
		      struct complaint *why)
{
	char *word = argv[*i];

	for (size_t t = 0; t < sizeof(takers) / sizeof(takers[0]); t++) {
		size_t len = strlen(takers[t].name);

		if (strncmp(word, takers[t].name, len) == 0 &&
		    (!word[len] || word[len] == '='))
			return take_value(
				o, word[len] ? word + len + 1 : argv[++*i],
				takers[t].name, takers[t].take, why);
	}
	if (word[0] == '-' && word[1])
		return complaint_set(why, "unknown option '%.40s'", word);
	if (o->trace)
		return complaint_set(why, "unexpected '%.80s'", word);
	o->trace = word;
	return true;
}

static bool take_words(struct order *o, int argc, char **argv,
		       struct complaint *why)
{
	*o = (struct order){ .format = replay_formats };
	add_all(o);
	for (int i = 0; i < argc; i++)
		if (!take_word(o, argv, &i, why))
			return false;
	if (!o->trace)
		return complaint_set(why, "a TRACE is needed; `twofold replay "
					  "--help` says more");
	return o->sizes || complaint_set(why, "--frames N is needed: how many "
					      "frames of memory there are");
}

/* Which part of all references a trace of twofold holds. */
static void tell_coverage(const char *path, const struct references *r)
{
	char kind[128];

	if (!r->is_trace)
		return;
	if (r->refs_ms)
		snprintf(kind, sizeof(kind),
			 "dense: each stands for all references to its page "
			 "within %u ms",
			 r->refs_ms);
	else
		snprintf(kind, sizeof(kind),
			 "faults only: references to mapped pages are not in "
			 "it");
	warnx("replay: %s: %s; %zu references in %.3f s, to %u of the %llu "
	      "pages mapped (%.1f%%)",
	      path, kind, r->n, r->seconds, r->pages.count,
	      (unsigned long long)r->mapped,
	      100.0 * r->pages.count / (double)r->mapped);
}

static uint64_t misses(const struct references *r, struct opt *opt,
		       const struct policy_ops *ops, uint64_t frames)
{
	uint64_t pages = r->pages.count, n;
	struct replay replay;

	/* More frames than pages change nothing. */
	if (frames > pages)
		frames = pages;
	if (!ops)
		return opt_misses(opt, frames);
	if (replay_init(&replay, ops, pages, frames))
		errx(1, "replay: no memory");
	replay_run(&replay, r->page, r->n);
	n = replay.misses;
	replay_destroy(&replay);
	return n;
}

/* For each number of frames, every policy. */
static void replay_all(const struct order *o, const struct references *r,
		       struct replay_report *p)
{
	struct opt *opt = NULL;

	for (unsigned i = 0; i < o->policies && !opt; i++)
		if (!o->policy[i] &&
		    opt_create(&opt, r->page, r->n, r->pages.count))
			errx(1, "replay: no memory to look ahead for opt");
	for (unsigned s = 0; s < o->sizes; s++)
		for (unsigned i = 0; i < o->policies; i++)
			p->result[p->n++] = (struct replay_result){
				.policy = o->policy[i] ? o->policy[i]->name
						       : "opt",
				.frames = o->frames[s],
				.misses = misses(r, opt, o->policy[i],
						 o->frames[s]),
			};
	if (opt)
		opt_destroy(opt);
}

static int replay(const struct order *o)
{
	static struct replay_result result[MAX_POLICIES * MAX_SIZES];
	struct replay_report report = { .trace = o->trace, .result = result };
	struct complaint why;
	struct references r;
	int status = references_read(&r, o->trace, &why);

	if (status) {
		warnx("replay: %s", why.text);
	} else {
		tell_coverage(o->trace, &r);
		report.references = &r;
		replay_all(o, &r, &report);
		o->format->print(&report, stdout);
		if (fflush(stdout) || ferror(stdout))
			err(1, "replay: standard output");
	}
	references_free(&r);
	return status;
}

int cmd_replay(int argc, char **argv)
{
	struct complaint why;
	struct order o;

	if (argc == 2 && !strcmp(argv[0], "--verify"))
		return replay_verify(argv[1]);
	if (!take_words(&o, argc, argv, &why)) {
		warnx("replay: %s", why.text);
		return 2;
	}
	return replay(&o);
}
