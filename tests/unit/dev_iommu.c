/* SPDX-License-Identifier: MIT */
/* The IOMMU by itself, held against a flat array; then as the guest sees it,
 * case by case of HOSTILE 1D. */
#include <errno.h>

#include "devices/virtio_iommu.h"
#include "guest/abi.h"
#include "tests/unit/virtio_fixture.h"

#define DEVICE_1 1u
#define DEVICE_2 2u

static struct iommu *m;
static unsigned faulted;

static void on_fault(void *ctx)
{
	assert_ptr_equal(ctx, &faulted);
	faulted++;
}

static int begin(void **state)
{
	(void)state;
	faulted = 0;
	m = iommu_create(on_fault, &faulted);
	iommu_add_endpoint(m, DEVICE_1);
	iommu_add_endpoint(m, DEVICE_2);
	return 0;
}

static int end(void **state)
{
	struct iommu_counters c;

	(void)state;
	iommu_reset(m);
	iommu_counters(m, &c);
	assert_int_equal(c.tables, 0);
	iommu_destroy(m);
	return 0;
}

/* Pages [page, page + pages) of domain 7 become those from @to on. */
static int map(uint64_t page, uint64_t pages, uint64_t to, unsigned rights)
{
	return iommu_map(m, 7, (iova_t){ page << PAGE_SHIFT },
			 (iova_t){ ((page + pages) << PAGE_SHIFT) - 1 },
			 (gpa_t){ to << PAGE_SHIFT }, rights);
}

static int unmap(uint64_t page, uint64_t pages)
{
	return iommu_unmap(m, 7, (iova_t){ page << PAGE_SHIFT },
			   (iova_t){ ((page + pages) << PAGE_SHIFT) - 1 });
}

/* Where @page leads; UINT64_MAX: nowhere. */
static uint64_t leads_to(uint64_t page, unsigned rights)
{
	gpa_t to;
	bool good;

	iommu_enter(m);
	good = iommu_translate(m, DEVICE_1, (iova_t){ page << PAGE_SHIFT },
			       rights, &to);
	iommu_leave(m);
	return good ? to.v >> PAGE_SHIFT : UINT64_MAX;
}

static void an_endpoint_without_a_domain_bypasses_or_not(void **state)
{
	struct iommu_fault f;

	(void)state;
	assert_int_equal(leads_to(5, IOMMU_WRITE), 5);
	iommu_set_bypass(m, false);
	assert_int_equal(leads_to(5, IOMMU_WRITE), UINT64_MAX);
	assert_int_equal(faulted, 1);
	assert_true(iommu_take_fault(m, &f));
	assert_int_equal(f.reason, IOMMU_NO_DOMAIN);
	assert_int_equal(f.endpoint, DEVICE_1);
	assert_int_equal(f.at.v, 5 << PAGE_SHIFT);
	assert_false(iommu_take_fault(m, &f));
	assert_int_equal(iommu_attach(m, 7, DEVICE_1, true), 0);
	assert_int_equal(leads_to(5, IOMMU_WRITE), 5);
	assert_int_equal(map(1, 1, 1, IOMMU_READ), -EINVAL);
}

/* D53. */
static void domains_come_and_go_with_their_endpoints(void **state)
{
	(void)state;
	assert_int_equal(iommu_attach(m, 7, 99, false), -ENOENT);
	assert_int_equal(map(1, 1, 1, IOMMU_READ), -ENOENT);
	assert_int_equal(unmap(1, 1), -ENOENT);
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(iommu_attach(m, 7, DEVICE_1, false), 0);
		assert_int_equal(iommu_attach(m, 7, DEVICE_2, false), 0);
		assert_int_equal(iommu_attach(m, 7, DEVICE_2, true), -EINVAL);
		assert_int_equal(map(1, 1, 100 + i, IOMMU_READ), 0);
		assert_int_equal(leads_to(1, IOMMU_READ), 100 + i);
		assert_int_equal(iommu_attach(m, i + 8, DEVICE_2, false), 0);
		assert_int_equal(iommu_detach(m, 7, DEVICE_2), -EINVAL);
		assert_int_equal(iommu_detach(m, i + 8, DEVICE_2), 0);
		assert_int_equal(iommu_detach(m, 7, 99), -ENOENT);
		assert_int_equal(iommu_detach(m, 7, DEVICE_1), 0);
		assert_int_equal(iommu_detach(m, 7, DEVICE_1), -EINVAL);
		assert_int_equal(leads_to(1, IOMMU_READ), 1);
	}
}

/* D49, D50. */
static void a_mapping_goes_as_it_came(void **state)
{
	(void)state;
	iommu_attach(m, 7, DEVICE_1, false);
	assert_int_equal(map(512, 1024, 2048, IOMMU_READ), 0); /* large ones */
	assert_int_equal(map(10, 5, 70, IOMMU_READ | IOMMU_WRITE), 0);
	assert_int_equal(map(15, 1, 90, IOMMU_WRITE), 0); /* D51: adjacent */
	assert_int_equal(map(14, 1, 1, IOMMU_READ), -EINVAL);
	assert_int_equal(map(0, 11, 1, IOMMU_READ), -EINVAL);
	assert_int_equal(map(0, 1 << 20, 1, IOMMU_READ), -EINVAL);
	assert_int_equal(unmap(10, 4), -ERANGE);
	assert_int_equal(unmap(11, 4), -ERANGE);
	assert_int_equal(unmap(12, 1), -ERANGE);
	assert_int_equal(unmap(0, 13), -ERANGE);
	assert_int_equal(unmap(512, 512), -ERANGE);
	assert_int_equal(unmap(1024, 512), -ERANGE);
	assert_int_equal(unmap(513, 1), -ERANGE);
	assert_int_equal(leads_to(14, IOMMU_WRITE), 74);
	assert_int_equal(leads_to(15, IOMMU_WRITE), 90);
	assert_int_equal(leads_to(15, IOMMU_READ), UINT64_MAX);
	assert_int_equal(leads_to(1535, IOMMU_READ), 2048 + 1023);
	assert_int_equal(unmap(0, 16), 0); /* two whole ones */
	assert_int_equal(leads_to(14, IOMMU_READ), UINT64_MAX);
	assert_int_equal(unmap(0, UINT64_C(1) << 36), 0);
	assert_int_equal(leads_to(600, IOMMU_READ), UINT64_MAX);
	assert_int_equal(unmap(0, 1), 0); /* nothing is there: no error */
}

/* D49. */
static void requests_without_sense_change_nothing(void **state)
{
	const iova_t a = { PAGE_SIZE }, b = { 3 * PAGE_SIZE - 1 };
	const gpa_t to = { 0 };
	const unsigned rw = IOMMU_READ | IOMMU_WRITE;
	struct iommu_counters c;

	(void)state;
	iommu_attach(m, 7, DEVICE_1, false);
	assert_int_equal(iommu_map(m, 7, b, a, to, rw), -EINVAL);
	assert_int_equal(iommu_map(m, 7, a, a, to, rw), -EINVAL);
	assert_int_equal(iommu_map(m, 7, (iova_t){ 1 }, b, to, rw), -EINVAL);
	assert_int_equal(iommu_map(m, 7, a, (iova_t){ b.v + 1 }, to, rw),
			 -EINVAL);
	assert_int_equal(iommu_map(m, 7, a, b, (gpa_t){ 1 }, rw), -EINVAL);
	assert_int_equal(iommu_map(m, 7, a, b, (gpa_t){ ~PAGE_MASK }, rw),
			 -EINVAL);
	assert_int_equal(iommu_map(m, 7, a, b, to, 0), -EINVAL);
	assert_int_equal(iommu_map(m, 7, a, b, to, 4), -EINVAL);
	assert_int_equal(iommu_map(m, 7, a, (iova_t){ UINT64_MAX }, to, rw),
			 -EINVAL);
	assert_int_equal(iommu_unmap(m, 7, b, a), -EINVAL);
	assert_int_equal(iommu_unmap(m, 7, a, (iova_t){ UINT64_MAX }), -EINVAL);
	iommu_counters(m, &c);
	assert_int_equal(c.mapped, 0);
	assert_int_equal(c.tables, 0);
	assert_int_equal(leads_to(UINT64_C(1) << 40, IOMMU_READ), UINT64_MAX);
}

/* D49: a million mappings find an end, and nothing is left of the last. */
static void tables_are_bounded(void **state)
{
	struct iommu_counters c;
	uint64_t n = 0;
	int r = 0;

	(void)state;
	iommu_attach(m, 7, DEVICE_1, false);
	for (; n < 1000000 && !r; n++)
		r = map(n << 18, 1, n, IOMMU_READ);
	assert_int_equal(r, -ENOMEM);
	iommu_counters(m, &c);
	assert_in_range(c.tables, IOMMU_TABLES - 3, IOMMU_TABLES);
	assert_int_equal(leads_to((n - 1) << 18, IOMMU_READ), UINT64_MAX);
	assert_int_equal(leads_to((n - 2) << 18, IOMMU_READ), n - 2);
	assert_int_equal(unmap((n - 2) << 18, 1), 0);
	assert_int_equal(map((n - 1) << 18, 1, n, IOMMU_READ), 0);
}

/* D55. */
static void fault_records_are_bounded(void **state)
{
	struct iommu_counters c;
	struct iommu_fault f;

	(void)state;
	iommu_attach(m, 7, DEVICE_1, false);
	for (uint64_t i = 0; i < IOMMU_FAULTS + 10; i++)
		leads_to(i, IOMMU_READ);
	iommu_counters(m, &c);
	assert_int_equal(c.faults, IOMMU_FAULTS + 10);
	assert_int_equal(c.lost, 10);
	for (uint64_t i = 0; i < IOMMU_FAULTS; i++) {
		assert_true(iommu_take_fault(m, &f));
		assert_int_equal(f.at.v, i << PAGE_SHIFT);
	}
	assert_false(iommu_fault_waits(m));
}

static void the_tlb_forgets_what_is_unmapped(void **state)
{
	struct iommu_counters c;

	(void)state;
	iommu_attach(m, 7, DEVICE_1, false);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(map(3, 1, 50 + i, IOMMU_READ), 0);
		assert_int_equal(leads_to(3, IOMMU_READ), 50 + i);
		assert_int_equal(leads_to(3, IOMMU_READ), 50 + i);
		assert_int_equal(unmap(3, 1), 0);
		assert_int_equal(leads_to(3, IOMMU_READ), UINT64_MAX);
	}
	iommu_counters(m, &c);
	assert_int_equal(c.hits, 100);
	assert_int_equal(c.walks, 200);
}

/* D50: an unmap waits for the access that was told the old address. */
static _Atomic int unmapped;

static void *unmap_it(void *arg)
{
	(void)arg;
	assert_int_equal(unmap(3, 1), 0);
	unmapped = 1;
	return NULL;
}

static void an_unmap_waits_for_accesses_under_way(void **state)
{
	pthread_t other;
	gpa_t to;

	(void)state;
	unmapped = 0;
	iommu_attach(m, 7, DEVICE_1, false);
	map(3, 1, 50, IOMMU_READ);
	iommu_enter(m);
	assert_true(iommu_translate(m, DEVICE_1, (iova_t){ 3 << PAGE_SHIFT },
				    IOMMU_READ, &to));
	assert_int_equal(pthread_create(&other, NULL, unmap_it, NULL), 0);
	/* Once it is not mapped any more, the other one waits for us. */
	while (iommu_translate(m, DEVICE_1, (iova_t){ 3 << PAGE_SHIFT },
			       IOMMU_READ, &to))
		;
	assert_int_equal(unmapped, 0);
	iommu_leave(m);
	pthread_join(other, NULL);
	assert_int_equal(unmapped, 1);
}

/* Random mappings beside an array that says the same. */
#define SPACE 4096u

static void tables_agree_with_a_flat_array(void **state)
{
	static struct {
		uint64_t to;
		unsigned number; /* of the mapping; 0: none */
	} flat[SPACE];
	unsigned seed = 20261121;

	(void)state;
	iommu_attach(m, 7, DEVICE_1, false);
	for (unsigned round = 1; round < 20000; round++) {
		unsigned first = (unsigned)rand_r(&seed) % SPACE;
		unsigned n = 1u << rand_r(&seed) % 12;
		bool clash = false, cut;
		uint64_t to =
			((unsigned)rand_r(&seed) % 8) << 9 | (first & 511);

		if (rand_r(&seed) % 4 == 0)
			first &= ~511u;
		if (n > SPACE - first)
			n = SPACE - first;
		cut = (first && flat[first].number &&
		       flat[first].number == flat[first - 1].number) ||
		      (first + n < SPACE && flat[first + n].number &&
		       flat[first + n].number == flat[first + n - 1].number);
		for (unsigned i = first; i < first + n; i++)
			clash |= flat[i].number != 0;
		if (rand_r(&seed) % 2) {
			assert_int_equal(map(first, n, to, IOMMU_READ),
					 clash ? -EINVAL : 0);
			for (unsigned i = 0; i < n && !clash; i++) {
				flat[first + i].to = to + i;
				flat[first + i].number = round;
			}
		} else {
			assert_int_equal(unmap(first, n), cut ? -ERANGE : 0);
			for (unsigned i = first; i < first + n && !cut; i++)
				flat[i].number = 0;
		}
		for (unsigned k = 0; k < 8; k++) {
			unsigned i = (unsigned)rand_r(&seed) % SPACE;

			assert_int_equal(leads_to(i, IOMMU_READ),
					 flat[i].number ? flat[i].to
							: UINT64_MAX);
		}
	}
}

/* --- as the guest sees it --- */

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

int main(void)
{
#define CORE(f)	 cmocka_unit_test_setup_teardown(f, begin, end)
#define FRONT(f) cmocka_unit_test_setup_teardown(f, begin_device, end_device)
	const struct CMUnitTest tests[] = {
		CORE(an_endpoint_without_a_domain_bypasses_or_not),
		CORE(domains_come_and_go_with_their_endpoints),
		CORE(a_mapping_goes_as_it_came),
		CORE(requests_without_sense_change_nothing),
		CORE(tables_are_bounded),
		CORE(fault_records_are_bounded),
		CORE(the_tlb_forgets_what_is_unmapped),
		CORE(an_unmap_waits_for_accesses_under_way),
		CORE(tables_agree_with_a_flat_array),
		FRONT(requests_have_their_status),
		FRONT(its_own_queues_are_not_translated),
		FRONT(short_and_unknown_requests_are_given_back),
		FRONT(faults_are_told_and_bypass_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
