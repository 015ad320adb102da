/* SPDX-License-Identifier: MIT */
/*
 * All of it is in memory, for the records must be sorted: the file has the
 * buffers of its threads one after the other, and what belongs together apart.
 * Sorting moves pointers, and where two times are equal the pointers themselves
 * keep the file's order.
 */
#include "vmm/trace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_ROOM (1 << 20) /* of what does not say how long it is */

/* All of @fd, of a file or of a pipe: malloced, or NULL and errno. */
static char *read_all(int fd, size_t *len)
{
	struct stat st = { 0 };
	size_t room = FIRST_ROOM;

	/* One byte more, where the read that finds the end would go. */
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		room = (size_t)st.st_size + 1;
	char *bytes = malloc(room);
	for (*len = 0; bytes;) {
		ssize_t n = read(fd, bytes + *len, room - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			free(bytes);
			return NULL;
		}
		if (n == 0)
			break;
		*len += (size_t)n;
		if (*len < room)
			continue;
		char *more = reallocarray(bytes, 2, room);
		if (!more)
			free(bytes);
		bytes = more;
		room *= 2;
	}
	return bytes;
}

/* How long the header of a file of its version is. */
static size_t header_bytes(const struct trace_header *h)
{
	return h->version == 1 ? offsetof(struct trace_header, refs_ms)
			       : sizeof(*h);
}

static const char *check_header(const struct trace_header *h)
{
	if (h->magic != TRACE_MAGIC)
		return "not a trace of twofold";
	if (h->version < 1 || h->version > TRACE_VERSION)
		return "a trace of another version; print it with that twofold";
	if (h->record_bytes != sizeof(struct trace_record))
		return "a damaged header: records of a wrong size";
	return NULL;
}

static int by_time(const void *a, const void *b)
{
	const struct trace_record *x = *(const struct trace_record *const *)a;
	const struct trace_record *y = *(const struct trace_record *const *)b;

	if (x->tsc != y->tsc)
		return x->tsc < y->tsc ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* A header is a multiple of a record's alignment, so they lie aligned. */
_Static_assert(sizeof(struct trace_header) % _Alignof(struct trace_record) == 0,
	       "records follow the header at once");

/* Where the record belongs; NULL: it is an event by itself. */
static const struct trace_record **place(struct trace_file *t,
					 const struct trace_record *r)
{
	static const struct trace_record *nowhere;

	if (r->kind == TRACE_COUNTER)
		return t->counters < TRACE_COUNTERS ? &t->counter[t->counters++]
						    : &nowhere;
	if (r->kind == TRACE_DECISION)
		return &t->decision[t->decisions++];
	if (r->kind == TRACE_CAP)
		return &t->cap[t->caps++];
	if (r->kind != TRACE_WHO && r->kind != TRACE_REGISTERS)
		return NULL;
	if (!r->number || r->number > t->faults)
		return &nowhere;
	return (r->kind == TRACE_WHO ? t->who : t->registers) + r->number - 1;
}

/* There are no more faults than records; what says so is damaged. */
static const char *sort(struct trace_file *t, const char *records, size_t len)
{
	const struct trace_record *first = (const void *)records;
	size_t n = len / sizeof(*first);

	t->rest = len % sizeof(*first);
	t->total = t->faults = n;
	/* One more: calloc of nothing may be NULL. */
	t->record = calloc(5 * n + 1, sizeof(*t->record));
	if (!t->record)
		return strerror(ENOMEM);
	t->who = t->record + n;
	t->registers = t->who + n;
	t->decision = t->registers + n;
	t->cap = t->decision + n;
	for (size_t i = 0; i < n; i++) {
		const struct trace_record **to = place(t, &first[i]);

		*(to ? to : &t->record[t->records++]) = &first[i];
	}
	qsort(t->record, t->records, sizeof(*t->record), by_time);
	qsort(t->decision, t->decisions, sizeof(*t->decision), by_time);
	qsort(t->cap, t->caps, sizeof(*t->cap), by_time);
	return NULL;
}

/* Copy the header out; what an older one lacks is zero. */
static const char *read_header(struct trace_file *t, size_t len)
{
	static const char too_short[] = "not a trace of twofold: too short";
	const char *wrong;
	size_t bytes = offsetof(struct trace_header, refs_ms);

	if (len < bytes)
		return too_short;
	memcpy(&t->header, t->bytes, bytes);
	wrong = check_header(&t->header);
	if (wrong)
		return wrong;
	bytes = header_bytes(&t->header);
	if (len < bytes)
		return too_short;
	memcpy(&t->header, t->bytes, bytes);
	return sort(t, t->bytes + bytes, len - bytes);
}

const char *trace_file_read(struct trace_file *t, const char *path)
{
	size_t len;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	*t = (struct trace_file){ .bytes = NULL };
	if (fd < 0)
		return strerror(errno);
	t->bytes = read_all(fd, &len);
	int error = errno;
	close(fd);
	if (!t->bytes)
		return strerror(error);
	return read_header(t, len);
}

void trace_file_free(struct trace_file *t)
{
	free(t->record);
	free(t->bytes);
}

/* What the WHO and REGISTERS records of the STAGE2 record add. */
static void add_more(const struct trace_file *t, struct trace_event *e)
{
	const struct trace_record *who, *registers;
	uint32_t number = e->r->number;

	if (!number || number > t->faults)
		return;
	who = t->who[number - 1];
	registers = t->registers[number - 1];
	if (who) {
		const uint32_t ticks[] = { who->queued, who->who.wait,
					   who->who.fetch, who->who.install };

		e->how = who->how;
		e->level = who->level;
		e->gva = who->who.gva;
		e->cr3 = who->who.cr3;
		e->pid = who->who.pid;
		e->victim = who->who.victim;
		e->cost = who->ticks;
		e->has_split = true;
		memcpy(e->ticks, ticks, sizeof(ticks));
	}
	if (registers) {
		e->how |= registers->how;
		e->rip = registers->registers.rip;
		e->has_rip = e->rip != TRACE_NOWHERE;
		e->cr3 = registers->registers.cr3;
		e->ticks[STAGE_WAKE] = registers->registers.wake;
		if (e->gva == TRACE_NOWHERE) {
			e->gva = registers->registers.gva;
			e->level = registers->level;
		}
	}
	e->has_gva = e->gva != TRACE_NOWHERE;
	e->has_cr3 = e->cr3 != TRACE_NOWHERE;
	e->has_victim = e->victim != TRACE_NOWHERE;
	e->has_pid = e->how & TRACE_BY_RING;
	e->has_wake = registers;
}

void trace_file_event(const struct trace_file *t, size_t i,
		      struct trace_event *e)
{
	const struct trace_record *r = t->record[i];

	*e = (struct trace_event){ .r = r,
				   .gva = TRACE_NOWHERE,
				   .cr3 = TRACE_NOWHERE,
				   .victim = TRACE_NOWHERE,
				   .vcpu = -1 };
	if (r->kind == TRACE_STAGE1) {
		e->has_gva = e->has_cr3 = e->has_rip = e->has_pid = true;
		e->gva = r->stage1.gva;
		e->cr3 = r->stage1.cr3;
		e->rip = r->stage1.rip;
		e->pid = r->stage1.pid;
		return;
	}
	e->has_gpa = r->kind >= TRACE_STAGE2 && r->kind <= TRACE_DISCARD;
	e->gpa = r->stage2.gpa;
	if (r->kind != TRACE_STAGE2)
		return;
	e->vcpu = r->stage2.vcpu - 1;
	add_more(t, e);
}

const struct trace_record *trace_file_counter(const struct trace_file *t,
					      const char *name)
{
	for (unsigned i = 0; i < t->counters; i++)
		if (!strncmp(t->counter[i]->counter.name, name,
			     sizeof(t->counter[i]->counter.name)))
			return t->counter[i];
	return NULL;
}

double trace_ticks_us(const struct trace_file *t, uint64_t ticks)
{
	return t->header.tsc_hz ? (double)ticks * 1e6 / (double)t->header.tsc_hz
				: (double)ticks;
}

double trace_file_us(const struct trace_file *t, uint64_t tsc)
{
	return tsc < t->header.tsc_start
		       ? -trace_ticks_us(t, t->header.tsc_start - tsc)
		       : trace_ticks_us(t, tsc - t->header.tsc_start);
}
