/* SPDX-License-Identifier: MIT */
/*
 * The thread that works. The guest is not trusted: a descriptor is copied once
 * and then checked, and where it points is looked up piece by piece. What it
 * overwrites, be it the ring itself, is the guest's affair.
 */
#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "devices/thread.h"
#include "devices/dma_move.h"
#include "devices/dma_state.h"

/* The descriptor under way, the engine's thread's own. */
struct job {
	struct dma_ring ring;
	uint32_t index;
	bool begun; /* d holds */
	struct dma_descriptor d;
	struct dma_sum sum; /* of this one and those it goes on from */
};

/* Where the device's address @at leads; a descriptor's status. */
static enum dma_status reach(struct dma *m, const struct dma_ring *r,
			     uint64_t at, unsigned rights, gpa_t *to)
{
	to->v = at;
	if (r->bits < 64 && at >> r->bits)
		return DMA_BAD_ADDRESS;
	return iommu_translate(m->iommu, ABI_DMA_ENDPOINT, (iova_t){ at },
			       rights, to)
		       ? DMA_DONE
		       : DMA_REFUSED;
}

static enum dma_status status_of(int error)
{
	switch (error) {
	case 0:
		return DMA_DONE;
	case -EFAULT:
		return DMA_BAD_ADDRESS;
	case -EHWPOISON:
		return DMA_POISONED;
	default:
		return DMA_NO_MEMORY;
	}
}

/* One side of a piece, or of a look at the ring. */
struct side {
	gpa_t at;
	void *host; /* NULL: not pinned */
};

static enum dma_status hold(struct dma *m, const struct dma_ring *r,
			    uint64_t at, unsigned rights, struct side *s)
{
	enum dma_status status = reach(m, r, at, rights, &s->at);

	if (status != DMA_DONE)
		return status;
	return status_of(
		guest_pin(m->memory, s->at, rights & IOMMU_WRITE, &s->host));
}

static void let_go(struct dma *m, const struct side *s)
{
	if (s->host)
		guest_unpin(m->memory, s->at);
}

static uint32_t at_most(uint32_t n, uint64_t at)
{
	uint64_t left = PAGE_SIZE - (at & PAGE_MASK);

	return n < left ? n : (uint32_t)left;
}

/* The next piece of @j, of which @done bytes are done; *piece is its size. */
static enum dma_status move_piece(struct dma *m, struct job *j, uint32_t done,
				  uint32_t *piece)
{
	const struct dma_move *how = dma_move_of(j->d.operation);
	uint64_t source = j->d.source + done, target = j->d.target + done;
	struct side from = { .host = NULL }, to = { .host = NULL };
	enum dma_status status = DMA_DONE;

	*piece = j->d.bytes - done;
	iommu_enter(m->iommu);
	if (how->reads) {
		*piece = at_most(*piece, source);
		status = hold(m, &j->ring, source, IOMMU_READ, &from);
	}
	if (how->writes && status == DMA_DONE) {
		*piece = at_most(*piece, target);
		status = hold(m, &j->ring, target, IOMMU_WRITE, &to);
	}
	if (status == DMA_DONE)
		how->move(&j->sum, to.host, from.host, *piece, done,
			  j->d.source);
	let_go(m, &to);
	let_go(m, &from);
	iommu_leave(m->iommu);
	return status;
}

/* Does it ask for something there is, and no range wraps? */
static enum dma_status look_at(const struct dma_descriptor *d)
{
	const struct dma_move *how = dma_move_of(d->operation);

	if (!how || (d->flags & ~(DMA_INTERRUPT | DMA_MORE)) || !d->bytes ||
	    d->bytes > DMA_BYTES_MAX)
		return DMA_BAD_REQUEST;
	if ((how->reads && d->source + (d->bytes - 1) < d->source) ||
	    (how->writes && d->target + (d->bytes - 1) < d->target))
		return DMA_BAD_ADDRESS;
	return DMA_DONE;
}

/* Descriptors are aligned, so that each lies in one page. */
static uint64_t descriptor_at(const struct job *j)
{
	return j->ring.at + (uint64_t)(j->index & (j->ring.size - 1)) *
				    sizeof(struct dma_descriptor);
}

static bool read_descriptor(struct dma *m, struct job *j)
{
	struct side ring = { .host = NULL };
	bool good;

	iommu_enter(m->iommu);
	good = hold(m, &j->ring, descriptor_at(j), IOMMU_READ, &ring) ==
	       DMA_DONE;
	if (good)
		memcpy(&j->d, ring.host, sizeof(j->d));
	let_go(m, &ring);
	iommu_leave(m->iommu);
	return good;
}

/* Status and result in one store: a guest that polls finds both or neither. */
static bool write_status(struct dma *m, const struct job *j,
			 enum dma_status status)
{
	const uint64_t at =
		descriptor_at(j) + offsetof(struct dma_descriptor, status);
	uint64_t word = status;
	struct side ring = { .host = NULL };
	bool good;

	if (status == DMA_DONE && j->d.operation == DMA_CHECKSUM)
		word |= (uint64_t)dma_sum_result(&j->sum) << 32;
	iommu_enter(m->iommu);
	good = hold(m, &j->ring, at, IOMMU_WRITE, &ring) == DMA_DONE;
	if (good)
		__atomic_store_n((uint64_t *)ring.host, word, __ATOMIC_RELEASE);
	let_go(m, &ring);
	iommu_leave(m->iommu);
	return good;
}

/* The lock is held. */
static void stop_by_error(struct dma *m)
{
	m->run = false;
	m->ring_error = true;
	dma_raise(m);
}

/* Descriptor @j has ended. */
static void finish(struct dma *m, struct job *j, enum dma_status status)
{
	bool written = write_status(m, j, status);

	j->begun = false;
	if (!(j->d.flags & DMA_MORE) || status != DMA_DONE)
		j->sum = (struct dma_sum){ 0 };
	pthread_mutex_lock(&m->lock);
	m->tail++;
	m->progress = 0;
	m->count.descriptors++;
	m->count.errors += status != DMA_DONE;
	if (!written)
		stop_by_error(m);
	else if (j->d.flags & DMA_INTERRUPT)
		dma_raise(m);
	pthread_mutex_unlock(&m->lock);
}

/* Copy descriptor j->index and look at it. */
static void begin(struct dma *m, struct job *j)
{
	enum dma_status status;

	if (!read_descriptor(m, j)) {
		pthread_mutex_lock(&m->lock);
		stop_by_error(m);
		pthread_mutex_unlock(&m->lock);
		return;
	}
	j->begun = true;
	if (j->d.operation != DMA_CHECKSUM)
		j->sum = (struct dma_sum){ 0 };
	status = look_at(&j->d);
	if (status != DMA_DONE)
		finish(m, j, status);
}

/* Rest for as long as @bytes take at the guest's pace, or until it wants
 * something else. The lock is held. */
static void rest(struct dma *m, uint64_t bytes)
{
	const uint64_t ns = bytes * 1000000 / m->pace;
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(ns / 1000000000);
	until.tv_nsec += (long)(ns % 1000000000);
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (m->run && m->pace && !m->reset && !m->ending)
		if (pthread_cond_clockwait(&m->changed, &m->lock,
					   CLOCK_MONOTONIC, &until))
			return;
}

static void advance(struct dma *m, struct job *j, uint32_t done)
{
	uint32_t piece;
	enum dma_status status = move_piece(m, j, done, &piece);

	if (status != DMA_DONE) {
		finish(m, j, status);
		return;
	}
	pthread_mutex_lock(&m->lock);
	if (m->pace)
		rest(m, piece);
	m->progress += piece;
	m->count.bytes += piece;
	pthread_mutex_unlock(&m->lock);
	if (done + piece == j->d.bytes)
		finish(m, j, DMA_DONE);
}

/* Wait for something to do; a reset happens here, where nothing is under way.
 * The lock is held. False: the end. */
static bool wait_for_work(struct dma *m, struct job *j)
{
	for (;;) {
		if (m->reset) {
			dma_power_on(m);
			*j = (struct job){ 0 };
		}
		if (m->ending)
			return false;
		if (m->run && !m->held && m->head != m->tail)
			break;
		m->busy = false;
		pthread_cond_wait(&m->changed, &m->lock);
	}
	m->busy = true;
	j->ring = m->ring;
	j->index = m->tail;
	return true;
}

void *dma_run(void *arg)
{
	struct job j = { 0 };
	struct dma *m = arg;

	device_thread_begin("dma");
	/* Where it shares a CPU with a vCPU, that keeps nine tenths of it
	 * (sched(7): a step of nice is a factor of 1.25), and is not kept
	 * waiting when there is a descriptor. Of this thread alone. */
	setpriority(PRIO_PROCESS, 0, 10);
	pthread_mutex_lock(&m->lock);
	while (wait_for_work(m, &j)) {
		uint32_t done = m->progress;

		pthread_mutex_unlock(&m->lock);
		if (j.begun)
			advance(m, &j, done);
		else
			begin(m, &j);
		pthread_mutex_lock(&m->lock);
	}
	pthread_mutex_unlock(&m->lock);
	return NULL;
}
