/* SPDX-License-Identifier: MIT */
/*
 * How a guest that does not know the exit port ends its run: ACPI's sleep
 * control register (ACPI 6.4, 4.8.3.7) switches the machine off, a command to
 * the PC's keyboard controller resets it. The second byte of the older PM1
 * control register (4.8.3.2.1) is laid out as the sleep control register is.
 */
#ifndef DEVICES_POWER_H
#define DEVICES_POWER_H

#include "devices/device.h"

#define POWER_SLEEP_PORT   0x600
#define POWER_SLEEP_PORTS  2
#define POWER_SLEEP_STATUS 1 /* the second of them: reads as 0 */
#define POWER_SLEEP_RAM	   1 /* SLP_TYP of S3 */
#define POWER_SLEEP_OFF	   5 /* and of S5 */
#define POWER_PM1_PORT	   (POWER_SLEEP_PORT - 1)

#define POWER_RESET_PORT   0x64
#define POWER_RESET_PORTS  1
#define POWER_RESET	   0xfe

enum power_event { POWER_EVENT_OFF, POWER_EVENT_RAM, POWER_EVENT_RESET };

/* @tell is called on a vCPU thread, maybe by several at once. NULL: no
 * memory. */
struct device *power_create_sleep(void (*tell)(void *ctx, enum power_event),
				  void *ctx);
struct device *power_create_reset(void (*tell)(void *ctx, enum power_event),
				  void *ctx);

#endif
