/* SPDX-License-Identifier: MIT */
/* A helper for the NBD tier that knows no NBD: a thread with an array. Define
 * fake_recv and fake_send before including this to get around a fail layer. */
#ifndef TESTS_UNIT_NBD_FIXTURE_H
#define TESTS_UNIT_NBD_FIXTURE_H

#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ept/nbd_wire.h"
#include "tests/unit/ept_pages.h"

#define EXPORT_PAGES 256

struct fake_nbd {
	pthread_t thread;
	int lane[NBD_LANES], memory;
	uint8_t *shared, *export;
	/* What it does with a batch, instead of doing it; NULL: it does. */
	ssize_t (*mischief)(struct fake_nbd *f, unsigned lane,
			    const struct nbd_request *q, size_t n);
	_Atomic unsigned requests;
};

static struct fake_nbd fake_nbd;

/* Do @n requests and answer them, the last one first. */
static inline ssize_t fake_nbd_serve(struct fake_nbd *f, unsigned lane,
				     const struct nbd_request *q, size_t n)
{
	struct nbd_reply reply[NBD_BUFFERS];

	for (size_t i = 0; i < n; i++) {
		uint8_t *page = f->shared + lane * NBD_LANE_BYTES +
				q[i].buffer * PAGE_SIZE;

		if (q[i].way == NBD_WRITE)
			memcpy(f->export + q[i].at, page, PAGE_SIZE);
		else
			memcpy(page, f->export + q[i].at, PAGE_SIZE);
		reply[n - 1 - i] = (struct nbd_reply){ q[i].buffer, 0, 0 };
	}
	if (!n) /* a message cut short asks for nothing */
		return 1;
	return fake_send(f->lane[lane], reply, n * sizeof(*reply), 0);
}

static inline void *fake_nbd_run(void *arg)
{
	struct fake_nbd *f = arg;
	struct nbd_request q[NBD_BUFFERS];
	struct pollfd p[NBD_LANES];
	ssize_t n = 1;

	for (unsigned i = 0; i < NBD_LANES; i++)
		p[i] = (struct pollfd){ f->lane[i], POLLIN, 0 };
	while (n > 0 && poll(p, NBD_LANES, -1) > 0)
		for (unsigned i = 0; i < NBD_LANES && n > 0; i++) {
			if (!p[i].revents)
				continue;
			n = fake_recv(f->lane[i], q, sizeof(q), 0);
			if (n <= 0)
				break;
			f->requests += (unsigned)n / sizeof(*q);
			n = (f->mischief ? f->mischief : fake_nbd_serve)(
				f, i, q, (size_t)n / sizeof(*q));
		}
	for (unsigned i = 0; i < NBD_LANES; i++)
		close(f->lane[i]);
	return NULL;
}

static inline void fake_nbd_close(struct nbd_link *link)
{
	for (unsigned i = 0; i < NBD_LANES; i++)
		close(link->lane[i]);
	pthread_join(fake_nbd.thread, NULL);
	munmap(fake_nbd.shared, NBD_SHARED_BYTES);
	close(link->memory);
	free(fake_nbd.export);
}

static inline struct nbd_link fake_nbd_start(void)
{
	struct fake_nbd *f = &fake_nbd;
	struct nbd_link link = { .close = fake_nbd_close, .timeout_s = 1 };

	*f = (struct fake_nbd){ .export = pages_new(EXPORT_PAGES) };
	link.memory = f->memory = memfd_create("nbd", MFD_CLOEXEC);
	assert_int_equal(ftruncate(link.memory, NBD_SHARED_BYTES), 0);
	f->shared = mmap(NULL, NBD_SHARED_BYTES, PROT_READ | PROT_WRITE,
			 MAP_SHARED, link.memory, 0);
	assert_ptr_not_equal(f->shared, MAP_FAILED);
	for (unsigned i = 0; i < NBD_LANES; i++) {
		int pair[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair),
				 0);
		link.lane[i] = pair[0];
		f->lane[i] = pair[1];
	}
	assert_int_equal(pthread_create(&f->thread, NULL, fake_nbd_run, f), 0);
	return link;
}

#endif
