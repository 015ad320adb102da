/* SPDX-License-Identifier: MIT */
/*
 * The tree is a treap: ordered by start, a heap by a rank that is as good as
 * random, and so as deep as a random tree, whatever the order of insertion
 * (Seidel and Aragon, "Randomized search trees", 1996).
 */
#include "guest/mm/vma.h"

#include "guest/lib/broken.h"
#include "guest/mm/mapping.h"
#include "guest/mm/slab.h"
#include "guest/mm/space.h"

/* Of one space: a program cannot use up the kernel's memory for them. */
#define AREAS_MOST 1024u

/* Where an area lies, times this, has nothing to do with what it maps. */
#define SCRAMBLE 0xd6e8feb86659fd93

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

/* The areas of @tree that begin below @at, and the others, as two trees. */
static void divide(struct vma *tree, uintptr_t at, struct vma **below,
		   struct vma **above)
{
	if (!tree) {
		*below = *above = NULL;
	} else if (tree->start < at) {
		*below = tree;
		divide(tree->right, at, &tree->right, above);
	} else {
		*above = tree;
		divide(tree->left, at, below, &tree->left);
	}
}

/* One tree of two, of which all areas of @a lie below those of @b. */
static struct vma *join(struct vma *a, struct vma *b)
{
	if (!a || !b)
		return a ? a : b;
	if (a->rank >= b->rank) {
		a->right = join(a->right, b);
		return a;
	}
	b->left = join(a, b->left);
	return b;
}

struct vma *vma_add(const struct vma *like)
{
	struct space *s = like->space;
	struct vma *v = s->area_count < AREAS_MOST ? kmalloc(sizeof(*v)) : NULL;
	struct vma *below, *above;

	if (!v)
		return NULL;
	*v = *like;
	v->rank = (uint32_t)((uintptr_t)v * SCRAMBLE >> 32);
	v->left = v->right = NULL;
	divide(s->areas, v->start, &below, &above);
	s->areas = join(join(below, v), above);
	s->area_count++;
	if (v->mapping)
		show(v);
	return v;
}

void vma_remove(struct vma *v)
{
	struct space *s = v->space;
	struct vma *below, *above;

	divide(s->areas, v->start, &below, &above);
	divide(above, v->end, &v, &above);
	s->areas = join(below, above);
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

	if (!a || !b || a == b || !is_one(a, b) || broken("vma"))
		return;
	end = b->end;
	vma_remove(b);
	a->end = end;
}
