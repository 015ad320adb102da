/* SPDX-License-Identifier: MIT */
#include "guest/mm/user.h"

#include "guest/lib/errno.h"
#include "guest/lib/string.h"
#include "guest/mm/fault.h"
#include "guest/mm/table.h"
#include "guest/proc/api.h"

/*
 * A page not touched yet is given, as its first touch would have done; no
 * fault happened, so none is counted. The bits that the processor would have
 * set are set by hand.
 */
void *user_byte(struct space *s, uintptr_t va, bool write)
{
	struct vma *v = space_find(s, va);
	struct slot slot;

	if (!v || !(v->prot & (write ? PROT_WRITE : PROT_READ)))
		return NULL;
	slot = table_walk(s->root, va);
	if (slot.level != 1 || !(*slot.at & PTE_P)) {
		slot.at = fault_fill(s, v, va);
		if (!slot.at)
			return NULL;
	}
	*slot.at |= PTE_A | (write ? PTE_D : 0);
	return (char *)direct(pte_pa(*slot.at)) + page_offset(va);
}

static size_t part(uintptr_t va, size_t n)
{
	size_t room = PAGE_SIZE - page_offset(va);

	return n < room ? n : room;
}

int user_write(struct space *s, uintptr_t to, const void *from, size_t n)
{
	while (n) {
		size_t now = part(to, n);
		void *at = user_byte(s, to, true);

		if (!at)
			return -EFAULT;
		memcpy(at, from, now);
		to += now;
		from = (const char *)from + now;
		n -= now;
	}
	return 0;
}

int64_t user_string(struct space *s, char *to, uintptr_t from, size_t room)
{
	for (size_t n = 0; n < room;) {
		size_t now = part(from + n, room - n), length;
		const char *at = user_byte(s, from + n, false);

		if (!at)
			return -EFAULT;
		length = strnlen(at, now);
		memcpy(to + n, at, length);
		n += length;
		if (length < now) {
			to[n] = '\0';
			return (int64_t)n;
		}
	}
	return -ENAMETOOLONG;
}

int user_read(struct space *s, void *to, uintptr_t from, size_t n)
{
	while (n) {
		size_t now = part(from, n);
		const void *at = user_byte(s, from, false);

		if (!at)
			return -EFAULT;
		memcpy(to, at, now);
		to = (char *)to + now;
		from += now;
		n -= now;
	}
	return 0;
}
