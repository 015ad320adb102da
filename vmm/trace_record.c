/* SPDX-License-Identifier: MIT */
/*
 * `twofold trace record`: start, fetch what there is until it is time or ^C,
 * stop, fetch the rest. The file is what `run --trace` writes.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "vmm/base64.h"
#include "vmm/clock.h"
#include "vmm/ctl_call.h"
#include "vmm/options.h"
#include "vmm/signals.h"
#include "vmm/trace_verbs.h"
#include "vmm/vm_trace.h"

#define POLL_MS 50

struct recording {
	struct target vm;
	const char *out;
	uint64_t seconds; /* 0: until a signal */
	bool registers;
	FILE *file;
	uint64_t records, lost;
	bool begun; /* the header is in the file */
};

/* The header comes first, and with every part. */
static bool write_part(struct recording *r, const char *header,
		       const char *records, size_t *n)
{
	static struct trace_record part[TRACE_PART];
	struct trace_header h;
	size_t len;

	if (!base64_decode(header, &h, sizeof(h), &len) || len != sizeof(h) ||
	    !base64_decode(records, part, sizeof(part), &len) ||
	    len % sizeof(part[0]))
		return false;
	*n = len / sizeof(part[0]);
	if (!r->begun)
		fwrite(&h, sizeof(h), 1, r->file);
	r->begun = true;
	fwrite(part, sizeof(part[0]), *n, r->file);
	r->records += *n;
	return true;
}

/* Fetch the next part; *n records. False: it was complained about. */
static bool fetch(struct recording *r, size_t *n)
{
	const char *header, *records;
	json_int_t lost;
	char target[64], *text;
	json_t *answer;
	bool good;

	snprintf(target, sizeof(target), "/trace/%" PRIu64, r->records);
	if (call(&r->vm, "GET", target, NULL, &text))
		return false;
	answer = json_loads(text, 0, NULL);
	good = !json_unpack(answer, "{s:I, s:s, s:s}", "lost", &lost, "header",
			    &header, "records", &records) &&
	       write_part(r, header, records, n);
	if (good)
		r->lost = (uint64_t)lost;
	else
		warnx("trace: VM %s: not an answer this program knows",
		      r->vm.vm);
	json_decref(answer);
	free(text);
	return good;
}

static bool put_state(const struct recording *r, const char *state)
{
	char json[64];

	snprintf(json, sizeof(json), "{\"state\": \"%s\"%s}", state,
		 r->registers ? ", \"registers\": true" : "");
	return !call(&r->vm, "PUT", "/trace", json, NULL);
}

/* False: the VM does not answer any more. */
static bool record(struct recording *r, int signals)
{
	int64_t end = clock_ms() + (int64_t)r->seconds * 1000;
	struct pollfd p = { .fd = signals, .events = POLLIN };
	size_t n = TRACE_PART;

	do {
		int64_t left = r->seconds ? end - clock_ms() : POLL_MS;

		if (n == TRACE_PART)
			left = 0; /* there is more already */
		if (left > POLL_MS)
			left = POLL_MS;
		if (poll(&p, 1, left > 0 ? (int)left : 0) > 0)
			return true;
		if (!fetch(r, &n))
			return false;
	} while (!r->seconds || clock_ms() < end);
	return true;
}

static bool drain(struct recording *r)
{
	size_t n;

	if (!put_state(r, "Stopped"))
		return false;
	do
		if (!fetch(r, &n))
			return false;
	while (n);
	return true;
}

static int finish(struct recording *r, bool complete)
{
	bool failed = ferror(r->file);

	if (fclose(r->file) || failed)
		err(1, "trace: %s", r->out);
	printf("%s: %" PRIu64 " records", r->out, r->records);
	if (r->lost)
		printf(", %" PRIu64 " lost", r->lost);
	puts(complete ? ""
		      : "; the VM has gone, and with it the last of them "
			"and the totals");
	return !complete;
}

static bool take_words(struct recording *r, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		bool more = i + 1 < argc;

		if (!strcmp(argv[i], "--registers"))
			r->registers = true;
		else if (!strcmp(argv[i], "-o") && more)
			r->out = argv[++i];
		else if (!strcmp(argv[i], "--seconds") && more &&
			 number_parse(argv[i + 1], &r->seconds))
			i++;
		else if (r->vm.vm || argv[i][0] == '-')
			return complain_usage("trace", "record: unexpected",
					      argv[i]) == 0;
		else
			r->vm.vm = argv[i];
	}
	return r->vm.vm ||
	       complain_usage("trace", "record: a VM is needed", NULL) == 0;
}

int trace_record(int argc, char **argv)
{
	struct recording r = { .out = "trace.tft" };
	bool complete;
	int signals;

	if (!take_words(&r, argc, argv) ||
	    !target_find(&r.vm, "trace", r.vm.vm))
		return 2;
	signals = signals_catch();
	if (!put_state(&r, "Recording"))
		return 1;
	r.file = fopen(r.out, "we");
	if (!r.file) {
		warn("trace: %s", r.out);
		put_state(&r, "Stopped");
		return 1;
	}
	complete = record(&r, signals) && drain(&r);
	return finish(&r, complete);
}
