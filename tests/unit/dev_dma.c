/* SPDX-License-Identifier: MIT */
/*
 * What the DMA engine moves, over a stage 2 at work, behind the IOMMU and not.
 * The cases of its section of the list of hostile inputs have their numbers.
 */
#include "tests/unit/dma_fixture.h"

static uint8_t pattern[3 * PAGE_SIZE + 7], got[sizeof(pattern)];

static void make_pattern(void)
{
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)(i * 7 + i / 251);
}

/* Every pair of offsets in a page that matters, of bytes that were elsewhere
 * meanwhile (D63). */
static void copies_across_pages_that_were_away(void **state)
{
	static const uint32_t off[] = { 0, 1, 8, 4095 };

	(void)state;
	make_pattern();
	begin(0);
	for (unsigned i = 0; i < 16; i++) {
		uint64_t from = A + off[i % 4], to = B + off[i / 4];

		put(from, pattern, sizeof(pattern));
		for (uint64_t page = 0; page < 4; page++)
			stage2_evict(s2,
				     (gfn_t){ gfn_of((gpa_t){ A }).v + page });
		assert_int_equal(kind(A >> PAGE_SHIFT), PTE_STORED);
		assert_int_equal(copy(from, to, sizeof(pattern)), DMA_DONE);
		take(to, got, sizeof(got));
		assert_memory_equal(got, pattern, sizeof(got));
	}
	assert_int_equal(failures, 0);
	end();
}

static void fills_in_phase_and_sums_as_the_internet_does(void **state)
{
	const struct dma_descriptor fill = { .source = 0x0807060504030201,
					     .target = B + 4093,
					     .bytes = 4111,
					     .operation = DMA_FILL };
	static const uint8_t rfc[] = { 0x00, 0x01, 0xf2, 0x03,
				       0xf4, 0xf5, 0xf6, 0xf7 };
	struct dma_descriptor d;
	uint16_t sum;

	(void)state;
	begin(0);
	assert_int_equal(perform(fill).status, DMA_DONE);
	take(B + 4093, got, 4111);
	for (unsigned i = 0; i < 4111; i++)
		assert_int_equal(got[i], i % 8 + 1);
	take(B + 4092, got, 1);
	assert_int_equal(got[0], 0);

	/* RFC 1071, section 3: the sum is ddf2, its complement 220d. */
	put(A, rfc, sizeof(rfc));
	d = perform((struct dma_descriptor){
		.source = A, .bytes = sizeof(rfc), .operation = DMA_CHECKSUM });
	assert_int_equal(d.status, DMA_DONE);
	sum = (uint16_t)d.result;
	assert_memory_equal(&sum, "\x22\x0d", 2);
	end();
}

/* However the bytes are cut, the sum is the same. */
static void a_sum_goes_on(void **state)
{
	static const uint32_t cut[] = { 1, 2, 4097, 8191, 12000 };
	const uint32_t all = sizeof(pattern);
	struct dma_descriptor d = { .source = A + 3,
				    .bytes = sizeof(pattern),
				    .operation = DMA_CHECKSUM };
	uint32_t whole;

	(void)state;
	make_pattern();
	begin(0);
	put(A + 3, pattern, sizeof(pattern));
	whole = perform(d).result;
	for (unsigned i = 0; i < 5; i++) {
		struct dma_descriptor first = d, rest = d;

		first.bytes = cut[i];
		first.flags = DMA_MORE;
		rest.source += cut[i];
		rest.bytes = all - cut[i];
		perform(first);
		assert_int_equal(perform(rest).result, whole);
		assert_int_equal(perform(d).result, whole); /* begins anew */
	}
	end();
}

/* D57, D58, D68. */
static void bad_requests_have_a_status_and_touch_nothing(void **state)
{
	static const struct {
		struct dma_descriptor d;
		enum dma_status status;
	} bad[] = {
		{ { A, B, 0, DMA_COPY, 0, 0, 0 }, DMA_BAD_REQUEST },
		{ { A, B, DMA_BYTES_MAX + 1, DMA_COPY, 0, 0, 0 },
		  DMA_BAD_REQUEST },
		{ { A, B, UINT32_MAX, DMA_FILL, 0, 0, 0 }, DMA_BAD_REQUEST },
		{ { A, B, 8, 0, 0, 0, 0 }, DMA_BAD_REQUEST },
		{ { A, B, 8, 4, 0, 0, 0 }, DMA_BAD_REQUEST },
		{ { A, B, 8, 0xffff, 0, 0, 0 }, DMA_BAD_REQUEST },
		{ { A, B, 8, DMA_COPY, 4, 0, 0 }, DMA_BAD_REQUEST },
		/* holes, MMIO, the engine's own registers, the ROM's place */
		{ { ABI_DMA_BASE, B, 8, DMA_COPY, 0, 0, 0 }, DMA_BAD_ADDRESS },
		{ { A, ABI_DMA_BASE, 8, DMA_COPY, 0, 0, 0 }, DMA_BAD_ADDRESS },
		{ { A, ABI_LAB_BASE, 8, DMA_COPY, 0, 0, 0 }, DMA_BAD_ADDRESS },
		{ { 0, 0xfee00000, 8, DMA_FILL, 0, 0, 0 }, DMA_BAD_ADDRESS },
		{ { 0, PAGES / 2 * PAGE_SIZE, 8, DMA_FILL, 0, 0, 0 },
		  DMA_BAD_ADDRESS },
		{ { UINT64_MAX - 3, B, 8, DMA_COPY, 0, 0, 0 },
		  DMA_BAD_ADDRESS },
		{ { A, UINT64_MAX - 3, 8, DMA_COPY, 0, 0, 0 },
		  DMA_BAD_ADDRESS },
		{ { UINT64_MAX, 0, 1, DMA_CHECKSUM, 0, 0, 0 },
		  DMA_BAD_ADDRESS },
	};
	struct dma_counters c;

	(void)state;
	make_pattern();
	begin(0);
	set(DMA_CONTROL, DMA_RESET);
	wait_idle();
	set(DMA_RING, RING);
	set(DMA_RING_SIZE, RING_SIZE);
	set(DMA_BITS, 64);
	set(DMA_CONTROL, DMA_RUN);
	put(B, pattern, PAGE_SIZE);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(perform(bad[i].d).status, bad[i].status);
	take(B, got, PAGE_SIZE);
	assert_memory_equal(got, pattern, PAGE_SIZE);
	dma_counters(dma, &c);
	assert_int_equal(c.errors, sizeof(bad) / sizeof(bad[0]));
	assert_int_equal(copy(B, A, 8), DMA_DONE);
	end();
}

/* D58: in ascending order, piece by piece. */
static void overlap_is_well_defined(void **state)
{
	(void)state;
	make_pattern();
	begin(0);
	put(A, pattern, 100);
	assert_int_equal(copy(A, A, 100), DMA_DONE);
	assert_int_equal(copy(A, A + 1, 100), DMA_DONE);
	take(A, got, 101);
	assert_int_equal(got[0], pattern[0]);
	assert_memory_equal(got + 1, pattern, 100);
	assert_int_equal(copy(A + 1, A, 100), DMA_DONE);
	take(A, got, 100);
	assert_memory_equal(got, pattern, 100);
	end();
}

/* 16 MiB at first; who needs more says so. */
static void addresses_have_a_limit(void **state)
{
	const uint64_t high = UINT64_C(1) << 32; /* the second region */

	(void)state;
	begin(0);
	assert_int_equal(get(DMA_BITS), 24);
	assert_int_equal(copy(A, 1 << 24, 8), DMA_BAD_ADDRESS);
	assert_int_equal(copy(A, high, 8), DMA_BAD_ADDRESS);
	set(DMA_BITS, 64); /* not while it runs */
	assert_int_equal(get(DMA_BITS), 24);
	set(DMA_CONTROL, 0);
	wait_idle();
	set(DMA_BITS, 33);
	assert_int_equal(get(DMA_BITS), 24);
	set(DMA_BITS, 64);
	set(DMA_CONTROL, DMA_RUN);
	assert_int_equal(copy(A, high, 8), DMA_DONE);
	end();
}

/* D52: outside the window nothing happens but a record. */
static void the_iommu_gives_it_a_window(void **state)
{
	const iova_t ring = { 0x800000 }, window = { 0x900000 };
	struct iommu_fault f;
	struct dma_descriptor d;

	(void)state;
	make_pattern();
	begin(0);
	put(A, pattern, PAGE_SIZE);
	put(B, pattern, PAGE_SIZE);
	assert_int_equal(iommu_attach(iommu, 7, ABI_DMA_ENDPOINT, false), 0);
	assert_int_equal(iommu_map(iommu, 7, ring,
				   (iova_t){ ring.v + PAGE_SIZE - 1 },
				   (gpa_t){ RING }, IOMMU_READ | IOMMU_WRITE),
			 0);
	assert_int_equal(iommu_map(iommu, 7, window,
				   (iova_t){ window.v + PAGE_SIZE - 1 },
				   (gpa_t){ A }, IOMMU_READ),
			 0);
	set(DMA_CONTROL, 0);
	wait_idle();
	set(DMA_RING, ring.v);
	set(DMA_CONTROL, DMA_RUN);

	d = perform((struct dma_descriptor){
		.source = 1, .target = B, .bytes = 8, .operation = DMA_FILL });
	assert_int_equal(d.status, DMA_REFUSED);
	assert_int_equal(faulted, 1);
	assert_true(iommu_take_fault(iommu, &f));
	assert_int_equal(f.reason, IOMMU_NOT_MAPPED);
	assert_int_equal(f.endpoint, ABI_DMA_ENDPOINT);
	assert_int_equal(f.at.v, B);
	assert_int_equal(f.rights, IOMMU_WRITE);
	d.target = window.v; /* it may only be read */
	assert_int_equal(perform(d).status, DMA_REFUSED);
	take(A, got, PAGE_SIZE);
	assert_memory_equal(got, pattern, PAGE_SIZE);
	take(B, got, PAGE_SIZE);
	assert_memory_equal(got, pattern, PAGE_SIZE);
	/* A transfer that leaves the window ends at its border. */
	d = (struct dma_descriptor){ .source = window.v + 4000,
				     .bytes = 200,
				     .operation = DMA_CHECKSUM };
	assert_int_equal(perform(d).status, DMA_REFUSED);
	assert_int_equal(iommu_unmap(iommu, 7, window,
				     (iova_t){ window.v + PAGE_SIZE - 1 }),
			 0);
	d.bytes = 8;
	assert_int_equal(perform(d).status, DMA_REFUSED);
	end();
}

/* D63 under pressure: more is copied than may be resident, all of it right. */
static void copies_under_a_cap(void **state)
{
	uint64_t seed[PAGE_SIZE / 8];

	(void)state;
	begin(PAGES / 4);
	for (uint64_t page = 64; page < 160; page++) {
		for (unsigned i = 0; i < PAGE_SIZE / 8; i++)
			seed[i] = page * 0x9e3779b97f4a7c15 + i * i * page;
		put(page << PAGE_SHIFT, seed, PAGE_SIZE);
	}
	for (unsigned round = 0; round < 3; round++)
		assert_int_equal(copy((64 + round * 96 % 96) << PAGE_SHIFT,
				      160 << PAGE_SHIFT, 96 << PAGE_SHIFT),
				 DMA_DONE);
	for (uint64_t page = 160; page < 256; page++) {
		take(page << PAGE_SHIFT, seed, PAGE_SIZE);
		for (unsigned i = 0; i < PAGE_SIZE / 8; i++)
			assert_int_equal(seed[i],
					 (page - 96) * 0x9e3779b97f4a7c15 +
						 i * i * (page - 96));
	}
	assert_true(counters().swapped_in > 0);
	assert_int_equal(failures, 0);
	end();
}

/* D65. */
static void a_ballooned_page_reads_as_zeros(void **state)
{
	(void)state;
	make_pattern();
	begin(0);
	put(A, pattern, PAGE_SIZE);
	put(B, pattern, PAGE_SIZE);
	guest_discard(s2, (gpa_t){ A }, PAGE_SIZE, GUEST_BALLOONED);
	assert_int_equal(copy(A, B, PAGE_SIZE), DMA_DONE);
	take(B, got, PAGE_SIZE);
	for (unsigned i = 0; i < PAGE_SIZE; i++)
		assert_int_equal(got[i], 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_across_pages_that_were_away),
		cmocka_unit_test(fills_in_phase_and_sums_as_the_internet_does),
		cmocka_unit_test(a_sum_goes_on),
		cmocka_unit_test(bad_requests_have_a_status_and_touch_nothing),
		cmocka_unit_test(overlap_is_well_defined),
		cmocka_unit_test(addresses_have_a_limit),
		cmocka_unit_test(the_iommu_gives_it_a_window),
		cmocka_unit_test(copies_under_a_cap),
		cmocka_unit_test(a_ballooned_page_reads_as_zeros),
	};

	if (!may_watch())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
