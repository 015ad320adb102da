/* SPDX-License-Identifier: MIT */
#include "vmm/vm_trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "devices/lab.h"
#include "vmm/clock.h"
#include "vmm/vm.h"

#define LIVE_BYTES   (UINT64_C(64) << 20) /* that nobody has fetched yet */
#define ABANDONED_MS 5000

static void emit_counter(struct trace *t, const char *name, uint64_t before,
			 uint64_t after)
{
	struct trace_record r = { .tsc = trace_now(), .kind = TRACE_COUNTER };

	strncpy(r.counter.name, name, sizeof(r.counter.name) - 1);
	r.counter.before = before;
	r.counter.after = after;
	trace_emit(t, &r);
}

/* The last records: nobody else emits any more. */
static void emit_counters(struct trace *t, const struct stage2_counters *a,
			  const struct stage2_counters *b)
{
	const struct {
		const char *name;
		uint64_t before, after;
	} counters[] = {
		{ "faults.missing", a->missing, b->missing },
		{ "faults.minor", a->minor, b->minor },
		{ "pages.mapped_ahead", a->mapped_ahead, b->mapped_ahead },
		{ "pages.swapped_out", a->swapped_out, b->swapped_out },
		{ "pages.clean_dropped", a->clean_dropped, b->clean_dropped },
		{ "pages.zero_elided", a->zero_elided, b->zero_elided },
		{ "pages.swapped_in", a->swapped_in, b->swapped_in },
		{ "pages.zero_filled", a->zero_filled, b->zero_filled },
		{ "pages.file_filled", a->file_filled, b->file_filled },
		{ "memory.resident_pages", a->resident, b->resident },
		{ "memory.limit_pages", a->limit, b->limit },
		{ "memory.pages", a->pages, b->pages },
		{ "trace.lost", 0, trace_lost(t) },
	};

	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		emit_counter(t, counters[i].name, counters[i].before,
			     counters[i].after);
}

bool vm_trace_open(struct vm *vm, struct complaint *why)
{
	const char *path = vm->options->trace;
	int fd, r;

	vm->trace = (struct vm_trace){ .fd = -1 };
	if (!path)
		return true;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return complaint_set(why, "trace %s: %s", path,
				     strerror(errno));
	r = trace_create(&vm->trace.file, fd, vm->tsc_hz,
			 vm->options->trace_refs_ms);
	if (!r)
		return true;
	close(fd);
	return complaint_set(why, "trace %s: %s", path, strerror(-r));
}

bool vm_trace_begin(struct vm *vm, struct complaint *why)
{
	if (!vm->trace.file)
		return true;
	if (witness_begin(vm, false))
		return complaint_set(why, "trace: no memory");
	if (vm->lab)
		lab_want(vm->lab, true);
	return true;
}

/* End what @t records: from here on it is the caller's alone. */
static void end(struct vm *vm, struct trace *t)
{
	struct stage2_counters now;

	if (vm->lab)
		lab_want(vm->lab, false);
	stage2_trace(vm->stage2, NULL, &now);
	trace_bound(t, 0);
	emit_counters(t, &vm->trace.begin, &now);
}

void vm_trace_end(struct vm *vm)
{
	struct vm_trace *t = &vm->trace;

	if (vm->stage2 && t->file)
		end(vm, t->file);
	if (t->file && trace_close(t->file))
		fprintf(stderr, "twofold: the trace is not complete\n");
	t->file = NULL;
	if (t->live) {
		stage2_trace(vm->stage2, NULL, &t->begin);
		trace_close(t->live);
	}
	t->live = NULL;
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
	witness_destroy(vm);
}

/* A file in memory for a new trace; the old one's goes. */
static int open_live(struct vm *vm)
{
	struct vm_trace *t = &vm->trace;
	int fd = memfd_create("trace", MFD_CLOEXEC), out, r;

	if (fd < 0)
		return -errno;
	out = dup(fd);
	r = out < 0 ? -errno
		    : trace_create(&t->live, out, vm->tsc_hz,
				   vm->options->trace_refs_ms);
	if (r) {
		if (out >= 0)
			close(out);
		close(fd);
		return r;
	}
	trace_bound(t->live, LIVE_BYTES);
	if (t->fd >= 0)
		close(t->fd);
	t->fd = fd;
	return 0;
}

/* Whoever began it has gone, and fetches nothing. */
static bool abandoned(const struct vm_trace *t)
{
	return t->state == LIVE_RECORDING &&
	       clock_ms() - t->fetched_ms > ABANDONED_MS;
}

bool vm_trace_start(struct vm *vm, bool registers, struct complaint *why)
{
	struct vm_trace *t = &vm->trace;
	int r;

	if (t->file)
		return complaint_set(why, "this run is traced into a file "
					  "already: run --trace");
	if (abandoned(t) && !vm_trace_stop(vm, why))
		return false;
	if (t->state == LIVE_RECORDING)
		return complaint_set(why, "it is being traced: stop that "
					  "first");
	r = witness_begin(vm, registers);
	if (!r)
		r = open_live(vm);
	if (r)
		return complaint_set(why, "trace: %s", strerror(-r));
	t->fetched = t->lost = t->records = 0;
	t->fetched_ms = clock_ms();
	t->state = LIVE_RECORDING;
	if (vm->lab)
		lab_want(vm->lab, true);
	stage2_trace(vm->stage2, t->live, &t->begin);
	return true;
}

bool vm_trace_stop(struct vm *vm, struct complaint *why)
{
	struct vm_trace *t = &vm->trace;
	int r;

	if (t->state != LIVE_RECORDING)
		return complaint_set(why, "it is not being traced");
	end(vm, t->live);
	t->lost = trace_lost(t->live);
	r = trace_close(t->live);
	t->live = NULL;
	t->state = LIVE_STOPPED;
	t->records = (uint64_t)(lseek(t->fd, 0, SEEK_END) -
				(off_t)sizeof(struct trace_header)) /
		     sizeof(struct trace_record);
	return !r || complaint_set(why, "trace: %s", strerror(-r));
}

static off_t offset_of(uint64_t record)
{
	return (off_t)(sizeof(struct trace_header) +
		       record * sizeof(struct trace_record));
}

/* What was fetched gives its memory back, in whole pages. */
static void forget(struct vm_trace *t, uint64_t record)
{
	off_t from = (off_t)((uint64_t)offset_of(t->fetched) & ~PAGE_MASK);
	off_t to = (off_t)((uint64_t)offset_of(record) & ~PAGE_MASK);

	t->fetched = record;
	if (t->live)
		trace_read(t->live, record);
	if (from < (off_t)PAGE_SIZE)
		from = PAGE_SIZE; /* the header stays */
	if (to > from)
		fallocate(t->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			  from, to - from);
}

bool vm_trace_fetch(struct vm *vm, uint64_t first, struct trace_part *part,
		    struct complaint *why)
{
	struct vm_trace *t = &vm->trace;

	if (t->state == LIVE_NONE)
		return complaint_set(why, "nothing was traced yet");
	if (t->live) {
		stage2_trace_flush(vm->stage2);
		t->records = trace_written(t->live);
		t->lost = trace_lost(t->live);
	}
	if (first < t->fetched || first > t->records)
		return complaint_set(why,
				     "there is no record %llu any more, "
				     "or not yet",
				     (unsigned long long)first);
	forget(t, first);
	t->fetched_ms = clock_ms();
	part->state = t->state;
	part->records = t->records;
	part->lost = t->lost;
	part->first = first;
	part->n = t->records - first;
	if (part->n > TRACE_PART)
		part->n = TRACE_PART;
	if (pread(t->fd, &part->header, sizeof(part->header), 0) !=
		    sizeof(part->header) ||
	    pread(t->fd, part->record, part->n * sizeof(part->record[0]),
		  offset_of(first)) !=
		    (ssize_t)(part->n * sizeof(part->record[0])))
		return complaint_set(why, "trace: %s", strerror(errno));
	return true;
}
