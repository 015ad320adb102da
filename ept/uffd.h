/* SPDX-License-Identifier: MIT */
/* userfaultfd, as much of it as stage 2 uses. */
#ifndef EPT_UFFD_H
#define EPT_UFFD_H

#include "ept/addr.h"
#include "ept/linux_new.h"

/* What the kernel must offer: missing and minor faults of shared memory, small
 * pages and large, and the thread that faulted. */
#define UFFD_NEEDED                                                      \
	(UFFD_FEATURE_MISSING_SHMEM | UFFD_FEATURE_MINOR_SHMEM |         \
	 UFFD_FEATURE_MISSING_HUGETLBFS | UFFD_FEATURE_MINOR_HUGETLBFS | \
	 UFFD_FEATURE_THREAD_ID)

/*
 * A new userfaultfd with the features above, non-blocking, for faults of
 * kernel code too (KVM touches guest memory there): /dev/userfaultfd, else the
 * system call. The descriptor, or -errno: -EPERM or -EACCES when forbidden,
 * -ENOTSUP when the kernel lacks a feature.
 */
int uffd_open(void);

/* Watch [at, at + len) for the @modes UFFDIO_REGISTER_MODE_*. 0 or -errno. */
int uffd_watch(int uffd, void *at, uint64_t len, uint64_t modes);

/* Watch it no longer, and wake who waits there. */
int uffd_unwatch(int uffd, void *at, uint64_t len);

/* Wake who waits for a page in [at, at + len); it faults again if it must. */
int uffd_wake(int uffd, void *at, uint64_t len);

/*
 * Install the pages of [at, at + len) and wake who waits for them; a page that
 * is there already is skipped. Returns how many bytes are there from @at on:
 * less than @len only with an error, -errno in *error (-ENOMEM: no frame for
 * the next page; -EFAULT: CONTINUE found none).
 */

/* The frames behind the range hold its bytes: map them. A page is of @page
 * bytes here. */
uint64_t uffd_continue(int uffd, void *at, uint64_t len, uint64_t page,
		       int *error);
/* New frames, with the bytes at @from, which is aligned to pages. */
uint64_t uffd_copy(int uffd, void *at, const void *from, uint64_t len,
		   int *error);
/* One new page, with the bytes at @from. 0 or -errno; -EEXIST: the memory has
 * a page there, mapped or not, and this does nothing. */
int uffd_create(int uffd, void *at, const void *from);
/* New frames, all zeros. */
uint64_t uffd_zero(int uffd, void *at, uint64_t len, int *error);

/*
 * From now on an access to the page at @at is a machine check (SIGBUS), also
 * for who waits there. 0, and where there is something already; -errno: the
 * kernel cannot (before 6.6).
 */
int uffd_poison(int uffd, void *at);

#endif
