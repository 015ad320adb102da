/* SPDX-License-Identifier: MIT */
/* A trace of a stage 2 at work: begun and ended at any time, its records are
 * exactly what was counted between. */
#include "tests/unit/stage2_fixture.h"

#include <pthread.h>
#include <sys/mman.h>

#include "ept/state.h"

#define RECORDS 400000

static struct trace *trace;
static int file;
static struct trace_record record[RECORDS];
static size_t records;

static void begin(struct stage2_counters *c)
{
	file = memfd_create("trace", MFD_CLOEXEC);
	assert_int_equal(trace_create(&trace, dup(file), 1000000, 0), 0);
	stage2_trace(s2, trace, c);
}

static void end(struct stage2_counters *c)
{
	stage2_trace(s2, NULL, c);
	assert_int_equal(trace_close(trace), 0);
	records = (size_t)pread(file, record, sizeof(record),
				sizeof(struct trace_header)) /
		  sizeof(record[0]);
	close(file);
}

static uint64_t count(unsigned kind)
{
	uint64_t n = 0;

	for (size_t i = 0; i < records; i++)
		n += record[i].kind == kind;
	return n;
}

static const struct trace_record *first(unsigned kind)
{
	for (size_t i = 0; i < records; i++)
		if (record[i].kind == kind)
			return &record[i];
	fail_msg("no record of kind %u", kind);
	return NULL;
}

static void *touch_all(void *arg)
{
	uint64_t rounds = *(const uint64_t *)arg;

	for (uint64_t i = 0; i < rounds * PAGES; i++)
		*touchable(i * 7 % PAGES) = i;
	return NULL;
}

static void assert_exact(const struct stage2_counters *a,
			 const struct stage2_counters *b)
{
	assert_int_equal(count(TRACE_STAGE2),
			 b->missing - a->missing + b->minor - a->minor);
	assert_int_equal(count(TRACE_WHO), count(TRACE_STAGE2));
	assert_int_equal(count(TRACE_AHEAD), b->mapped_ahead - a->mapped_ahead);
	assert_int_equal(count(TRACE_EVICT),
			 b->swapped_out - a->swapped_out + b->clean_dropped -
				 a->clean_dropped + b->zero_elided -
				 a->zero_elided);
}

/* While it is under way, begin and end traces. */
static void records_are_what_was_counted(void **state)
{
	struct stage2_counters before, after;
	uint64_t rounds = 40, faults = 0;
	pthread_t thread;

	(void)state;
	start((struct options){ .limit = PAGES / 4 });
	assert_int_equal(pthread_create(&thread, NULL, touch_all, &rounds), 0);
	for (unsigned i = 0; i < 20; i++) {
		begin(&before);
		usleep(2000);
		end(&after);
		assert_exact(&before, &after);
		faults += count(TRACE_STAGE2);
	}
	begin(&before);
	pthread_join(thread, NULL);
	end(&after);
	assert_exact(&before, &after);
	assert_in_range(faults + count(TRACE_STAGE2), 1, RECORDS);
	stop();
}

/* Each fault has its number, its WHO record the same one and its time. */
static void a_fault_and_who_it_was_belong_together(void **state)
{
	struct stage2_counters unused;
	uint64_t numbers = 0; /* a bit each: two threads' records mix */

	(void)state;
	start((struct options){ 0 });
	begin(&unused);
	for (uint64_t i = 0; i < PAGES; i += FAR)
		*touchable(i) = 1;
	end(&unused);
	for (size_t i = 0; i < records; i++) {
		const struct trace_record *r = &record[i];

		if (r->kind != TRACE_STAGE2)
			continue;
		assert_in_range(r->number, 1, PAGES / FAR);
		numbers |= UINT64_C(1) << r->number;
		assert_int_equal(r[1].kind, TRACE_WHO);
		assert_int_equal(r[1].number, r->number);
		assert_int_equal(r[1].tsc, r->tsc);
		assert_true(r[1].who.gva == TRACE_NOWHERE);
		assert_true(r[1].who.wait + r[1].who.fetch <= r->ticks);
	}
	assert_int_equal(numbers, (2u << PAGES / FAR) - 2);
	stop();
}

static void who_asks(void *ctx, uint32_t thread, gfn_t g,
		     struct trace_record *who, uint8_t *vcpu)
{
	*(uint32_t *)ctx = thread;
	who->how = TRACE_BY_RING;
	who->who.gva = g.v << PAGE_SHIFT | 1;
	*vcpu = 3;
}

static uint32_t parted;
static uint8_t parted_source;

static void who_hears(void *ctx, const struct trace_record *r,
		      const struct trace_record *who)
{
	(void)ctx;
	assert_int_equal(who->how, TRACE_BY_RING);
	parted = r->number;
	parted_source = r->source;
}

/* It answers at the last moment. */
static void who_ends(void *ctx)
{
	const struct trace_record late = { .kind = TRACE_REGISTERS,
					   .number = parted };

	(void)ctx;
	stage2_trace_more(s2, &late);
}

/* What the witness says is in the record; it hears of the end, and the trace
 * waits for what it has to say then. */
static void a_witness_is_asked(void **state)
{
	struct stage2_counters unused;
	uint32_t thread = 0;

	(void)state;
	fixture_witness = (struct stage2_witness){ who_asks, who_hears,
						   who_ends, &thread };
	start((struct options){ 0 });
	*touchable(FAR) = 1;
	assert_int_equal(thread, 0); /* there is no trace */
	begin(&unused);
	*touchable(2 * FAR) = 1;
	end(&unused);
	assert_int_equal(thread, gettid());
	assert_int_equal(parted, 1);
	assert_int_equal(first(TRACE_STAGE2)->stage2.vcpu, 3);
	assert_int_equal(first(TRACE_WHO)->how, TRACE_BY_RING);
	assert_int_equal(first(TRACE_WHO)->who.gva, gpa_of(gfn(2 * FAR)).v | 1);
	assert_int_equal(count(TRACE_REGISTERS), 1);
	who_ends(NULL); /* too late: it goes nowhere */
	fixture_witness = (struct stage2_witness){ 0 };
	stop();
}

/* Whose page another fault has brought may be running already: the witness is
 * told. The host forgets a page here that the table has. */
static void what_is_there_is_recorded_as_such(void **state)
{
	struct stage2_counters unused;
	uint32_t thread = 0;
	frame_t f;

	(void)state;
	fixture_witness =
		(struct stage2_witness){ who_asks, who_hears, NULL, &thread };
	start((struct options){ 0 });
	*touchable(FAR) = 1;
	assert_true(frame_of(s2, gfn(FAR), &f));
	assert_int_equal(backing_unmap(&s2->backing, f, 1), 0);
	begin(&unused);
	*touchable(FAR) = 2;
	end(&unused);
	assert_int_equal(count(TRACE_STAGE2), 1);
	assert_int_equal(first(TRACE_STAGE2)->source, TRACE_SOURCE_THERE);
	assert_int_equal(first(TRACE_STAGE2)->stage2.before,
			 first(TRACE_STAGE2)->stage2.after);
	assert_int_equal(first(TRACE_WHO)->who.gva, gpa_of(gfn(FAR)).v | 1);
	assert_int_equal(parted_source, TRACE_SOURCE_THERE);
	fixture_witness = (struct stage2_witness){ 0 };
	stop();
}

/* Not what is asked for and was so before. */
static void a_change_of_the_cap_is_recorded(void **state)
{
	struct stage2_counters c;
	const struct trace_record *r;

	(void)state;
	start((struct options){ .limit = 64 });
	begin(&c);
	stage2_set_limit(s2, 64);
	stage2_set_limit(s2, 48);
	stage2_set_limit(s2, 48);
	end(&c);
	assert_int_equal(count(TRACE_CAP), 1);
	r = first(TRACE_CAP);
	assert_int_equal(r->cap.before, 64);
	assert_int_equal(r->cap.after, 48);
	assert_int_equal(c.limit, 48);
	stop();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_what_was_counted),
		cmocka_unit_test(a_fault_and_who_it_was_belong_together),
		cmocka_unit_test(a_witness_is_asked),
		cmocka_unit_test(what_is_there_is_recorded_as_such),
		cmocka_unit_test(a_change_of_the_cap_is_recorded),
	};

	if (!may_watch())
		return 0;
	return cmocka_run_group_tests_name("trace of faults", tests, NULL,
					   NULL);
}
