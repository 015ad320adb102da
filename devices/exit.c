/* SPDX-License-Identifier: MIT */
/*
 * The exit port: what the guest writes there is its status, as it is (QEMU's
 * isa-debug-exit turns v into 2v + 1). The device has no state and no lock;
 * several vCPUs may exit at once, and the callee decides who was first.
 */
#include <stdlib.h>

#include "devices/devices.h"

struct exit_port {
	struct device device;
	void (*exit)(void *ctx, uint32_t status);
	void *ctx;
};

static uint64_t port_read(struct device *d, uint64_t offset, unsigned len)
{
	(void)d, (void)offset, (void)len;
	return 0;
}

/* A write that starts behind the first byte has no status to give. */
static void port_write(struct device *d, uint64_t offset, unsigned len,
		       uint64_t value)
{
	struct exit_port *e = (struct exit_port *)d;

	(void)len;
	if (offset == 0)
		e->exit(e->ctx, (uint32_t)value);
}

static void port_destroy(struct device *d)
{
	free(d);
}

static const struct device_ops ops = {
	.name = "exit",
	.read = port_read,
	.write = port_write,
	.destroy = port_destroy,
};

struct device *exit_create(void (*exit)(void *ctx, uint32_t status), void *ctx)
{
	struct exit_port *e = malloc(sizeof(*e));

	if (!e)
		return NULL;
	*e = (struct exit_port){ .device.ops = &ops, .exit = exit, .ctx = ctx };
	return &e->device;
}
