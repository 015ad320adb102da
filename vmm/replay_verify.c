/* SPDX-License-Identifier: MIT */
/*
 * A run's evictions follow from what its policy was told, and in which order:
 * nothing else, no clock and no chance, decides who leaves. A trace from the
 * start of a run has all of that. Here it is told once more, to a new policy of
 * the same name; each answer must be the one that was given then, and who was
 * evicted must have been given up before, and not touched since.
 */
#include <err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ept/policy.h"
#include "vmm/dense.h"
#include "vmm/replay.h"
#include "vmm/trace_file.h"

struct verify {
	const struct trace_file *t;
	const char *path;
	struct policy *policy;
	uint8_t *resident; /* [frames], as it knows */
	struct dense pages; /* by gpa, numbered as they come */
	uint8_t *gone; /* by page: given up or taken away, and not back */
	size_t room;
	uint64_t frames, decisions, evictions;
	const char *name; /* of the last policy */
};

static int differs(const struct verify *v, const struct trace_record *r,
		   const char *what)
{
	warnx("replay: %s: differs at %.6f s, gpa %#" PRIx64 ": %s", v->path,
	      trace_file_us(v->t, r->tsc) / 1e6, r->decision.gpa, what);
	return 1;
}

static int start_policy(struct verify *v, const struct trace_record *r)
{
	const struct policy_ops *ops;
	char name[sizeof(r->decision.name) + 1] = "";

	memcpy(name, r->decision.name, sizeof(r->decision.name));
	ops = policy_find(name);
	if (!ops)
		return differs(v, r, "there is no such policy");
	policy_destroy(v->policy);
	free(v->resident);
	v->frames = r->decision.value;
	v->resident = calloc(v->frames, 1);
	v->policy = policy_create(ops, v->frames, v->frames ? v->frames : 1);
	v->name = ops->name;
	if (!v->policy || !v->resident)
		errx(1, "replay: no memory");
	return 0;
}

/* The page's mark, where it can be changed. */
static uint8_t *gone(struct verify *v, uint64_t gpa)
{
	uint32_t page;

	if (!dense_number(&v->pages, gpa, &page))
		errx(1, "replay: no memory");
	if (page >= v->room) {
		size_t room = 2 * v->room + 4096;

		v->gone = realloc(v->gone, room);
		if (!v->gone)
			errx(1, "replay: no memory");
		memset(v->gone + v->room, 0, room - v->room);
		v->room = room;
	}
	return &v->gone[page];
}

static int choose(struct verify *v, const struct trace_record *r)
{
	frame_t f;

	v->decisions++;
	if (!v->policy->ops->choose(v->policy, NULL, &f))
		return differs(v, r, "the policy gives up nothing now");
	if (f.v != r->decision.frame)
		return differs(v, r, "the policy gives up another page now");
	v->resident[f.v] = 0;
	*gone(v, r->decision.gpa) = 1;
	return 0;
}

/* A policy would not survive being told what cannot be. */
static bool makes_sense(const struct verify *v, const struct trace_record *r)
{
	uint64_t f = r->decision.frame;

	if (!v->policy || f >= v->frames)
		return false;
	if (r->fault == DECISION_CAPACITY)
		return r->decision.value > 0;
	if (r->fault == DECISION_INSERT)
		return !v->resident[f];
	return r->fault != DECISION_TOUCH || v->resident[f];
}

static int decide(struct verify *v, const struct trace_record *r)
{
	frame_t f = { r->decision.frame };
	struct policy *p = v->policy;

	if (r->fault == DECISION_POLICY)
		return start_policy(v, r);
	if (!makes_sense(v, r))
		return differs(v, r, "the file is damaged");
	switch (r->fault) {
	case DECISION_CAPACITY:
		p->capacity = r->decision.value;
		return 0;
	case DECISION_INSERT:
		p->ops->refer(p, f);
		v->resident[f.v] = 1;
		*gone(v, r->decision.gpa) = 0;
		return 0;
	case DECISION_TOUCH:
		p->ops->refer(p, f);
		return 0;
	case DECISION_REMOVE:
		p->ops->remove(p, f);
		v->resident[f.v] = 0;
		*gone(v, r->decision.gpa) = 1;
		return 0;
	case DECISION_CHOOSE:
		return choose(v, r);
	default:
		return differs(v, r, "the file is damaged");
	}
}

/* A page left: it, or the frame of 2 MiB that it is in, was given up. */
static int evict(struct verify *v, const struct trace_record *r)
{
	uint64_t large = r->stage2.gpa & ~((UINT64_C(1) << 21) - 1);

	v->evictions++;
	if (*gone(v, r->stage2.gpa) || *gone(v, large))
		return 0;
	warnx("replay: %s: gpa %#" PRIx64 " was evicted, and the policy had "
	      "not given it up",
	      v->path, r->stage2.gpa);
	return 1;
}

/* Both lists, by time. */
static int follow(struct verify *v)
{
	const struct trace_file *t = v->t;
	size_t d = 0, i = 0;
	int status = 0;

	while (!status && (d < t->decisions || i < t->records)) {
		bool decision = d < t->decisions &&
				(i == t->records ||
				 t->decision[d]->tsc <= t->record[i]->tsc);

		if (decision)
			status = decide(v, t->decision[d++]);
		else if (t->record[i++]->kind == TRACE_EVICT)
			status = evict(v, t->record[i - 1]);
	}
	return status;
}

static int verify(struct verify *v)
{
	int status;

	if (!v->t->decisions) {
		warnx("replay: %s: it has no decisions: want what run --trace "
		      "wrote",
		      v->path);
		return 2;
	}
	if (!dense_init(&v->pages))
		errx(1, "replay: no memory");
	status = follow(v);
	if (!status)
		printf("%s: %" PRIu64 " decisions of %s: the same order, the "
		       "same answers; %" PRIu64 " evictions follow from them\n",
		       v->path, v->decisions, v->name, v->evictions);
	dense_free(&v->pages);
	free(v->gone);
	free(v->resident);
	policy_destroy(v->policy);
	return status;
}

int replay_verify(const char *path)
{
	struct trace_file t;
	struct verify v = { .t = &t, .path = path };
	const char *wrong = trace_file_read(&t, path);
	int status = 1;

	if (wrong)
		warnx("replay: %s: %s", path, wrong);
	else if (t.rest)
		warnx("replay: %s: it is cut short", path);
	else
		status = verify(&v);
	trace_file_free(&t);
	return status;
}
