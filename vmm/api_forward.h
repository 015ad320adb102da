/* SPDX-License-Identifier: MIT */
/*
 * The control API of a VM that is elsewhere: requests are passed on, one at a
 * time, over a stream that can take no more, as the capsule's serial port. So
 * any number of clients may be here, and none of them waits for one that does
 * not get on. Events are asked for and then told here.
 */
#ifndef VMM_API_FORWARD_H
#define VMM_API_FORWARD_H

#include "vmm/api.h"

struct api_forward;

/* Over @fd, non-blocking, which stays the caller's. NULL: no memory. */
struct api_forward *api_forward_create(int fd);
void api_forward_destroy(struct api_forward *f);

/* For api_serve; lives as long as @f. */
struct api_desk api_forward_desk(struct api_forward *f);

#endif
