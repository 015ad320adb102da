/* SPDX-License-Identifier: MIT */
/*
 * All of it is in memory, for the records must be sorted: the file has the
 * buffers of its threads one after the other. Sorting moves pointers, and
 * where two times are equal the pointers themselves keep the file's order.
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

static const char *sort(struct trace_file *t, const char *records, size_t len)
{
	const struct trace_record *first = (const void *)records;

	t->records = len / sizeof(*first);
	t->rest = len % sizeof(*first);
	/* One more: calloc of nothing may be NULL. */
	t->record = calloc(t->records + 1, sizeof(*t->record));
	if (!t->record)
		return strerror(ENOMEM);
	for (size_t i = 0; i < t->records; i++)
		t->record[i] = &first[i];
	qsort(t->record, t->records, sizeof(*t->record), by_time);
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
