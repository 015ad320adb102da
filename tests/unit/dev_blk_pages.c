/* SPDX-License-Identifier: MIT */
/*
 * The pages that a disk's requests lie in, over a stage 2 at work: they are
 * brought in, stay while the host is at it, and are let go of whatever comes.
 * D4 and D63 (for the disk) of docs/hostile.md.
 */
#include <signal.h>

#include "ept/state.h"
#include "tests/unit/blk_fixture.h"
#include "tests/unit/stage2_fixture.h"

#define PAGE(n) (DATA + (uint64_t)(n)*2 * PAGE_SIZE) /* none beside another */

static int pipes[2]; /* a disk that answers when we say so */

static void start_on(int fd, struct options o)
{
	o.pages = 1024;
	start(o);
	ram = s2;
	make_disk(fd, SECTORS * BLK_SECTOR, false);
	start_disk();
}

/* A cap of 64 pages: 16 may be held. */
static void start_on_pipe(void)
{
	assert_int_equal(pipe(pipes), 0);
	start_on(pipes[0], (struct options){ .limit = 64 });
}

static void end(void)
{
	destroy();
	stop();
}

static void end_pipe(void)
{
	end();
	close(pipes[1]);
}

/* Could the page at @at be taken away? Then it is, and reads as zeros. One that
 * is held always stays; one that is not may be gone to swap already. */
static bool is_loose(uint64_t at)
{
	bool taken = false;
	uint8_t some = 1;

	for (unsigned tries = 0; !taken && tries < 100; tries++) {
		put(at, &some, 1);
		taken = guest_discard(s2, (gpa_t){ at }, PAGE_SIZE,
				      GUEST_BALLOONED);
	}
	return taken;
}

/* Request @i reads into @pages pages from PAGE(first) on. */
static void make_read(unsigned i, unsigned first, unsigned pages)
{
	uint64_t table = TABLE + i * 0x400;

	put_header(BLK_IN, 0);
	put_desc(table, 0, HEADER, 16, VQ_DESC_NEXT, 1);
	for (unsigned n = 1; n <= pages; n++)
		put_desc(table, n, PAGE(first + n - 1), PAGE_SIZE,
			 VQ_DESC_NEXT | VQ_DESC_WRITE, n + 1);
	put_desc(table, pages + 1, STATUS + i, 1, VQ_DESC_WRITE, 0);
	put_desc(DESC, i, table, (pages + 2) * 16, VQ_DESC_INDIRECT, 0);
}

/* Offered all at once: what we write holds a page, too. */
static void offer_reads(unsigned requests, unsigned pages)
{
	uint16_t idx = get16(DRIVER + 2);

	for (unsigned i = 0; i < requests; i++) {
		make_read(i, i * pages, pages);
		put16(DRIVER + 4 + (idx + i) % SIZE * 2, (uint16_t)i);
	}
	put16(DRIVER + 2, (uint16_t)(idx + requests));
	asked += requests;
	set(VIRTIO_QUEUE_NOTIFY, 0);
}

/* Until so many pages are held for the host. */
static void wait_held(unsigned pages)
{
	unsigned now;

	do {
		pthread_mutex_lock(&s2->lock);
		now = s2->pins.frames;
		pthread_mutex_unlock(&s2->lock);
	} while (now < pages);
}

/* The host gets as many bytes as @pages pages of @what. */
static void answer(unsigned pages, char what)
{
	char bytes[PAGE_SIZE];

	memset(bytes, what, sizeof(bytes));
	while (pages--)
		assert_int_equal(write(pipes[1], bytes, sizeof(bytes)),
				 sizeof(bytes));
}

static void pages_come_from_wherever_they_are(void **state)
{
	uint32_t sector = 0;

	(void)state;
	setup_image();
	start_on(dup(file), (struct options){ .limit = 0 });
	put(PAGE(0), "stored", 7);
	put(PAGE(1), "stored", 7);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(stage2_evict(s2, gfn_of((gpa_t){ PAGE(i) })),
				 0);
	assert_int_equal(request(BLK_OUT, 8, PAGE(0), 512), BLK_OK);
	assert_int_equal(pread(file, &sector, 4, 8 * BLK_SECTOR), 4);
	assert_memory_equal(&sector, "stor", 4);
	assert_int_equal(request(BLK_IN, 9, PAGE(1), 512), BLK_OK);
	assert_int_equal(word(PAGE(1)), 9);
	/* It was read past the table: that is not taken for its stored copy. */
	assert_int_equal(stage2_evict(s2, gfn_of((gpa_t){ PAGE(1) })), 0);
	assert_int_equal(word(PAGE(1)), 9);
	assert_int_equal(request(BLK_IN, 10, PAGE(2), 512), BLK_OK);
	assert_int_equal(word(PAGE(2)), 10);
	for (unsigned i = 0; i < 3; i++)
		assert_true(is_loose(PAGE(i)));
	end();
	close(file);
}

/* D4: what the host works on is not given away, and then it is. */
static void pages_stay_while_the_host_is_at_it(void **state)
{
	(void)state;
	start_on_pipe();
	offer_reads(1, 2);
	wait_held(2);
	assert_false(is_loose(PAGE(0)));
	assert_false(is_loose(PAGE(1)));
	assert_true(is_loose(PAGE(2)));
	answer(2, 'x');
	assert_int_equal(status(), BLK_OK);
	assert_int_equal(word(PAGE(1)), 0x78787878);
	assert_true(is_loose(PAGE(0)));
	assert_true(is_loose(PAGE(1)));
	end_pipe();
}

/* Three requests of 12 pages where 16 may be held: the first has all of its
 * own, the rest waits. */
static void what_cannot_be_held_waits(void **state)
{
	unsigned loose = 0;

	(void)state;
	start_on_pipe();
	offer_reads(3, 12);
	wait_held(16);
	assert_false(is_loose(PAGE(11)));
	for (unsigned i = 12; i < 36; i++)
		loose += is_loose(PAGE(i));
	assert_int_equal(loose, 20);
	answer(36, 'y');
	status();
	for (unsigned i = 0; i < 36; i++) {
		assert_int_equal(word(PAGE(i)), 0x79797979);
		assert_true(is_loose(PAGE(i)));
	}
	assert_int_equal(dev->count.errors, 0);
	assert_int_equal(dev->count.bytes, 36 * PAGE_SIZE);
	end_pipe();
}

/* Where others hold all that may be held, a page goes after the other. */
static void one_page_can_always_be_had(void **state)
{
	unsigned held = 0;
	void *host;

	(void)state;
	setup_image();
	start_on(dup(file), (struct options){ .limit = 64 });
	while (held < 16) /* but while the device reads its queue */
		held += !guest_hold(s2, (gpa_t){ PAGE(32 + held) }, true,
				    &host);
	assert_int_equal(guest_hold(s2, (gpa_t){ PAGE(0) }, true, &host),
			 -EBUSY);
	offer_reads(1, 12);
	assert_int_equal(status(), BLK_OK);
	for (unsigned i = 0; i < 12; i++)
		assert_int_equal(word(PAGE(i)), i * 8);
	while (held--)
		guest_unpin(s2, (gpa_t){ PAGE(32 + held) });
	end();
	close(file);
}

/* D23: and a reset lets go of them all. */
static void a_reset_lets_go(void **state)
{
	(void)state;
	start_on_pipe();
	offer_reads(3, 12);
	wait_held(16);
	assert_false(is_loose(PAGE(0)));
	start_disk();
	for (unsigned i = 0; i < 36; i++)
		assert_true(is_loose(PAGE(i)));
	answer(1, 'z');
	assert_int_equal(request(BLK_IN, 0, PAGE(0), PAGE_SIZE), BLK_OK);
	assert_int_equal(word(PAGE(0)), 0x7a7a7a7a);
	end_pipe();
}

static sigjmp_buf after;

static void on_sigbus(int sig)
{
	(void)sig;
	siglongjmp(after, 1);
}

/* D63: of a request with a page that is lost in its midst. */
static void expect_error(bool poison)
{
	const gpa_t lost = { PAGE(1) };

	setup_image();
	start_on(dup(file), (struct options){ .flip = 1, .poison = poison });
	put(lost.v, "stored", 7);
	assert_int_equal(stage2_evict(s2, gfn_of(lost)), 0);
	signal(SIGBUS, on_sigbus);
	if (poison && !sigsetjmp(after, 1))
		(void)*(volatile uint8_t *)stage2_host(s2, gfn_of(lost));
	for (unsigned i = 0; i < 3; i++) {
		offer_reads(1, 3);
		assert_int_equal(status(), BLK_IOERR);
	}
	assert_true(is_loose(PAGE(0)));
	assert_true(is_loose(PAGE(2)));
	if (!poison) { /* given up, it is as new */
		guest_discard(s2, lost, PAGE_SIZE, GUEST_BALLOONED);
		offer_reads(1, 3);
		assert_int_equal(status(), BLK_OK);
		assert_int_equal(word(lost.v), 8);
	}
	end();
	close(file);
}

static void lost_pages_are_errors(void **state)
{
	(void)state;
	expect_error(false);
	expect_error(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_come_from_wherever_they_are),
		cmocka_unit_test(pages_stay_while_the_host_is_at_it),
		cmocka_unit_test(what_cannot_be_held_waits),
		cmocka_unit_test(one_page_can_always_be_had),
		cmocka_unit_test(a_reset_lets_go),
		cmocka_unit_test(lost_pages_are_errors),
	};

	return may_watch() ? cmocka_run_group_tests(tests, NULL, NULL) : 0;
}
