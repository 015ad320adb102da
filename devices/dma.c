/* SPDX-License-Identifier: MIT */
/* Registers: each is checked when it is written, and means nothing before. */
#include <stdlib.h>

#include "devices/dma_state.h"

void dma_lower(struct dma *m)
{
	if (m->line)
		m->irq.set(m->irq.ctx, 0);
	m->line = false;
}

void dma_raise(struct dma *m)
{
	m->count.interrupts++;
	if (!m->line)
		m->irq.set(m->irq.ctx, 1);
	m->line = true;
}

void dma_power_on(struct dma *m)
{
	dma_lower(m);
	m->run = m->ring_error = m->reset = false;
	m->ring = (struct dma_ring){ .bits = 24 };
	m->head = m->tail = m->progress = 0;
	m->pace = 0;
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
	case DMA_PACE:
		return m->pace;
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
		dma_power_on(m);
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
		dma_lower(m);
		break;
	case DMA_PACE:
		m->pace = value;
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

void dma_hold(struct device *d, bool hold)
{
	struct dma *m = (struct dma *)d;

	pthread_mutex_lock(&m->lock);
	m->held = hold;
	pthread_cond_signal(&m->changed);
	pthread_mutex_unlock(&m->lock);
}

void dma_stop(struct device *d)
{
	struct dma *m = (struct dma *)d;
	bool started;

	pthread_mutex_lock(&m->lock);
	m->ending = true;
	started = m->started;
	m->started = false;
	pthread_cond_signal(&m->changed);
	pthread_mutex_unlock(&m->lock);
	if (started)
		pthread_join(m->thread, NULL);
}

static void dma_destroy(struct device *d)
{
	struct dma *m = (struct dma *)d;

	dma_stop(d);
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
	dma_power_on(m);
	return &m->base;
}
