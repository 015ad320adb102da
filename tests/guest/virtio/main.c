/* SPDX-License-Identifier: MIT */
/*
 * virtio.elf: a guest that is nothing but drivers. It tests a disk, the random
 * source and the console, and ends with status 0, or with the number of the
 * step that failed.
 */
#include "tests/guest/virtio/driver.h"

int main(void);

/* 32 bytes, twice: they differ. */
void test_random(void)
{
	static struct driver source;
	static struct ring ring;
	static uint64_t bytes[2][4];
	unsigned same = 0;

	driver_start(&source, VIRTIO_ID_RNG, 0, &ring, 1);
	for (uint16_t i = 0; i < 2; i++) {
		ring.desc[i] =
			(struct vq_desc){ (uintptr_t)bytes[i], sizeof(bytes[i]),
					  VQ_DESC_WRITE, 0 };
		driver_offer(&ring, i);
	}
	driver_wait(&source, 0, &ring);
	for (unsigned i = 0; i < 4; i++)
		same += bytes[0][i] == bytes[1][i];
	want(!same, 20, "randomness");
	driver_check(&source, 21);
}

/* What comes from the terminal goes back to it, up to a newline. */
void test_console(void)
{
	static const char text[] = "hello from virtio\n";
	static struct driver console;
	static struct ring ring[2]; /* receive, transmit */
	static char line[64];
	struct ring *in = &ring[0], *out = &ring[1];

	driver_start(&console, VIRTIO_ID_CONSOLE, 0, ring, 2);
	out->desc[0] =
		(struct vq_desc){ (uintptr_t)text, sizeof(text) - 1, 0, 0 };
	driver_offer(out, 0);
	driver_wait(&console, 1, out);
	in->desc[0] = (struct vq_desc){ (uintptr_t)line, sizeof(line),
					VQ_DESC_WRITE, 0 };
	driver_offer(in, 0);
	driver_wait(&console, 0, in);
	out->desc[0] =
		(struct vq_desc){ (uintptr_t)line, in->used.ring[0].len, 0, 0 };
	driver_offer(out, 0);
	driver_wait(&console, 1, out);
	driver_check(&console, 30);
}

int main(void)
{
	interrupts_on();
	test_disk();
	test_random();
	test_console();
	end(0);
}
