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
	v->mapping_link = &m->vmas;
	if (m->vmas)
		m->vmas->mapping_link = &v->mapping_next;
	m->vmas = v;
	if (m->ops->hold)
		m->ops->hold(m);
}

static void hide(struct vma *v)
{
	struct mapping *m = v->mapping;

	*v->mapping_link = v->mapping_next;
	if (v->mapping_next)
		v->mapping_next->mapping_link = v->mapping_link;
	if (m->ops->release)
		m->ops->release(m);
}

struct vma *vma_new(const struct vma *like)
{
	struct vma *v = like->space->area_count < AREAS_MOST
				? kmalloc(sizeof(*v))
				: NULL;

	if (!v)
		return NULL;
	like->space->area_count++;
	*v = *like;
	v->left = v->right = NULL;
	v->rank = random_rank();
	if (v->mapping)
		show(v);
	return v;
}

void vma_delete(struct vma *v)
{
	v->space->area_count--;
	if (v->mapping)
		hide(v);
	kfree(v);
}

struct vma *vma_above(struct vma *root, uintptr_t at)
{
	struct vma *best = NULL;

	while (root) {
		if (at < root->end) {
			best = root;
			root = root->left;
		} else {
			root = root->right;
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

void vma_insert(struct vma **root, struct vma *v)
{
	struct vma *rest;

	while ((rest = *root) && rest->rank >= v->rank)
		root = v->start < rest->start ? &rest->left : &rest->right;
	divide(rest, v->start, &v->left, &v->right);
	*root = v;
}

/* Where @v hangs: its two subtrees take its place, by rank. */
void vma_remove(struct vma **root, struct vma *v)
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

static uint64_t rest_of_file(const struct vma *v, uintptr_t cut)
{
	if (v->file_bytes == FILE_ALL)
		return FILE_ALL;
	return v->file_bytes > cut ? v->file_bytes - cut : 0;
}

struct vma *vma_split(struct vma **root, struct vma *v, uintptr_t at)
{
	struct vma *upper = vma_new(v);

	if (!upper)
		return NULL;
	upper->start = upper->lowest = at;
	if (v->mapping)
		upper->offset = vma_index(v, at);
	upper->file_bytes = rest_of_file(v, at - v->start);
	v->end = at;
	vma_insert(root, upper);
	return upper;
}

static bool is_one(const struct vma *a, const struct vma *b)
{
	if (a->end != b->lowest || a->prot != b->prot || a->flags != b->flags ||
	    a->ops != b->ops || a->kind != b->kind ||
	    a->mapping != b->mapping ||
	    b->file_bytes != rest_of_file(a, a->end - a->start))
		return false;
	return !a->mapping || b->offset == vma_index(a, b->start);
}

void vma_merge(struct vma **root, uintptr_t at)
{
	struct vma *a = vma_above(*root, at - 1);
	struct vma *b = a ? vma_above(*root, at) : NULL;

	if (!b || a == b || !is_one(a, b) || broken("vma"))
		return;
	vma_remove(root, b);
	a->end = b->end;
	vma_delete(b);
}
