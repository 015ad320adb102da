/* SPDX-License-Identifier: MIT */
#include "devices/balloon_hints.h"

#include "devices/virtio_balloon.h"

static void say(struct hints *h, struct virtio *v, uint32_t id)
{
	h->host = id;
	h->heard = false;
	virtio_config_set(v, offsetof(struct balloon_config, hint_cmd_id), &id,
			  sizeof(id));
}

/* Where use cannot be seen no hint can be taken: no round begins. */
void hints_begin(struct hints *h, struct virtio *v)
{
	if (!guest_hints_begin(v->host.memory))
		return;
	h->last = h->last < HINTS_DONE || h->last == UINT32_MAX ? HINTS_DONE + 1
								: h->last + 1;
	say(h, v, h->last);
}

/* A STOP that belongs to an earlier round ends no later one. */
void hints_hear(struct hints *h, struct virtio *v, uint32_t id)
{
	const bool ends = h->heard && id != h->host;

	h->guest = id;
	h->heard = h->host > HINTS_DONE && id == h->host;
	if (!ends)
		return;
	guest_hints_end(v->host.memory);
	say(h, v, HINTS_DONE);
}

void hints_reset(struct hints *h, struct virtio *v)
{
	guest_hints_end(v->host.memory);
	h->guest = HINTS_STOP;
	say(h, v, HINTS_STOP);
}
