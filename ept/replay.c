/* SPDX-License-Identifier: MIT */
#include "ept/replay.h"

#include <assert.h>
#include <errno.h>

int replay_init(struct replay *r, const struct policy_ops *ops, uint64_t frames,
		uint64_t capacity)
{
	*r = (struct replay){ .policy = policy_create(ops, frames, capacity) };
	if (!r->policy)
		return -ENOMEM;
	if (frame_set_init(&r->resident, frames))
		return 0;
	policy_destroy(r->policy);
	return -ENOMEM;
}

void replay_destroy(struct replay *r)
{
	policy_destroy(r->policy);
	frame_set_free(&r->resident);
}

/* Leave room for @more frames. */
static void make_room(struct replay *r, uint64_t more, const frame_t *coming)
{
	frame_t victim;

	while (r->used + more > r->policy->capacity &&
	       r->policy->ops->choose(r->policy, coming, &victim)) {
		assert(frame_set_has(&r->resident, victim));
		frame_set_remove(&r->resident, victim);
		r->used--;
	}
}

static void reference(struct replay *r, const struct policy_ops *ops, frame_t f)
{
	r->references++;
	if (frame_set_has(&r->resident, f)) {
		ops->refer(r->policy, f);
		return;
	}
	r->misses++;
	make_room(r, 1, &f);
	ops->refer(r->policy, f);
	frame_set_add(&r->resident, f);
	r->used++;
}

void replay_reference(struct replay *r, frame_t f)
{
	reference(r, r->policy->ops, f);
}

void replay_run(struct replay *r, const uint32_t *frame, size_t n)
{
	for (size_t i = 0; i < n; i++)
		reference(r, r->policy->ops, (frame_t){ frame[i] });
}

void replay_forget(struct replay *r, frame_t f)
{
	r->policy->ops->remove(r->policy, f);
	if (frame_set_has(&r->resident, f)) {
		frame_set_remove(&r->resident, f);
		r->used--;
	}
}

void replay_resize(struct replay *r, uint64_t capacity)
{
	r->policy->capacity = capacity;
	make_room(r, 0, NULL);
}
