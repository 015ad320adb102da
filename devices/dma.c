/* SPDX-License-Identifier: MIT */
/*
 * The guest is not trusted: registers are checked when written, a descriptor
 * is copied once and then checked, and where it points is looked up piece by
 * piece. What it overwrites, be it the ring itself, is the guest's affair.
 */
#include "devices/dma.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "devices/dma_move.h"

struct dma {
	struct device base;
	struct stage2 *memory;
	struct iommu *iommu;
	struct irq_line irq;
	pthread_t thread;

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	bool started; /* the thread: with the first DMA_RUN */
	bool ending, reset;
	bool run, busy, line;
	bool ring_error;
	struct dma_ring {
		unsigned bits; /* of addresses */
		uint64_t at;
		uint32_t size;
	} ring; /* constant while it runs */
	uint32_t head, tail;
	uint32_t progress; /* bytes of descriptor `tail` done */
	struct dma_counters count;
};

/* The descriptor under way, the engine's thread's own. */
struct job {
	struct dma_ring ring;
	uint32_t index;
	bool begun; /* d holds */
	struct dma_descriptor d;
	struct dma_sum sum; /* of this one and those it goes on from */
};

static void lower(struct dma *m)
{
	if (m->line)
		m->irq.set(m->irq.ctx, 0);
	m->line = false;
}

static void raise_line(struct dma *m)
{
	m->count.interrupts++;
	if (!m->line)
		m->irq.set(m->irq.ctx, 1);
	m->line = true;
}

static void power_on(struct dma *m)
{
	lower(m);
	m->run = m->ring_error = m->reset = false;
	m->ring = (struct dma_ring){ .bits = 24 };
	m->head = m->tail = m->progress = 0;
}

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
	return status_of(guest_pin(m->memory, s->at, &s->host));
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
	raise_line(m);
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
		raise_line(m);
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

static void advance(struct dma *m, struct job *j, uint32_t done)
{
	uint32_t piece;
	enum dma_status status = move_piece(m, j, done, &piece);

	if (status != DMA_DONE) {
		finish(m, j, status);
		return;
	}
	pthread_mutex_lock(&m->lock);
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
			power_on(m);
			*j = (struct job){ 0 };
		}
		if (m->ending)
			return false;
		if (m->run && m->head != m->tail)
			break;
		m->busy = false;
		pthread_cond_wait(&m->changed, &m->lock);
	}
	m->busy = true;
	j->ring = m->ring;
	j->index = m->tail;
	return true;
}

/* A vCPU's thread has started this one, and may be bound to one CPU. */
static void run_anywhere(void)
{
	cpu_set_t cpus;

	if (!sched_getaffinity(getpid(), sizeof(cpus), &cpus))
		sched_setaffinity(0, sizeof(cpus), &cpus);
}

static void *dma_run(void *arg)
{
	struct job j = { 0 };
	struct dma *m = arg;

	pthread_setname_np(pthread_self(), "dma");
	run_anywhere();
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

static uint64_t state(const struct dma *m)
{
	bool busy = m->busy || m->reset || (m->run && m->head != m->tail);

	return (busy ? DMA_BUSY : 0) | (m->ring_error ? DMA_RING_ERROR : 0);
}

static uint64_t read_register(const struct dma *m, uint64_t offset)
{
	switch (offset) {
	case DMA_ID:
		return ABI_DMA_ID;
	case DMA_BITS:
		return m->ring.bits;
	case DMA_RING:
		return m->ring.at;
	case DMA_RING_SIZE:
		return m->ring.size;
	case DMA_HEAD:
		return m->head;
	case DMA_TAIL:
		return m->tail;
	case DMA_CONTROL:
		return m->run ? DMA_RUN : 0;
	case DMA_STATE:
		return state(m);
	case DMA_PROGRESS:
		return m->progress;
	case DMA_IRQ:
		return m->line;
	default:
		return 0;
	}
}

static uint64_t dma_read(struct device *d, uint64_t offset, unsigned len)
{
	struct dma *m = (struct dma *)d;
	uint64_t v = 0;

	pthread_mutex_lock(&m->lock);
	if (len == 8)
		v = read_register(m, offset);
	pthread_mutex_unlock(&m->lock);
	return v;
}

/* From here on there is a thread, which a machine whose guest does without the
 * engine never has. */
static void set_run(struct dma *m)
{
	if (!m->ring.size)
		return;
	if (!m->started)
		m->started = !pthread_create(&m->thread, NULL, dma_run, m);
	m->run = m->started;
	m->ring_error = !m->started;
}

static void set_control(struct dma *m, uint64_t value)
{
	m->run = false;
	if (!(value & DMA_RESET) && (value & DMA_RUN))
		set_run(m);
	if (!(value & DMA_RESET))
		return;
	m->reset = m->started;
	if (!m->started)
		power_on(m);
}

static void set_head(struct dma *m, uint64_t value)
{
	if (value <= UINT32_MAX && (uint32_t)value - m->tail <= m->ring.size)
		m->head = (uint32_t)value;
}

/* The ring is what it is from the first descriptor of a run to the last. */
static void set_ring(struct dma *m, uint64_t offset, uint64_t value)
{
	if (m->run || m->busy || m->reset)
		return;
	if (offset == DMA_BITS && (value == 24 || value == 32 || value == 64))
		m->ring.bits = (unsigned)value;
	else if (offset == DMA_RING &&
		 value % sizeof(struct dma_descriptor) == 0)
		m->ring.at = value;
	else if (offset == DMA_RING_SIZE && value <= DMA_RING_MAX &&
		 (value & (value - 1)) == 0 && m->head == m->tail)
		m->ring.size = (uint32_t)value;
}

static void write_register(struct dma *m, uint64_t offset, uint64_t value)
{
	switch (offset) {
	case DMA_HEAD:
		set_head(m, value);
		break;
	case DMA_CONTROL:
		set_control(m, value);
		break;
	case DMA_IRQ:
		lower(m);
		break;
	default:
		set_ring(m, offset, value);
		break;
	}
	pthread_cond_signal(&m->changed);
}

static void dma_write(struct device *d, uint64_t offset, unsigned len,
		      uint64_t value)
{
	struct dma *m = (struct dma *)d;

	pthread_mutex_lock(&m->lock);
	if (len == 8)
		write_register(m, offset, value);
	pthread_mutex_unlock(&m->lock);
}

void dma_counters(struct device *d, struct dma_counters *c)
{
	struct dma *m = (struct dma *)d;

	pthread_mutex_lock(&m->lock);
	*c = m->count;
	pthread_mutex_unlock(&m->lock);
}

static void dma_destroy(struct device *d)
{
	struct dma *m = (struct dma *)d;

	pthread_mutex_lock(&m->lock);
	m->ending = true;
	pthread_cond_signal(&m->changed);
	pthread_mutex_unlock(&m->lock);
	if (m->started)
		pthread_join(m->thread, NULL);
	pthread_cond_destroy(&m->changed);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

static const struct device_ops dma_ops = {
	.name = "dma",
	.read = dma_read,
	.write = dma_write,
	.destroy = dma_destroy,
};

struct device *dma_create(struct stage2 *memory, struct iommu *iommu,
			  struct irq_line irq)
{
	struct dma *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->base.ops = &dma_ops;
	m->memory = memory;
	m->iommu = iommu;
	m->irq = irq;
	pthread_mutex_init(&m->lock, NULL);
	pthread_cond_init(&m->changed, NULL);
	power_on(m);
	return &m->base;
}
