/* SPDX-License-Identifier: MIT */
/*
 * What makes a stored page trustworthy: the tag, two keyed hashes, which with
 * their key stay in our memory. Whoever can write to a tier can make a load
 * fail, and nothing else.
 *
 * One is of the bytes, the other of the bytes' whole hash and of who the page
 * is. Bytes that are not the page's own fail both, so together they are as
 * good as one of 128 bits; and copies can be checked on their way from tier to
 * tier, where nobody knows whose they are.
 */
#include <string.h>
#include <xxhash.h>

#include "ept/swap_state.h"

static XXH128_hash_t hash(const struct swap *s, const void *bytes, size_t n)
{
	return XXH3_128bits_withSecret(bytes, n, s->key, sizeof(s->key));
}

/* The hash of the bytes takes the key but not a seed: for inputs this long
 * XXH3 has one or the other. So who the page is goes into a second hash. */
struct tag seal_tag(const struct swap *s, const struct record *r, gfn_t gfn,
		    const void *page)
{
	struct {
		XXH128_hash_t bytes;
		uint64_t gfn, record, generation;
	} who = {
		.bytes = hash(s, page, PAGE_SIZE),
		.gfn = gfn.v,
		.record = record_index(&s->records, r),
		.generation = r->generation,
	};

	return (struct tag){ .bytes = who.bytes.low64,
			     .who = hash(s, &who, sizeof(who)).low64 };
}

bool seal_verifies(const struct swap *s, const struct record *r, gfn_t gfn,
		   const void *page)
{
	struct tag tag = seal_tag(s, r, gfn, page);

	return tag.bytes == r->tag.bytes && tag.who == r->tag.who;
}

bool seal_intact(const struct swap *s, const struct record *r, const void *page)
{
	return hash(s, page, PAGE_SIZE).low64 == r->tag.bytes;
}

bool same_filled(const void *page)
{
	const uint64_t *w = page;

	return w[0] == w[1] && memcmp(w, w + 1, PAGE_SIZE - sizeof(*w)) == 0;
}

void same_fill(void *page, uint64_t word)
{
	uint64_t *w = page;

	for (unsigned i = 0; i < PAGE_SIZE / sizeof(*w); i++)
		w[i] = word;
}
