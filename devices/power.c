/* SPDX-License-Identifier: MIT */
/* Two ports without state: no lock. What they read is 0: awake, and nothing
 * in the keyboard controller's buffers. */
#include "devices/power.h"

#include <stdlib.h>

#define SLP_EN	0x20 /* and, three bits from here: */
#define SLP_TYP 2

struct power {
	struct device device;
	void (*end)(void *ctx, bool reset);
	void *ctx;
};

static uint64_t power_read(struct device *d, uint64_t offset, unsigned len)
{
	(void)d, (void)offset, (void)len;
	return 0;
}

static void sleep_write(struct device *d, uint64_t offset, unsigned len,
			uint64_t value)
{
	struct power *p = (struct power *)d;

	(void)len;
	if (!offset && (value & SLP_EN) &&
	    (value >> SLP_TYP & 7) == POWER_SLEEP_OFF)
		p->end(p->ctx, false);
}

static void reset_write(struct device *d, uint64_t offset, unsigned len,
			uint64_t value)
{
	struct power *p = (struct power *)d;

	(void)offset, (void)len;
	if ((value & 0xff) == POWER_RESET)
		p->end(p->ctx, true);
}

static void power_destroy(struct device *d)
{
	free(d);
}

static const struct device_ops sleep_ops = {
	.name = "sleep",
	.read = power_read,
	.write = sleep_write,
	.destroy = power_destroy,
}, reset_ops = {
	.name = "reset",
	.read = power_read,
	.write = reset_write,
	.destroy = power_destroy,
};

static struct device *create(const struct device_ops *ops,
			     void (*end)(void *ctx, bool reset), void *ctx)
{
	struct power *p = malloc(sizeof(*p));

	if (!p)
		return NULL;
	*p = (struct power){ .device.ops = ops, .end = end, .ctx = ctx };
	return &p->device;
}

struct device *power_create_sleep(void (*end)(void *ctx, bool reset), void *ctx)
{
	return create(&sleep_ops, end, ctx);
}

struct device *power_create_reset(void (*end)(void *ctx, bool reset), void *ctx)
{
	return create(&reset_ops, end, ctx);
}
