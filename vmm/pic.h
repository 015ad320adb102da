/* SPDX-License-Identifier: MIT */
/* The pair of 8259A interrupt controllers, which is KVM's. */
#ifndef VMM_PIC_H
#define VMM_PIC_H

#include <stdbool.h>

/*
 * As a PC's firmware leaves them, and as a multiboot loader passes them on
 * (specification 0.6.96, 3.2): interrupts 0 to 7 at vector 0x08 and on, 8 to 15
 * at 0x70. Before the first vCPU runs. False: an ioctl failed, see errno.
 */
bool pic_begin(int vm_fd);

#endif
