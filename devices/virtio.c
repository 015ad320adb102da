/* SPDX-License-Identifier: MIT */
/* A virtio device's beginning and end, and its config space. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "devices/virtio_io.h"

int virtio_init(struct virtio *v, const struct virtio_kind *kind,
		const struct virtio_host *host)
{
	*v = (struct virtio){
		.device.ops = &virtio_mmio_ops,
		.kind = *kind,
		.host = *host,
		.event = -1,
		.kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	if (v->kick < 0)
		return -errno;
	pthread_mutex_init(&v->lock, NULL);
	pthread_cond_init(&v->obeyed, NULL);
	return 0;
}

int virtio_create(struct virtio **out, size_t bytes,
		  const struct virtio_kind *kind,
		  const struct virtio_host *host)
{
	struct virtio *v = calloc(1, bytes);
	int r = v ? virtio_init(v, kind, host) : -ENOMEM;

	if (r)
		free(v);
	else
		*out = v;
	return r;
}

void virtio_destroy(struct device *d)
{
	struct virtio *v = (struct virtio *)d;

	virtio_stop(v);
	close(v->kick);
	pthread_cond_destroy(&v->obeyed);
	pthread_mutex_destroy(&v->lock);
	v->kind.ops->destroy(v);
}

void virtio_config_set(struct virtio *v, unsigned offset, const void *from,
		       unsigned len)
{
	pthread_mutex_lock(&v->lock);
	memcpy(v->config + offset, from, len);
	if (v->config_bytes < offset + len)
		v->config_bytes = offset + len;
	v->generation++;
	if (v->status & VIRTIO_DRIVER_OK)
		virtio_isr_set(v, VIRTIO_ISR_CONFIG);
	pthread_mutex_unlock(&v->lock);
}

void virtio_config_get(struct virtio *v, unsigned offset, void *to,
		       unsigned len)
{
	pthread_mutex_lock(&v->lock);
	memcpy(to, v->config + offset, len);
	pthread_mutex_unlock(&v->lock);
}
