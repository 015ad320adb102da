/* SPDX-License-Identifier: MIT */
/*
 * Any driver against a virtio device: its first byte says which device, the
 * rest is what the driver does, an action a byte with its arguments behind.
 * Whatever it did, a reset must make the device as new: then a proper request
 * is answered properly. tests/fuzz/fuzz.mk says how to run it.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "devices/virtio_blk.h"
#include "devices/virtio_console.h"
#include "devices/virtio_iommu.h"
#include "devices/virtio_rng.h"
#include "tests/fuzz/virtio_driver.h"
#include "tests/fuzz/virtio_link.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define SECTORS 64u

enum which { BLK, BLK_READONLY, RNG, CONSOLE, BALLOON, IOMMU, NET, DEVICES };

static struct iommu *iommu; /* of IOMMU */

static void on_output(void *ctx, const uint8_t *bytes, size_t len)
{
	(void)ctx, (void)bytes, (void)len;
}

static void on_room(void *ctx)
{
	(void)ctx;
}

static int image(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("image", MFD_CLOEXEC);
	if (ftruncate(fd, SECTORS * BLK_SECTOR))
		abort();
	return dup(fd);
}

static int make_net(const struct virtio_host *host)
{
	static const uint8_t mac[NET_MAC] = { 2 };
	const struct net_link link = link_make();

	return virtio_net_create(&dev, &link, mac, host);
}

static int make(enum which which)
{
	const struct virtio_host host = { .irq = { set_line, NULL } };
	const struct console_host to = { on_output, on_room, NULL };
	const struct balloon_setup balloon = { .ram_pages = RAM_BYTES >> 12,
					       .reporting = true };
	struct blk_image disk = { .bytes = SECTORS * BLK_SECTOR,
				  .queues = 3,
				  .readonly = which == BLK_READONLY };

	switch (which) {
	case BALLOON:
		return virtio_balloon_create(&dev, &balloon, &host);
	case IOMMU:
		if (virtio_iommu_create(&dev, &iommu, &host))
			return -1;
		iommu_add_endpoint(iommu, 1);
		return 0;
	case NET:
		return make_net(&host);
	case RNG:
		return virtio_rng_create(&dev, &host);
	case CONSOLE:
		return virtio_console_create(&dev, &to, &host);
	default:
		disk.fd = image();
		return virtio_blk_create(&dev, &disk, &host);
	}
}

/* An address that is likely to matter. */
static uint64_t take_address(void)
{
	static const uint64_t where[] = {
		BUFFERS,	 BUFFERS + 0x800, DESC(0),	     DRIVER(0),
		DEVICE(0),	 DESC(1),	  RAM_BYTES - 16,    RAM_BYTES,
		UINT64_MAX - 15, 0xd0000000,	  UINT64_MAX - 4096, 0,
	};
	uint64_t pick = take(1);

	return where[pick % (sizeof(where) / sizeof(where[0]))] + take(1);
}

static uint32_t take_len(void)
{
	static const uint32_t len[] = { 0,   1,	  16,	  4096,	      511,
					512, 513, 0x8000, UINT32_MAX, 20 };
	uint64_t pick = take(1);

	return pick < 10 ? len[pick] : (uint32_t)(pick * 16);
}

/* Header at BUFFERS, data, and a status byte behind the header. */
static void put_request(unsigned n, uint32_t type, uint64_t sector,
			uint32_t len)
{
	const struct blk_header h = { type, 0, sector };
	const uint16_t data = type == BLK_IN ? VQ_DESC_WRITE : 0;

	guest_write(NULL, (gpa_t){ BUFFERS }, &h, sizeof(h));
	put_desc(DESC(n), 0,
		 (struct vq_desc){ BUFFERS, sizeof(h), VQ_DESC_NEXT, 1 });
	put_desc(DESC(n), 1,
		 (struct vq_desc){ BUFFERS + 0x1000, len,
				   (uint16_t)(data | VQ_DESC_NEXT), 2 });
	put_desc(DESC(n), 2,
		 (struct vq_desc){ BUFFERS + 0x10, 1, VQ_DESC_WRITE, 0 });
	offer(n, 0);
}

/* A request to the IOMMU that may make sense, and an access. */
static void act_iommu(void)
{
	struct iommu_request r = { .type = (uint8_t)(take(1) % 7) };
	gpa_t to;

	r.map.domain = (uint32_t)take(1) & 3;
	if (r.type <= IOMMU_DETACH) {
		r.attach.endpoint = (uint32_t)take(1) & 1;
		r.attach.flags = (uint32_t)take(1) & 3;
		r.attach.reserved = 0;
	} else {
		r.map.first = take(3) << 12;
		r.map.last = r.map.first + (take(2) << 12) - 1;
		r.map.to = take(1) << 12;
		r.map.flags = (uint32_t)take(1);
	}
	guest_write(NULL, (gpa_t){ BUFFERS }, &r, sizeof(r));
	put_desc(DESC(0), 0,
		 (struct vq_desc){ BUFFERS, sizeof(r), VQ_DESC_NEXT, 1 });
	put_desc(DESC(0), 1,
		 (struct vq_desc){ BUFFERS + 0x800, 80, VQ_DESC_WRITE, 0 });
	offer(0, 0);
	set(VIRTIO_QUEUE_NOTIFY, 0);
	io_run();
	iommu_enter(iommu);
	iommu_translate(iommu, 1, (iova_t){ r.map.first }, IOMMU_WRITE, &to);
	iommu_leave(iommu);
}

/* The number of a round of hints, or another one. */
static void say_hint(uint64_t more)
{
	const uint32_t id = (uint32_t)(get_reg(VIRTIO_CONFIG + 8, 4) + more);

	balloon_ask_hints(dev);
	guest_write(NULL, (gpa_t){ BUFFERS + 16 }, &id, sizeof(id));
	put_desc(DESC(BALLOON_HINTS), 1,
		 (struct vq_desc){ BUFFERS + 16, sizeof(id), 0, 0 });
	offer(BALLOON_HINTS, 1);
}

static void act_balloon(void)
{
	unsigned n = (unsigned)take(1) % QUEUES;
	uint32_t pfn[4] = { (uint32_t)take(1), (uint32_t)take(4),
			    (uint32_t)take(1), (uint32_t)take(1) };

	guest_write(NULL, (gpa_t){ BUFFERS }, pfn, sizeof(pfn));
	put_desc(DESC(n), 0,
		 (struct vq_desc){ n > 2 ? pfn[0] << 12 : BUFFERS, take_len(),
				   n > 2 ? VQ_DESC_WRITE : 0, 0 });
	if (n == BALLOON_HINTS)
		say_hint(pfn[2] % 3);
	offer(n, 0);
	set(VIRTIO_QUEUE_NOTIFY, n);
	balloon_set_target(dev, pfn[1]);
	balloon_refresh(dev, 0);
}

/* A frame for the link, buffers for one, one that comes, or a link in trouble.
 */
static void act_net(void)
{
	static const int errors[] = { 0, -EAGAIN, -EIO, -ENODEV };
	struct net_header h = { .hdr_len = (uint8_t)take(1) };
	uint64_t pick = take(1);

	if (pick % 4 == 0) {
		h.flags = (uint8_t)(pick >> 4 & 3);
		h.gso_type = (uint8_t)take(1);
		h.gso_size = (uint16_t)take(1);
		h.csum_start = (uint16_t)take(1);
		h.csum_offset = (uint16_t)take(1);
		guest_write(NULL, (gpa_t){ BUFFERS }, &h, sizeof(h));
		put_desc(DESC(1), 0,
			 (struct vq_desc){ BUFFERS, take_len(), 0, 0 });
		offer(1, 0);
		set(VIRTIO_QUEUE_NOTIFY, 1);
	} else if (pick % 4 == 1) {
		for (uint64_t i = 0; i < (pick >> 4); i++) {
			put_desc(DESC(0), i,
				 (struct vq_desc){ BUFFERS + i * 0x400,
						   h.hdr_len * 8u,
						   VQ_DESC_WRITE, 0 });
			offer(0, i);
		}
		set(VIRTIO_QUEUE_NOTIFY, 0);
	} else if (pick % 4 == 2) {
		packet_comes(take(2));
	} else {
		wire.send_error = errors[pick >> 4 & 3];
	}
	io_run();
}

static void act(void)
{
	unsigned n;
	uint64_t at;

	switch (take(1) % 12) {
	case 0:
		bring_up(take(1) << 28 | take(2));
		break;
	case 1:
		n = 1u << take(1) % 4;
		at = take(2) & (0xfffu & -n);
		set_reg(at, n, take(n));
		break;
	case 2:
		n = 1u << take(1) % 4;
		get_reg(take(2) & (0xfffu & -n), n);
		break;
	case 3: {
		struct vq_desc d = { take_address(), take_len(), 0, 0 };

		d.flags = (uint16_t)take(1);
		d.next = (uint16_t)take(1);
		at = take(1);
		put_desc(at & 128 ? BUFFERS : DESC(at >> 4 & 1), at & 15, d);
		break;
	}
	case 4:
		n = (unsigned)take(1) % 3;
		offer(n, take(1));
		break;
	case 5:
		n = (unsigned)take(1) % 3;
		put16(DRIVER(n) + take(1) % 8 * 2, take(2));
		break;
	case 6:
		n = (unsigned)take(1) % 3;
		at = take(1);
		put_request(n, (uint32_t)take(1) % 16,
			    at < 200 ? at : UINT64_MAX - at, take_len());
		break;
	case 7:
		set(VIRTIO_QUEUE_NOTIFY, (uint32_t)take(1));
		io_run();
		break;
	case 8:
		set(VIRTIO_STATUS, 0);
		break;
	case 9:
		at = take_address();
		n = (unsigned)take(1);
		guest_write(NULL, (gpa_t){ at }, &n, 1);
		break;
	case 10:
		set(VIRTIO_INTERRUPT_ACK, (uint32_t)take(1));
		break;
	default:
		if (dev->kind.id == VIRTIO_ID_CONSOLE)
			virtio_console_input(dev, ram, take(2));
		else if (dev->kind.id == VIRTIO_ID_IOMMU)
			act_iommu();
		else if (dev->kind.id == VIRTIO_ID_BALLOON)
			act_balloon();
		else if (dev->kind.id == VIRTIO_ID_NET)
			act_net();
		break;
	}
}

/* A device that was reset serves a request of its kind. */
static void must_work(enum which which)
{
	const bool disk = which == BLK || which == BLK_READONLY;
	const struct vq_desc d = { BUFFERS, 100,
				   which == RNG ? VQ_DESC_WRITE : 0, 0 };
	const unsigned n = which == CONSOLE || which == NET;
	const unsigned sent = wire.sent + !wire.gone;

	if (which == NET)
		silence();
	memset(ram, which == NET ? 0 : 0xff, sizeof(ram));
	for (unsigned i = 0; i < QUEUES; i++)
		put16(DRIVER(i) + 2, 0), put16(DRIVER(i), 0);
	bring_up(0);
	if (disk) {
		put_request(n, BLK_IN, SECTORS - 1, BLK_SECTOR);
	} else {
		put_desc(DESC(n), 0, d);
		offer(n, 0);
	}
	set(VIRTIO_QUEUE_NOTIFY, n);
	io_run();
	if (get_reg(VIRTIO_STATUS, 4) != 15 || get16(DEVICE(n) + 2) != 1 ||
	    !level || (disk && ram[BUFFERS + 0x10] != BLK_OK) ||
	    (which == NET && wire.sent != sent))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	enum which which;

	input = bytes;
	left = len;
	level = 0;
	memset(ram, 0, sizeof(ram));
	which = (enum which)(take(1) % DEVICES);
	if (make(which))
		abort();
	while (left)
		act();
	io_run();
	must_work(which);
	dev->device.ops->destroy(&dev->device);
	return 0;
}
