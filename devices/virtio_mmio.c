/* SPDX-License-Identifier: MIT */
/*
 * The registers of a virtio device (virtio 1.2, 4.2.2), as vCPUs meet them.
 * What is out of turn is ignored: a feature behind FEATURES_OK, a queue
 * register once the queue is ready, a status bit without those before it.
 *
 *   status  0 -> ACKNOWLEDGE -> DRIVER -> FEATURES_OK -> DRIVER_OK
 *           features are written here --^      ^-- queues here
 */
#include <string.h>

#include "devices/virtio_io.h"
#include "ept/addr.h"

#define TRANSPORT (VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_IDX)

static struct virtio *virtio_of(struct device *d)
{
	return (struct virtio *)d;
}

static uint64_t offered(const struct virtio *v)
{
	return v->kind.features | TRANSPORT;
}

/* The 32 bits of a feature word that a selector names. */
static uint32_t half(uint64_t word, uint32_t sel)
{
	return sel < 2 ? (uint32_t)(word >> (32 * sel)) : 0;
}

static void set_half(uint64_t *word, uint32_t sel, uint32_t value)
{
	uint64_t mask = UINT64_C(0xffffffff) << (32 * sel);

	*word = (*word & ~mask) | (uint64_t)value << (32 * sel);
}

/* The selected queue; NULL: there is none of that number. */
static struct virtio_latch *selected(struct virtio *v)
{
	return v->queue_sel < v->kind.queues ? &v->latch[v->queue_sel] : NULL;
}

/* The same while its registers may be written. */
static struct virtio_latch *open_queue(struct virtio *v)
{
	struct virtio_latch *l = selected(v);

	return l && !l->ready && !(v->status & VIRTIO_DRIVER_OK) ? l : NULL;
}

static uint32_t read_register(struct virtio *v, uint64_t offset)
{
	const struct virtio_latch *l = selected(v);

	switch (offset) {
	case VIRTIO_MAGIC_VALUE:
		return VIRTIO_MAGIC;
	case VIRTIO_VERSION_VALUE:
		return VIRTIO_VERSION;
	case VIRTIO_DEVICE_ID:
		return v->kind.id;
	case VIRTIO_VENDOR_ID:
		return VIRTIO_VENDOR;
	case VIRTIO_DEVICE_FEATURES:
		return half(offered(v), v->device_sel);
	case VIRTIO_QUEUE_NUM_MAX:
		return l ? v->kind.queue_size : 0;
	case VIRTIO_QUEUE_READY:
		return l && l->ready;
	case VIRTIO_INTERRUPT_STATUS:
		return v->isr;
	case VIRTIO_STATUS:
		return v->status;
	case VIRTIO_SHM_LEN_LOW: /* no shared memory: length and base -1 */
	case VIRTIO_SHM_LEN_HIGH:
	case VIRTIO_SHM_BASE_LOW:
	case VIRTIO_SHM_BASE_HIGH:
		return UINT32_MAX;
	case VIRTIO_CONFIG_GENERATION:
		return v->generation;
	default:
		return 0;
	}
}

static void write_features(struct virtio *v, uint32_t value)
{
	if (v->driver_sel < 2 && (v->status & VIRTIO_DRIVER) &&
	    !(v->status & VIRTIO_FEATURES_OK))
		set_half(&v->wanted, v->driver_sel, value);
}

/* Which of the bits that the driver adds are in turn. */
static uint32_t status_steps(const struct virtio *v, uint32_t value)
{
	uint32_t now = v->status, steps = value & VIRTIO_ACKNOWLEDGE;
	bool good =
		!(v->wanted & ~offered(v)) && (v->wanted & VIRTIO_F_VERSION_1);

	if ((now | steps) & VIRTIO_ACKNOWLEDGE)
		steps |= value & VIRTIO_DRIVER;
	if ((now & VIRTIO_DRIVER) && good)
		steps |= value & VIRTIO_FEATURES_OK;
	if (now & VIRTIO_FEATURES_OK)
		steps |= value & VIRTIO_DRIVER_OK;
	return (steps | (value & VIRTIO_FAILED)) & ~now;
}

/* Bits are only ever added, until 0 takes all of them back. */
static void write_status(struct virtio *v, uint32_t value)
{
	uint32_t steps;

	/* Another vCPU is just resetting it. */
	while (v->order == ORDER_RESET)
		pthread_cond_wait(&v->obeyed, &v->lock);
	if (!value) {
		virtio_order_reset(v);
		return;
	}
	steps = status_steps(v, value);
	v->status |= steps;
	if ((steps & VIRTIO_DRIVER_OK) && virtio_order_start(v))
		virtio_needs_reset(v);
}

/* A queue can be taken back until DRIVER_OK; from then on by a reset only. */
static void write_ready(struct virtio *v, uint32_t value)
{
	struct virtio_latch *l = selected(v);

	if (!l || (v->status & VIRTIO_DRIVER_OK))
		return;
	if (!value)
		l->ready = false;
	if (value != 1 || l->ready || !l->queue.size)
		return;
	l->queue.memory = v->host.memory;
	l->ready = virtqueue_valid(&l->queue);
	if (!l->ready)
		virtio_needs_reset(v);
}

static void write_num(struct virtio *v, uint32_t value)
{
	struct virtio_latch *l = open_queue(v);

	if (l && value && !(value & (value - 1)) && value <= v->kind.queue_size)
		l->queue.size = (uint16_t)value;
}

static void write_address(struct virtio *v, uint64_t offset, uint32_t value)
{
	struct virtio_latch *l = open_queue(v);
	gpa_t *at;

	if (!l)
		return;
	at = offset < VIRTIO_QUEUE_DRIVER_LOW	? &l->queue.desc
	     : offset < VIRTIO_QUEUE_DEVICE_LOW ? &l->queue.driver
						: &l->queue.device;
	set_half(&at->v, offset & 4 ? 1 : 0, value);
}

static void write_register(struct virtio *v, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case VIRTIO_DEVICE_FEATURES_SEL:
		v->device_sel = value;
		break;
	case VIRTIO_DRIVER_FEATURES_SEL:
		v->driver_sel = value;
		break;
	case VIRTIO_DRIVER_FEATURES:
		write_features(v, value);
		break;
	case VIRTIO_QUEUE_SEL:
		v->queue_sel = value;
		break;
	case VIRTIO_QUEUE_NUM:
		write_num(v, value);
		break;
	case VIRTIO_QUEUE_READY:
		write_ready(v, value);
		break;
	case VIRTIO_QUEUE_NOTIFY:
		if (v->threaded)
			virtio_wake(v);
		break;
	case VIRTIO_INTERRUPT_ACK:
		virtio_isr_clear(v, value);
		break;
	case VIRTIO_STATUS:
		write_status(v, value);
		break;
	case VIRTIO_QUEUE_DESC_LOW:
	case VIRTIO_QUEUE_DESC_HIGH:
	case VIRTIO_QUEUE_DRIVER_LOW:
	case VIRTIO_QUEUE_DRIVER_HIGH:
	case VIRTIO_QUEUE_DEVICE_LOW:
	case VIRTIO_QUEUE_DEVICE_HIGH:
		write_address(v, offset, value);
		break;
	default: /* read-only, or nothing there */
		break;
	}
}

static uint64_t read_config(const struct virtio *v, uint64_t offset,
			    unsigned len)
{
	uint64_t value = 0;

	if (range_within(offset, len, v->config_bytes))
		memcpy(&value, &v->config[offset], len);
	return value;
}

/* Below the config space, registers have 32 bits and no other width. */
static uint64_t mmio_read(struct device *d, uint64_t offset, unsigned len)
{
	struct virtio *v = virtio_of(d);
	uint64_t value = 0;

	pthread_mutex_lock(&v->lock);
	if (offset >= VIRTIO_CONFIG)
		value = read_config(v, offset - VIRTIO_CONFIG, len);
	else if (len == 4)
		value = read_register(v, offset);
	pthread_mutex_unlock(&v->lock);
	return value;
}

static void write_config(struct virtio *v, unsigned offset, unsigned len,
			 uint64_t value)
{
	if (v->kind.ops->config && range_within(offset, len, v->config_bytes))
		v->kind.ops->config(v, offset, len, value);
}

static void mmio_write(struct device *d, uint64_t offset, unsigned len,
		       uint64_t value)
{
	struct virtio *v = virtio_of(d);

	pthread_mutex_lock(&v->lock);
	if (offset >= VIRTIO_CONFIG)
		write_config(v, (unsigned)offset - VIRTIO_CONFIG, len, value);
	else if (len == 4)
		write_register(v, offset, (uint32_t)value);
	pthread_mutex_unlock(&v->lock);
}

const struct device_ops virtio_mmio_ops = {
	.name = "virtio",
	.read = mmio_read,
	.write = mmio_write,
	.destroy = virtio_destroy,
};
