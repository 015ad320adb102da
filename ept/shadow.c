/* SPDX-License-Identifier: MIT */
/* A shadow is a replay (ept/replay.h) that is fed while things happen. */
#include "ept/shadow.h"

#include <errno.h>

#include "ept/replay.h"

struct shadow {
	struct sample sample;
	uint64_t references;
	unsigned policies;
	struct replay replay[SHADOW_POLICIES];
};

/* At least one frame, however small the sample. */
static uint64_t scaled(const struct shadow *s, uint64_t capacity)
{
	uint64_t n = sample_scaled(&s->sample, capacity);

	return n ? n : 1;
}

int shadow_create(struct shadow **out, const struct shadow_config *c)
{
	struct shadow *s = calloc(1, sizeof(*s));
	int r = 0;

	if (!s)
		return -ENOMEM;
	s->sample = sample_of(c->frames, c->sampling);
	for (unsigned i = 0; c->policies[i] && !r; i++) {
		r = -EINVAL;
		if (i < SHADOW_POLICIES)
			r = replay_init(&s->replay[i], c->policies[i],
					s->sample.below,
					scaled(s, c->capacity));
		s->policies += !r;
	}
	if (r)
		shadow_destroy(s);
	else
		*out = s;
	return r;
}

void shadow_destroy(struct shadow *s)
{
	for (unsigned i = 0; i < s->policies; i++)
		replay_destroy(&s->replay[i]);
	free(s);
}

bool shadow_sampled(const struct shadow *s, frame_t f)
{
	frame_t number;

	return sample_has(&s->sample, f, &number);
}

void shadow_reference(struct shadow *s, frame_t f)
{
	frame_t number;

	if (!sample_has(&s->sample, f, &number))
		return;
	s->references++;
	for (unsigned i = 0; i < s->policies; i++)
		replay_reference(&s->replay[i], number);
}

void shadow_forget(struct shadow *s, frame_t f)
{
	frame_t number;

	if (!sample_has(&s->sample, f, &number))
		return;
	for (unsigned i = 0; i < s->policies; i++)
		replay_forget(&s->replay[i], number);
}

void shadow_resize(struct shadow *s, uint64_t capacity)
{
	for (unsigned i = 0; i < s->policies; i++)
		replay_resize(&s->replay[i], scaled(s, capacity));
}

void shadow_report(const struct shadow *s, struct shadow_report *r)
{
	*r = (struct shadow_report){
		.frames = s->sample.frames,
		.sampled = s->sample.sampled,
		.references = sample_estimate(&s->sample, s->references),
		.policies = s->policies,
	};
	for (unsigned i = 0; i < s->policies; i++)
		r->policy[i] = (struct shadow_policy){
			.name = s->replay[i].policy->ops->name,
			.misses = sample_estimate(&s->sample,
						  s->replay[i].misses),
		};
}
