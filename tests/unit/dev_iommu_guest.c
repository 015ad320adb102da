/* SPDX-License-Identifier: MIT */
/* The IOMMU as the guest sees it, case by case of docs/hostile.md, D. */
#include "devices/virtio_iommu.h"
#include "guest/abi.h"
#include "tests/unit/virtio_fixture.h"

static struct iommu *inner;

static int begin_device(void **state)
{
	struct virtio_host host;

	(void)state;
	ram_make();
	host = test_host();
	assert_int_equal(virtio_iommu_create(&dev, &inner, &host), 0);
	iommu_add_endpoint(inner, ABI_DMA_ENDPOINT);
	bring_up(IOMMU_F_MAP_UNMAP | IOMMU_F_PROBE | IOMMU_F_BYPASS_CONFIG, 16);
	return 0;
}

static int end_device(void **state)
{
	(void)state;
	destroy();
	ram_free();
	return 0;
}

/* One request of @bytes with @room behind it to write; what was written. */
static uint32_t ask(const struct iommu_request *r, uint32_t bytes,
		    uint32_t room)
{
	uint16_t seen = used_idx();

	put(BUFFERS, r, bytes);
	if (room)
		put_desc(DESC, 1, BUFFERS + PAGE_SIZE, room, VQ_DESC_WRITE, 0);
	put_desc(DESC, 0, BUFFERS, bytes, room ? VQ_DESC_NEXT : 0, 1);
	offer(16, 0);
	set(VIRTIO_QUEUE_NOTIFY, IOMMU_REQUESTS);
	while (used_idx() == seen)
		interrupt();
	return used_entry(seen % 16).len;
}

static enum iommu_status status_of(const struct iommu_request *r,
				   uint32_t bytes)
{
	uint8_t status;

	put16(BUFFERS + PAGE_SIZE, 0xffff);
	assert_int_equal(ask(r, bytes, 4), 4);
	get(BUFFERS + PAGE_SIZE, &status, 1);
	return status;
}

static enum iommu_status ask_map(uint64_t first, uint64_t last, uint64_t to,
				 uint32_t flags)
{
	struct iommu_request r = { .type = IOMMU_MAP };

	r.map.domain = 1;
	r.map.first = first;
	r.map.last = last;
	r.map.to = to;
	r.map.flags = flags;
	return status_of(&r, 36);
}

static enum iommu_status ask_attach(enum iommu_request_type type,
				    uint32_t endpoint, uint32_t flags,
				    uint32_t reserved)
{
	struct iommu_request r = { .type = (uint8_t)type };

	r.attach.domain = 1;
	r.attach.endpoint = endpoint;
	r.attach.flags = flags;
	r.attach.reserved = reserved;
	return status_of(&r, 20);
}

static void requests_have_their_status(void **state)
{
	const uint32_t dma = ABI_DMA_ENDPOINT;
	struct iommu_request r = { .type = IOMMU_UNMAP };

	(void)state;
	assert_int_equal(ask_map(0, 0xfff, 0, 1), IOMMU_NOENT);
	assert_int_equal(ask_attach(IOMMU_ATTACH, 77, 0, 0), IOMMU_NOENT);
	assert_int_equal(ask_attach(IOMMU_ATTACH, dma, 2, 0), IOMMU_INVAL);
	assert_int_equal(ask_attach(IOMMU_ATTACH, dma, 0, 1), IOMMU_INVAL);
	assert_int_equal(ask_attach(IOMMU_ATTACH, dma, 0, 0), IOMMU_OK);
	assert_int_equal(ask_map(0, 0xfff, 0, 3), IOMMU_OK);
	assert_int_equal(ask_map(0, 0xfff, 0, 3), IOMMU_INVAL);
	/* D49: what is not RAM, and what no device may have. */
	assert_int_equal(ask_map(0x1000, 0x1fff, HOLE, 3), IOMMU_INVAL);
	assert_int_equal(ask_map(0x1000, 0x1fff, LOW_END, 3), IOMMU_INVAL);
	assert_int_equal(ask_map(0x1000, 0x2fff, LOW_END - 0x1000, 3),
			 IOMMU_INVAL);
	assert_int_equal(ask_map(0, UINT64_MAX, 0, 3), IOMMU_INVAL);
	assert_int_equal(ask_map(0x2fff, 0x1000, 0, 3), IOMMU_INVAL);
	assert_int_equal(ask_map(0xfee00000, 0xfee00fff, 0, 3), IOMMU_INVAL);
	assert_int_equal(ask_map(0x1000, 0x1fff, 0, 4), IOMMU_INVAL);
	assert_int_equal(ask_map(0x1000, 0x2fff, 0x1000, 3), IOMMU_OK);
	r.unmap.domain = 1;
	r.unmap.first = 0x1000;
	r.unmap.last = 0x1fff;
	assert_int_equal(status_of(&r, 28), IOMMU_RANGE);
	r.unmap.last = 0x2fff;
	assert_int_equal(status_of(&r, 28), IOMMU_OK);
	assert_int_equal(ask_attach(IOMMU_DETACH, dma, 1, 0), IOMMU_INVAL);
	assert_int_equal(ask_attach(IOMMU_DETACH, dma, 0, 0), IOMMU_OK);
	assert_int_equal(ask_attach(IOMMU_DETACH, dma, 0, 0), IOMMU_INVAL);
}

/* D56: its own queues are not behind it: no device says that its accesses are
 * translated, and it has no number of its own that could be attached. */
static void its_own_queues_are_not_translated(void **state)
{
	const uint32_t access_platform = 33 - 32;

	(void)state;
	set(VIRTIO_DEVICE_FEATURES_SEL, 1);
	assert_int_equal(reg(VIRTIO_DEVICE_FEATURES) >> access_platform & 1, 0);
	dev->device.ops->write(
		&dev->device,
		VIRTIO_CONFIG + offsetof(struct iommu_config, bypass), 1, 0);
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(ask_attach(IOMMU_ATTACH, i, 0, 0),
				 i == ABI_DMA_ENDPOINT ? IOMMU_OK
						       : IOMMU_NOENT);
	assert_int_equal(ask_attach(IOMMU_DETACH, ABI_DMA_ENDPOINT, 0, 0),
			 IOMMU_OK);
}

/* D54, and requests that are none: given back, nothing written. */
static void short_and_unknown_requests_are_given_back(void **state)
{
	struct iommu_request r = { .type = 9 };
	struct iommu_reserved msi;
	uint8_t status;

	(void)state;
	assert_int_equal(ask(&r, 20, 4), 0);
	r.type = 0;
	assert_int_equal(ask(&r, 20, 4), 0);
	r.type = IOMMU_ATTACH;
	assert_int_equal(ask(&r, 19, 4), 0);
	assert_int_equal(ask(&r, 20, 3), 0);
	assert_int_equal(ask(&r, 20, 0), 0);
	r = (struct iommu_request){ .type = IOMMU_PROBE };
	r.probe.endpoint = 77;
	assert_int_equal(status_of(&r, 72), IOMMU_NOENT);
	r.probe.endpoint = ABI_DMA_ENDPOINT;
	assert_int_equal(status_of(&r, 72), IOMMU_INVAL);
	assert_int_equal(ask(&r, 72, IOMMU_PROBE_BYTES + 4),
			 IOMMU_PROBE_BYTES + 4);
	get(BUFFERS + PAGE_SIZE, &msi, sizeof(msi));
	assert_int_equal(msi.type, 1);
	assert_int_equal(msi.length, 20);
	assert_int_equal(msi.start, 0xfee00000);
	get(BUFFERS + PAGE_SIZE + IOMMU_PROBE_BYTES, &status, 1);
	assert_int_equal(status, IOMMU_OK);
	assert_int_equal(reg(VIRTIO_STATUS) & VIRTIO_NEEDS_RESET, 0);
}

/* A record waits for a buffer; bypass survives a reset, domains do not. */
static void faults_are_told_and_bypass_is_kept(void **state)
{
	const uint64_t bypass =
		VIRTIO_CONFIG + offsetof(struct iommu_config, bypass);
	struct iommu_event e;
	gpa_t to;

	(void)state;
	dev->device.ops->write(&dev->device, bypass, 1, 7); /* no such value */
	assert_int_equal(dev->device.ops->read(&dev->device, bypass, 1), 1);
	assert_true(iommu_translate(inner, ABI_DMA_ENDPOINT, (iova_t){ 0x5008 },
				    IOMMU_WRITE, &to));
	dev->device.ops->write(&dev->device, bypass, 1, 0);
	assert_false(iommu_translate(inner, ABI_DMA_ENDPOINT,
				     (iova_t){ 0x5008 }, IOMMU_WRITE, &to));
	bring_up(0, 16); /* a reset; then queue 1 at the same place */
	assert_int_equal(dev->device.ops->read(&dev->device, bypass, 1), 0);
	clear_queue();
	negotiate(0);
	set_queue(IOMMU_EVENTS, 16);
	driver_ok();
	put_desc(DESC, 0, BUFFERS, sizeof(e), VQ_DESC_WRITE, 0);
	offer(16, 0);
	set(VIRTIO_QUEUE_NOTIFY, IOMMU_EVENTS);
	while (used_idx() == 0)
		interrupt();
	assert_int_equal(used_entry(0).len, sizeof(e));
	get(BUFFERS, &e, sizeof(e));
	assert_int_equal(e.reason, IOMMU_EVENT_DOMAIN);
	assert_int_equal(e.flags, IOMMU_EVENT_WRITE | IOMMU_EVENT_ADDRESS);
	assert_int_equal(e.endpoint, ABI_DMA_ENDPOINT);
	assert_int_equal(e.address, 0x5008);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, begin_device, end_device)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(requests_have_their_status),
		TEST(its_own_queues_are_not_translated),
		TEST(short_and_unknown_requests_are_given_back),
		TEST(faults_are_told_and_bypass_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
