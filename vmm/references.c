/* SPDX-License-Identifier: MIT */
#include "vmm/references.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "ept/addr.h"
#include "vmm/trace_file.h"

#define READ_FAILED 1
#define READ_BAD    2

static bool add(struct references *r, uint64_t gfn)
{
	if (r->n == r->room) {
		size_t room = r->room ? 2 * r->room : 1 << 16;
		uint32_t *page = reallocarray(r->page, room, sizeof(*page));

		if (!page)
			return false;
		r->page = page;
		r->room = room;
	}
	return dense_number(&r->pages, gfn, &r->page[r->n++]);
}

/* Text, by lines. */
struct text {
	gzFile file;
	const char *path;
	uint64_t line; /* the number of the current one */
	size_t at, len; /* of what is not yet read in buffer */
	bool ended;
	char buffer[1 << 16];
};

/* Read on. False: with a complaint. */
static bool text_fill(struct text *t, struct complaint *why)
{
	int n, error;

	memmove(t->buffer, t->buffer + t->at, t->len);
	t->at = 0;
	n = gzread(t->file, t->buffer + t->len,
		   (unsigned)(sizeof(t->buffer) - t->len));
	if (n > 0)
		t->len += (size_t)n;
	t->ended = n <= 0;
	if (n > 0)
		return true;
	const char *text = gzerror(t->file, &error);
	if (error == Z_ERRNO)
		text = strerror(errno);
	else if (!strncmp(text, t->path, strlen(t->path)))
		text += strlen(t->path) + 2; /* zlib says "PATH: what" */
	return error == Z_OK ||
	       complaint_set(why, "%.120s: behind line %llu: %s", t->path,
			     (unsigned long long)t->line, text);
}

/* The next line, not terminated, without its newline; NULL: there is none, or
 * *why says what is wrong. One that fills the buffer is cut. */
static const char *text_line(struct text *t, size_t *len, struct complaint *why)
{
	const char *start, *end;

	while (!(end = memchr(t->buffer + t->at, '\n', t->len)) && !t->ended &&
	       t->len < sizeof(t->buffer))
		if (!text_fill(t, why))
			return NULL;
	if (!t->len)
		return NULL;
	start = t->buffer + t->at;
	*len = end ? (size_t)(end - start) : t->len;
	t->at += *len + !!end;
	t->len -= *len + !!end;
	t->line++;
	return start;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "r 0x1a2b": one blank or more, up to 16 digits, and nothing else. */
static bool parse(const char *c, size_t len, uint64_t *gfn)
{
	const char *end = c + len, *first;

	if (len < 2 || (*c != 'r' && *c != 'w') ||
	    (c[1] != ' ' && c[1] != '\t'))
		return false;
	for (c++; c < end && (*c == ' ' || *c == '\t'); c++)
		;
	if (end - c < 3 || c[0] != '0' || c[1] != 'x')
		return false;
	first = c += 2;
	for (*gfn = 0; c < end && hex_digit(*c) >= 0; c++)
		*gfn = *gfn << 4 | (unsigned)hex_digit(*c);
	return c == end && c - first <= 16;
}

static int read_text(struct references *r, struct text *t,
		     struct complaint *why)
{
	const char *line;
	uint64_t gfn;
	size_t len;

	*why->text = '\0';
	while ((line = text_line(t, &len, why))) {
		if (!parse(line, len, &gfn)) {
			complaint_set(why,
				      "%.120s: line %llu: '%.*s': want r or w "
				      "and a gfn, as in: r 0x1a2b",
				      t->path, (unsigned long long)t->line,
				      (int)(len < 40 ? len : 40), line);
			return READ_BAD;
		}
		if (!add(r, gfn)) {
			complaint_set(why, "%.120s: no memory", t->path);
			return READ_FAILED;
		}
	}
	return *why->text ? READ_BAD : 0;
}

static bool add_faults(struct references *r, const struct trace_file *t)
{
	struct dense mapped;
	uint32_t number;
	bool good = dense_init(&mapped);

	for (size_t i = 0; good && i < t->records; i++) {
		const struct trace_record *e = t->record[i];
		uint64_t gfn;

		if (e->kind != TRACE_STAGE2 && e->kind != TRACE_AHEAD)
			continue;
		gfn = gfn_of((gpa_t){ e->stage2.gpa }).v;
		good = dense_number(&mapped, gfn, &number);
		if (good && e->kind == TRACE_STAGE2)
			good = add(r, gfn);
	}
	r->mapped = mapped.count;
	dense_free(&mapped);
	return good;
}

static int read_trace(struct references *r, const char *path,
		      struct complaint *why)
{
	struct trace_file t;
	const char *wrong = trace_file_read(&t, path);
	int status = READ_BAD;

	r->is_trace = true;
	if (wrong) {
		complaint_set(why, "%.120s: %s", path, wrong);
	} else if (t.rest) {
		complaint_set(why,
			      "%.120s: cut short: %zu bytes behind record "
			      "%zu",
			      path, t.rest, t.records);
	} else if (!add_faults(r, &t)) {
		complaint_set(why, "%.120s: no memory", path);
		status = READ_FAILED;
	} else {
		r->refs_ms = t.header.refs_ms;
		if (t.records && t.header.tsc_hz)
			r->seconds = (double)(t.record[t.records - 1]->tsc -
					      t.record[0]->tsc) /
				     (double)t.header.tsc_hz;
		status = 0;
	}
	trace_file_free(&t);
	return status;
}

static int read_opened(struct references *r, struct text *t,
		       struct complaint *why)
{
	const uint64_t magic = TRACE_MAGIC;

	if (!text_fill(t, why))
		return gzdirect(t->file) ? READ_FAILED : READ_BAD;
	if (t->len < sizeof(magic) || memcmp(t->buffer, &magic, sizeof(magic)))
		return read_text(r, t, why);
	if (gzdirect(t->file))
		return read_trace(r, t->path, why);
	complaint_set(why,
		      "%.120s: a trace of twofold in gzip: gunzip it first",
		      t->path);
	return READ_BAD;
}

int references_read(struct references *r, const char *path,
		    struct complaint *why)
{
	struct text *t = calloc(1, sizeof(*t));
	int status = READ_FAILED;

	*r = (struct references){ .n = 0 };
	if (!t || !dense_init(&r->pages)) {
		free(t);
		complaint_set(why, "no memory");
		return READ_FAILED;
	}
	t->path = path;
	t->file = gzopen(path, "rbe");
	if (!t->file) {
		complaint_set(why, "%.120s: %s", path, strerror(errno));
	} else {
		status = read_opened(r, t, why);
		gzclose(t->file);
	}
	free(t);
	if (!status && !r->n) {
		complaint_set(why, "%.120s: there is no reference in it", path);
		return READ_BAD;
	}
	return status;
}

void references_free(struct references *r)
{
	free(r->page);
	dense_free(&r->pages);
}
