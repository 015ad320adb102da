/* SPDX-License-Identifier: MIT */
/*
 * Copies between the kernel and a program. The kernel never follows a user
 * pointer: it looks each page up in the program's own areas and tables, and
 * uses the direct map. So a bad pointer is an answer, not a fault, and SMAP
 * need never be lifted. All may sleep.
 */

#include "guest/lib/base.h"
#include "guest/mm/leaf.h"

/*
 * A page not touched yet is given, as its first touch would have done; no
 * fault happened, so none is counted. The bits that the processor would have
 * set are set by hand. Giving may sleep, and the page may go again meanwhile.
 */
void *user_byte(struct space *s, uintptr_t va, bool write)
{
	uint64_t error = FAULT_U | (write ? FAULT_W : 0);
	uint64_t need = PTE_P | (write ? PTE_W : 0);
	struct vma *v = space_find(s, va);
	uint64_t *at;

	if (!v || !(v->prot & (write ? PROT_WRITE : PROT_READ)))
		return NULL;
	while (!(at = leaf_at(s, va)) || (*at & need) != need)
		if (fault_resolve(s, va, error))
			return NULL;
	*at |= PTE_A | (write ? PTE_D : 0);
	return (char *)direct(pte_pa(*at)) + page_offset(va);
}

static int copy(struct space *s, uintptr_t user, char *kernel, size_t n,
		bool write)
{
	size_t now;

	for (; n; n -= now, user += now, kernel += now) {
		void *at = user_byte(s, user, write);

		now = PAGE_SIZE - page_offset(user);
		now = n < now ? n : now;
		if (!at)
			return broken("user-copy") ? 0 : -EFAULT;
		memcpy(write ? at : kernel, write ? kernel : at, now);
	}
	return 0;
}

int user_write(struct space *s, uintptr_t to, const void *from, size_t n)
{
	return copy(s, to, (char *)from, n, true);
}

int user_read(struct space *s, void *to, uintptr_t from, size_t n)
{
	return copy(s, from, to, n, false);
}

int64_t user_string(struct space *s, char *to, uintptr_t from, size_t room)
{
	for (size_t n = 0; n < room; n++) {
		if (user_read(s, to + n, from + n, 1))
			return -EFAULT;
		if (!to[n])
			return (int64_t)n;
	}
	return -ENAMETOOLONG;
}
