/* SPDX-License-Identifier: MIT */
/* What one may ask of a running stage 2, and have it do. */
#include <errno.h>

#include "ept/deadline.h"
#include "ept/decide.h"
#include "ept/state.h"

static void add_waits(struct placement_report *r, const struct spin *spin)
{
	uint64_t now = atomic_load(&spin->budget);

	r->spin.most = spin->most;
	r->spin.now = r->spin.now > now ? r->spin.now : now;
	r->spin.polled += atomic_load(&spin->polled);
	r->spin.blocked += atomic_load(&spin->blocked);
}

struct placement_report stage2_placement(struct stage2 *s)
{
	struct placement_report r;

	pthread_mutex_lock(&s->lock);
	while (s->config.paging && !s->faults.calibrated)
		pthread_cond_wait(&s->calibrated, &s->lock);
	r = s->faults.placement;
	for (unsigned i = 0; i < s->faults.servers; i++)
		add_waits(&r, &s->faults.server[i].spin);
	pthread_mutex_unlock(&s->lock);
	return r;
}

void stage2_enter_vcpu(struct stage2 *s)
{
	struct placement_report r = stage2_placement(s);

	if (s->config.paging && r.choice == PLACE_SAME_CPU)
		placement_pin(r.cpu);
	pthread_mutex_lock(&s->lock);
	observe_vcpu(&s->observer);
	pthread_mutex_unlock(&s->lock);
}

/* Pages that the cap allows: no more than there are. */
static uint64_t cap_of(const struct stage2 *s)
{
	return s->limit < s->pages ? s->limit : s->ram;
}

void stage2_set_limit(struct stage2 *s, uint64_t pages)
{
	struct trace_record r = { .kind = TRACE_CAP };

	pthread_mutex_lock(&s->lock);
	r.tsc = trace_now();
	r.cap.before = cap_of(s);
	s->limit = limit_of(s, pages);
	r.cap.after = cap_of(s);
	if (r.cap.after != r.cap.before)
		trace_emit(s->trace, &r);
	frames_share(s);
	if (s->sampler.shadow)
		shadow_resize(s->sampler.shadow, s->limit);
	pthread_cond_signal(&s->work);
	pthread_cond_broadcast(&s->freed);
	pthread_mutex_unlock(&s->lock);
}

bool stage2_wait_limit(struct stage2 *s, unsigned timeout_ms)
{
	struct timespec until = deadline_in(timeout_ms);
	int r = 0;

	pthread_mutex_lock(&s->lock);
	while (frames_used(s) > s->limit && !s->stopping && !r)
		r = pthread_cond_timedwait(&s->freed, &s->lock, &until);
	r = frames_used(s) > s->limit;
	pthread_mutex_unlock(&s->lock);
	return !r;
}

struct pte stage2_entry(struct stage2 *s, gfn_t g)
{
	struct pte e;

	pthread_mutex_lock(&s->lock);
	e = ept_lookup(&s->ept, g);
	pthread_mutex_unlock(&s->lock);
	return e;
}

void counters_read(struct stage2 *s, struct stage2_counters *c)
{
	*c = s->count;
	c->limit = cap_of(s);
	c->resident = frames_used(s);
	c->pages = s->ram;
	c->peak_bytes = atomic_load(&s->peak_bytes);
}

void stage2_counters(struct stage2 *s, struct stage2_counters *c)
{
	frames_measure(s);
	pthread_mutex_lock(&s->lock);
	counters_read(s, c);
	pthread_mutex_unlock(&s->lock);
}

void stage2_latency(struct stage2 *s, struct histogram *h)
{
	pthread_mutex_lock(&s->lock);
	*h = s->latency;
	pthread_mutex_unlock(&s->lock);
}

const char *stage2_policy(struct stage2 *s)
{
	const char *name;

	pthread_mutex_lock(&s->lock);
	name = s->policy->ops->name;
	pthread_mutex_unlock(&s->lock);
	return name;
}

int stage2_set_policy(struct stage2 *s, const struct policy_ops *policy)
{
	struct policy *next = policy_create(policy, s->backing.frames, 1);
	struct policy *old;
	frame_t f;

	if (!next)
		return -ENOMEM;
	pthread_mutex_lock(&s->lock);
	old = s->policy;
	decide_policy(s, next);
	decide_capacity(s, old->capacity);
	while (old->ops->choose(old, NULL, &f))
		decide_insert(s, f);
	pthread_mutex_unlock(&s->lock);
	policy_destroy(old);
	return 0;
}

uint64_t stage2_shared_bytes(struct stage2 *s)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < s->config.regions; i++)
		if (s->config.share[i])
			bytes +=
				share_object_bytes(&s->config.share[i]->object);
	return bytes;
}

uint64_t stage2_measured_bytes(struct stage2 *s)
{
	return backing_bytes(&s->backing);
}
