/* SPDX-License-Identifier: MIT */
/*
 * Mattson's stack (Mattson, Gecsei, Slutz and Traiger, IBM Systems Journal
 * 1970). Theory: keep the pages in the order of their last references. The
 * depth at which a reference finds its page is the least number of frames with
 * which LRU would have hit; a histogram of depths is the curve of all sizes.
 *
 * We ask for a few sizes only, so the exact depth is not needed: the stack is
 * cut into a segment between each two sizes (as in Zhou and others, ASPLOS
 * 2004), and a frame knows its segment. A frame that is referenced goes to the
 * top; each segment that it crossed hands its last frame down to the next.
 *
 *     top  [ a b c d | e f g h | i j k l ]  bottom      reference to j:
 *          [ j a b c | d e f g | h i k l ]              depth in segment 2
 */
#include "ept/mrc.h"

#include <errno.h>
#include <stdlib.h>

#include "ept/ring.h"

#define NOWHERE MRC_POINTS /* the segment of a frame not seen yet */

struct mrc {
	struct sample sample;
	uint64_t references, first;
	uint64_t hits[MRC_POINTS]; /* in each segment */
	uint64_t room[MRC_POINTS], count[MRC_POINTS]; /* frames of each */
	/* Segment i's head is i, sampled frame n is MRC_POINTS + n. */
	struct rings rings;
	uint8_t *segment; /* of each sampled frame */
};

static uint64_t frames_at(const struct mrc *m, unsigned point)
{
	return m->sample.frames * (point + 1) / MRC_POINTS;
}

/* Segments, of the sample, up to each point. */
static void lay_out(struct mrc *m)
{
	uint64_t before = 0;

	for (uint32_t i = 0; i < MRC_POINTS; i++) {
		uint64_t here = sample_scaled(&m->sample, frames_at(m, i));

		m->room[i] = here - before;
		before = here;
	}
	for (uint64_t n = 0; n < m->sample.below; n++)
		m->segment[n] = NOWHERE;
}

int mrc_create(struct mrc **out, const struct mrc_config *c)
{
	struct mrc *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->sample = sample_of(c->frames, c->sampling);
	m->segment = malloc(m->sample.below);
	if (!m->segment ||
	    !rings_init(&m->rings, MRC_POINTS + m->sample.below, MRC_POINTS)) {
		mrc_destroy(m);
		return -ENOMEM;
	}
	lay_out(m);
	*out = m;
	return 0;
}

void mrc_destroy(struct mrc *m)
{
	rings_free(&m->rings);
	free(m->segment);
	free(m);
}

static void put_first(struct mrc *m, uint8_t segment, uint64_t number)
{
	ring_add_first(&m->rings, segment, MRC_POINTS + (uint32_t)number);
	m->segment[number] = segment;
	m->count[segment]++;
}

static void take_out(struct mrc *m, uint64_t number)
{
	ring_remove(&m->rings, MRC_POINTS + (uint32_t)number);
	m->count[m->segment[number]]--;
	m->segment[number] = NOWHERE;
}

/* Its last frame goes down from every segment that is too full. All room
 * together is for the whole sample: the last segment never is. */
static void settle(struct mrc *m)
{
	for (uint8_t i = 0; m->count[i] > m->room[i]; i++) {
		uint64_t last = ring_prev(&m->rings, i) - MRC_POINTS;

		take_out(m, last);
		put_first(m, i + 1, last);
	}
}

bool mrc_sampled(const struct mrc *m, frame_t f)
{
	frame_t number;

	return sample_has(&m->sample, f, &number);
}

void mrc_reference(struct mrc *m, frame_t f)
{
	frame_t number;

	if (!sample_has(&m->sample, f, &number))
		return;
	m->references++;
	if (m->segment[number.v] == NOWHERE) {
		m->first++;
	} else {
		m->hits[m->segment[number.v]]++;
		take_out(m, number.v);
	}
	put_first(m, 0, number.v);
	settle(m);
}

/* The segments below get what room it leaves only as they are pushed down to:
 * LRU with a discarded page has a free frame as well. */
void mrc_forget(struct mrc *m, frame_t f)
{
	frame_t number;

	if (sample_has(&m->sample, f, &number) &&
	    m->segment[number.v] != NOWHERE)
		take_out(m, number.v);
}

void mrc_report(const struct mrc *m, struct mrc_report *r)
{
	uint64_t misses = m->references;

	*r = (struct mrc_report){
		.references = sample_estimate(&m->sample, m->references),
		.first = sample_estimate(&m->sample, m->first),
	};
	for (unsigned i = 0; i < MRC_POINTS; i++) {
		misses -= m->hits[i];
		r->point[i] = (struct mrc_point){
			.frames = frames_at(m, i),
			.misses = sample_estimate(&m->sample, misses),
		};
	}
}
