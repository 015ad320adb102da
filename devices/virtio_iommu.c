/* SPDX-License-Identifier: MIT */
/*
 * Each request is copied once; what it says is checked where it is done, in
 * iommu.c. A chain without room for a status cannot be answered, and is given
 * back as it is.
 */
#include "devices/virtio_iommu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Where x86's message-signalled interrupts lie (SDM vol. 3A, 11.11.1). */
#define MSI_START UINT64_C(0xfee00000)
#define MSI_END	  UINT64_C(0xfeefffff)

#define BUDGET	  64 /* requests in a turn */

struct viommu {
	struct virtio v;
	struct iommu *iommu;
	struct vq_chain chain;
};

static struct viommu *viommu_of(struct virtio *v)
{
	return (struct viommu *)v;
}

static enum iommu_status status_of(int error)
{
	switch (error) {
	case 0:
		return IOMMU_OK;
	case -ENOENT:
		return IOMMU_NOENT;
	case -ERANGE:
		return IOMMU_RANGE;
	case -ENOMEM:
		return IOMMU_NOMEM;
	default:
		return IOMMU_INVAL;
	}
}

static int attach(struct viommu *u, const struct iommu_request *r)
{
	uint32_t flags = r->attach.flags;

	if (r->attach.reserved || (flags & ~IOMMU_ATTACH_BYPASS) ||
	    (flags && !(u->v.accepted & IOMMU_F_BYPASS_CONFIG)))
		return -EINVAL;
	return iommu_attach(u->iommu, r->attach.domain, r->attach.endpoint,
			    flags & IOMMU_ATTACH_BYPASS);
}

static int detach(struct viommu *u, const struct iommu_request *r)
{
	if (r->attach.flags || r->attach.reserved)
		return -EINVAL;
	return iommu_detach(u->iommu, r->attach.domain, r->attach.endpoint);
}

/* Only RAM may be mapped: DMA reaches nothing else. */
static int map(struct viommu *u, const struct iommu_request *r)
{
	uint64_t span = r->map.last - r->map.first;

	if (r->map.first <= MSI_END && r->map.last >= MSI_START)
		return -EINVAL;
	if (span == UINT64_MAX ||
	    !guest_has(u->v.host.memory, (gpa_t){ r->map.to }, span + 1))
		return -EINVAL;
	return iommu_map(u->iommu, r->map.domain, (iova_t){ r->map.first },
			 (iova_t){ r->map.last }, (gpa_t){ r->map.to },
			 r->map.flags);
}

static int unmap(struct viommu *u, const struct iommu_request *r)
{
	return iommu_unmap(u->iommu, r->unmap.domain,
			   (iova_t){ r->unmap.first },
			   (iova_t){ r->unmap.last });
}

/* The properties come before the status. */
static int probe(struct viommu *u, const struct iommu_request *r)
{
	uint8_t properties[IOMMU_PROBE_BYTES] = { 0 };
	const struct iommu_reserved msi = {
		.type = IOMMU_PROBE_RESERVED,
		.length = sizeof(msi) - 4,
		.subtype = IOMMU_RESERVED_MSI,
		.start = MSI_START,
		.end = MSI_END,
	};

	if (!iommu_has_endpoint(u->iommu, r->probe.endpoint))
		return -ENOENT;
	if (u->chain.write_bytes <
	    sizeof(properties) + sizeof(struct iommu_tail))
		return -EINVAL;
	memcpy(properties, &msi, sizeof(msi));
	return chain_write(&u->v.queue[IOMMU_REQUESTS], &u->chain, 0,
			   properties, sizeof(properties))
		       ? 0
		       : -EINVAL;
}

static const struct request_kind {
	uint32_t bytes; /* that the driver writes */
	int (*perform)(struct viommu *u, const struct iommu_request *r);
} kinds[] = {
	[IOMMU_ATTACH] = { 20, attach }, [IOMMU_DETACH] = { 20, detach },
	[IOMMU_MAP] = { 36, map },	 [IOMMU_UNMAP] = { 28, unmap },
	[IOMMU_PROBE] = { 72, probe },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Copy the request. NULL: it is none, or not all there. */
static const struct request_kind *read_request(struct viommu *u,
					       struct iommu_request *r)
{
	struct virtqueue *q = &u->v.queue[IOMMU_REQUESTS];

	*r = (struct iommu_request){ 0 };
	if (!chain_read(q, &u->chain, 0, &r->type, 1) || r->type >= KINDS ||
	    !kinds[r->type].perform ||
	    !chain_read(q, &u->chain, 0, r, kinds[r->type].bytes))
		return NULL;
	return &kinds[r->type];
}

/* The status is the last that the driver lends. Of a request that we do not
 * know nothing is written (5.13.6.2). */
static uint32_t perform(struct viommu *u)
{
	const struct request_kind *kind;
	struct iommu_tail tail = { 0 };
	struct iommu_request r;
	uint32_t at;

	kind = read_request(u, &r);
	if (!kind || u->chain.write_bytes < sizeof(tail))
		return 0;
	at = u->chain.write_bytes - (uint32_t)sizeof(tail);
	tail.status = (uint8_t)status_of(kind->perform(u, &r));
	if (tail.status != IOMMU_OK)
		atomic_fetch_add(&u->v.count.errors, 1);
	if (!chain_write(&u->v.queue[IOMMU_REQUESTS], &u->chain, at, &tail,
			 sizeof(tail)))
		return 0;
	return u->chain.write_bytes;
}

static enum virtio_work serve_requests(struct viommu *u)
{
	struct virtqueue *q = &u->v.queue[IOMMU_REQUESTS];

	for (unsigned i = 0; i < BUDGET; i++) {
		enum vq_take t = virtqueue_take(q, &u->chain);

		if (t != VQ_TAKEN)
			return t == VQ_EMPTY ? VIRTIO_DONE : VIRTIO_BROKEN;
		if (!virtio_give(&u->v, IOMMU_REQUESTS, u->chain.head,
				 perform(u)))
			return VIRTIO_BROKEN;
	}
	return VIRTIO_MORE;
}

static struct iommu_event event_of(const struct iommu_fault *f)
{
	return (struct iommu_event){
		.reason = f->reason == IOMMU_NO_DOMAIN ? IOMMU_EVENT_DOMAIN
						       : IOMMU_EVENT_MAPPING,
		.flags = IOMMU_EVENT_ADDRESS |
			 (f->rights & IOMMU_READ ? IOMMU_EVENT_READ : 0) |
			 (f->rights & IOMMU_WRITE ? IOMMU_EVENT_WRITE : 0),
		.endpoint = f->endpoint,
		.address = f->at.v,
	};
}

/* One record a buffer; one too short is given back empty, and the record is
 * lost with it. */
static bool report(struct viommu *u, const struct iommu_fault *f)
{
	const struct iommu_event e = event_of(f);
	bool fits = chain_write(&u->v.queue[IOMMU_EVENTS], &u->chain, 0, &e,
				sizeof(e));

	return virtio_give(&u->v, IOMMU_EVENTS, u->chain.head,
			   fits ? sizeof(e) : 0);
}

/* Records wait in the IOMMU for buffers, buffers in the queue for records. */
static enum virtio_work report_faults(struct viommu *u)
{
	struct virtqueue *q = &u->v.queue[IOMMU_EVENTS];
	struct iommu_fault f;

	while (iommu_fault_waits(u->iommu)) {
		enum vq_take t = virtqueue_take(q, &u->chain);

		if (t != VQ_TAKEN)
			return t == VQ_EMPTY ? VIRTIO_DONE : VIRTIO_BROKEN;
		iommu_take_fault(u->iommu, &f);
		if (!report(u, &f))
			return VIRTIO_BROKEN;
	}
	return VIRTIO_DONE;
}

static enum virtio_work viommu_queue(struct virtio *v, unsigned n)
{
	if (n == IOMMU_EVENTS)
		return report_faults(viommu_of(v));
	return serve_requests(viommu_of(v));
}

static void viommu_reset(struct virtio *v)
{
	iommu_reset(viommu_of(v)->iommu);
}

/* `bypass` alone can be written, with 0 or 1; it survives a reset. */
static void viommu_config(struct virtio *v, unsigned offset, unsigned len,
			  uint64_t value)
{
	if (offset != offsetof(struct iommu_config, bypass) || len != 1 ||
	    value > 1)
		return;
	v->config[offset] = (uint8_t)value;
	iommu_set_bypass(viommu_of(v)->iommu, value);
}

static void viommu_destroy(struct virtio *v)
{
	iommu_destroy(viommu_of(v)->iommu);
	free(v);
}

static const struct virtio_ops viommu_ops = {
	.queue = viommu_queue,
	.reset = viommu_reset,
	.config = viommu_config,
	.destroy = viommu_destroy,
};

/* On the thread of a device that was refused. */
static void on_fault(void *ctx)
{
	virtio_wake(ctx);
}

int virtio_iommu_create(struct virtio **out, struct iommu **iommu,
			const struct virtio_host *host)
{
	static const struct virtio_kind kind = {
		.ops = &viommu_ops,
		.name = "iommu",
		.id = VIRTIO_ID_IOMMU,
		.features = IOMMU_F_INPUT_RANGE | IOMMU_F_MAP_UNMAP |
			    IOMMU_F_PROBE | IOMMU_F_BYPASS_CONFIG,
		.queues = IOMMU_QUEUES,
		.queue_size = 64,
	};
	const struct iommu_config config = {
		.page_size_mask = ~PAGE_MASK,
		.input_end = (UINT64_C(1) << IOMMU_BITS) - 1,
		.domain_end = UINT32_MAX,
		.probe_size = IOMMU_PROBE_BYTES,
		.bypass = 1,
	};
	struct viommu *u = calloc(1, sizeof(*u));
	int r;

	if (!u)
		return -ENOMEM;
	u->iommu = iommu_create(on_fault, &u->v);
	if (!u->iommu) {
		free(u);
		return -ENOMEM;
	}
	r = virtio_init(&u->v, &kind, host);
	if (r) {
		viommu_destroy(&u->v);
		return r;
	}
	virtio_config_set(&u->v, 0, &config, sizeof(config));
	*out = &u->v;
	*iommu = u->iommu;
	return 0;
}
