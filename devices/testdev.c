/* SPDX-License-Identifier: MIT */
#include "devices/testdev.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct testdev {
	struct device device;
	struct testdev_host host;
	pthread_mutex_t lock; /* of: */
	uint8_t byte[];
};

static uint64_t bytes_read(struct device *d, uint64_t offset, unsigned len)
{
	struct testdev *t = (struct testdev *)d;
	uint64_t value = 0;

	pthread_mutex_lock(&t->lock);
	memcpy(&value, t->byte + offset, len);
	pthread_mutex_unlock(&t->lock);
	return value;
}

static void bytes_write(struct device *d, uint64_t offset, unsigned len,
			uint64_t value)
{
	struct testdev *t = (struct testdev *)d;

	pthread_mutex_lock(&t->lock);
	memcpy(t->byte + offset, &value, len);
	pthread_mutex_unlock(&t->lock);
}

static uint64_t read_nothing(struct device *d, uint64_t offset, unsigned len)
{
	(void)d, (void)offset, (void)len;
	return 0;
}

static void flush_write(struct device *d, uint64_t offset, unsigned len,
			uint64_t value)
{
	struct testdev *t = (struct testdev *)d;

	(void)len;
	if (!offset)
		t->host.flush(t->host.ctx, value);
}

static void line_write(struct device *d, uint64_t offset, unsigned len,
		       uint64_t value)
{
	struct testdev *t = (struct testdev *)d;

	(void)len;
	t->host.line(t->host.ctx, (unsigned)offset, value != 0);
}

static void testdev_destroy(struct device *d)
{
	struct testdev *t = (struct testdev *)d;

	pthread_mutex_destroy(&t->lock);
	free(t);
}

static const struct device_ops bytes_ops = {
	.name = "test bytes",
	.read = bytes_read,
	.write = bytes_write,
	.destroy = testdev_destroy,
}, flush_ops = {
	.name = "test flush",
	.read = read_nothing,
	.write = flush_write,
	.destroy = testdev_destroy,
}, line_ops = {
	.name = "test lines",
	.read = read_nothing,
	.write = line_write,
	.destroy = testdev_destroy,
};

static struct device *create(const struct device_ops *ops, size_t bytes,
			     const struct testdev_host *host)
{
	struct testdev *t = calloc(1, sizeof(*t) + bytes);

	if (!t)
		return NULL;
	t->device.ops = ops;
	if (host)
		t->host = *host;
	if (!pthread_mutex_init(&t->lock, NULL))
		return &t->device;
	free(t);
	return NULL;
}

struct device *testdev_create_bytes(size_t n)
{
	return create(&bytes_ops, n, NULL);
}

struct device *testdev_create_flush(const struct testdev_host *host)
{
	return create(&flush_ops, 0, host);
}

struct device *testdev_create_lines(const struct testdev_host *host)
{
	return create(&line_ops, 0, host);
}
