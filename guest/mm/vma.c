/* SPDX-License-Identifier: MIT */
/*
 * The tree is a treap: ordered by start, a heap by a random rank, and so as
 * deep as a random tree, whatever the order of insertion (Seidel and Aragon,
 * "Randomized search trees", 1996).
 */
#include "guest/mm/vma.h"

#include "guest/lib/broken.h"
#include "guest/mm/mapping.h"
#include "guest/mm/slab.h"
#include "guest/mm/space.h"

/* Of one space: a program cannot use up the kernel's memory for them. */
#define AREAS_MOST 1024u

/* Marsaglia's xorshift, 32 bits. */
static uint32_t random_rank(void)
{
	static uint32_t state = 2463534242;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

/* An area is listed with what it shows, and holds it. */
static void show(struct vma *v)
{
	struct mapping *m = v->mapping;

	v->mapping_next = m->vmas;
	m->vmas = v;
	if (m->ops->hold)
		m->ops->hold(m);
}

static void hide(struct vma *v)
{
	struct mapping *m = v->mapping;
	struct vma **at = &m->vmas;

	while (*at != v)
		at = &(*at)->mapping_next;
	*at = v->mapping_next;
	if (m->ops->release)
		m->ops->release(m);
}

struct vma *vma_above(const struct space *s, uintptr_t at)
{
	struct vma *v = s->areas, *best = NULL;

	while (v) {
		if (at < v->end) {
			best = v;
			v = v->left;
		} else {
			v = v->right;
		}
	}
	return best;
}

/* The areas of @root below and above @at, as two trees. */
static void divide(struct vma *root, uintptr_t at, struct vma **below,
		   struct vma **above)
{
	while (root) {
		if (root->start < at) {
			*below = root;
			below = &root->right;
			root = root->right;
		} else {
			*above = root;
			above = &root->left;
			root = root->left;
		}
	}
	*below = *above = NULL;
}

static void insert(struct vma **root, struct vma *v)
{
	struct vma *rest;

	while ((rest = *root) && rest->rank >= v->rank)
		root = v->start < rest->start ? &rest->left : &rest->right;
	divide(rest, v->start, &v->left, &v->right);
	*root = v;
}

/* Where @v hangs, its two subtrees take its place, by rank. */
static void take_out(struct vma **root, struct vma *v)
{
	struct vma *below = v->left, *above = v->right;

	while (*root != v)
		root = v->start < (*root)->start ? &(*root)->left
						 : &(*root)->right;
	while (below && above) {
		if (below->rank >= above->rank) {
			*root = below;
			root = &below->right;
			below = below->right;
		} else {
			*root = above;
			root = &above->left;
			above = above->left;
		}
	}
	*root = below ? below : above;
}

struct vma *vma_add(const struct vma *like)
{
	struct space *s = like->space;
	struct vma *v = s->area_count < AREAS_MOST ? kmalloc(sizeof(*v)) : NULL;

	if (!v)
		return NULL;
	*v = *like;
	v->rank = random_rank();
	insert(&s->areas, v);
	s->area_count++;
	if (v->mapping)
		show(v);
	return v;
}

void vma_remove(struct vma *v)
{
	struct space *s = v->space;

	take_out(&s->areas, v);
	s->area_count--;
	s->recent = NULL;
	if (v->mapping)
		hide(v);
	kfree(v);
}

bool vma_split(struct space *s, uintptr_t at)
{
	struct vma *v = vma_above(s, at), upper;

	if (!v || v->start >= at)
		return true;
	upper = *v;
	upper.start = upper.lowest = at;
	if (!vma_add(&upper))
		return false;
	v->end = at;
	return true;
}

static bool is_one(const struct vma *a, const struct vma *b)
{
	return a->end == b->lowest && a->prot == b->prot &&
	       a->flags == b->flags && a->ops == b->ops && a->kind == b->kind &&
	       a->mapping == b->mapping && a->shift == b->shift &&
	       a->file_end == b->file_end;
}

void vma_merge(struct space *s, uintptr_t at)
{
	struct vma *a = vma_above(s, at - 1), *b = vma_above(s, at);
	uintptr_t end;

	if (!b || a == b || !is_one(a, b) || broken("vma"))
		return;
	end = b->end;
	vma_remove(b);
	a->end = end;
}
