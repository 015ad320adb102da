/* SPDX-License-Identifier: MIT */
/* What a session in the capsule left behind: status, errors, last words. */
#include <ctype.h>
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/capsule_session.h"

int capsule_session_status(const struct capsule_session *s)
{
	char text[16] = "";

	if (!s->stream[PORT_EXIT].marked ||
	    pread(s->file[PORT_EXIT], text, sizeof(text) - 1, 0) <= 0 ||
	    !isdigit((unsigned char)*text))
		return -1;
	return atoi(text);
}

static bool report_error(const struct stream *s, const char *what,
			 const char *path)
{
	if (path && s->error)
		warnx("%s %s: %s", what, path, strerror(-s->error));
	return !path || !s->error;
}

bool capsule_session_report_errors(const struct capsule_session *s)
{
	bool stats = report_error(&s->stream[PORT_STATS], "stats", s->o->stats);
	bool trace = report_error(&s->stream[PORT_TRACE], "trace", s->o->trace);

	return stats && trace;
}

/* Print @text, which is foreign, without its control characters. */
static void print_line(const char *text, size_t len, FILE *to)
{
	fputs("  ", to);
	for (size_t i = 0; i < len; i++)
		if (isprint((unsigned char)text[i]))
			fputc(text[i], to);
	fputc('\n', to);
}

void capsule_session_last_words(const struct capsule_session *s, unsigned lines,
				FILE *to)
{
	char text[4096];
	off_t end = lseek(s->vm.log, 0, SEEK_END);
	off_t from = end > (off_t)sizeof(text) ? end - (off_t)sizeof(text) : 0;
	ssize_t len = pread(s->vm.log, text, sizeof(text), from);
	ssize_t at = len < 0 ? 0 : len;

	/* Back over the newline of each line that is shown. */
	if (at > 0 && text[at - 1] == '\n')
		len = --at;
	while (at > 0 && (text[at - 1] != '\n' || --lines > 0))
		at--;
	while (at < len) {
		const char *nl = memchr(text + at, '\n', (size_t)(len - at));
		ssize_t next = nl ? nl - text : len;

		print_line(text + at, (size_t)(next - at), to);
		at = next + 1;
	}
}
