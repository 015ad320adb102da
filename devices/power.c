/* SPDX-License-Identifier: MIT */
/* Two ports without state: no lock. What they read is 0: awake, and nothing
 * in the keyboard controller's buffers. */
#include "devices/power.h"

#include <stdlib.h>

#define SLP_EN	0x20 /* and, three bits from here: */
#define SLP_TYP 2

struct power {
	struct device device;
	void (*tell)(void *ctx, enum power_event);
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

	unsigned type = value >> SLP_TYP & 7;

	(void)len;
	if (offset || !(value & SLP_EN))
		return;
	if (type == POWER_SLEEP_OFF)
		p->tell(p->ctx, POWER_EVENT_OFF);
	else if (type == POWER_SLEEP_RAM)
		p->tell(p->ctx, POWER_EVENT_RAM);
}

static void reset_write(struct device *d, uint64_t offset, unsigned len,
			uint64_t value)
{
	struct power *p = (struct power *)d;

	(void)offset, (void)len;
	if ((value & 0xff) == POWER_RESET)
		p->tell(p->ctx, POWER_EVENT_RESET);
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
			     void (*tell)(void *ctx, enum power_event),
			     void *ctx)
{
	struct power *p = malloc(sizeof(*p));

	if (!p)
		return NULL;
	*p = (struct power){ .device.ops = ops, .tell = tell, .ctx = ctx };
	return &p->device;
}

struct device *power_create_sleep(void (*tell)(void *ctx, enum power_event),
				  void *ctx)
{
	return create(&sleep_ops, tell, ctx);
}

struct device *power_create_reset(void (*tell)(void *ctx, enum power_event),
				  void *ctx)
{
	return create(&reset_ops, tell, ctx);
}
