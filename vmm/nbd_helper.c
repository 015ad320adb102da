/* SPDX-License-Identifier: MIT */
#include "vmm/nbd_helper.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmm/beside.h"
#include "vmm/helper.h"

/* Both ends of everything. */
struct wiring {
	struct nbd_link ours;
	int theirs[NBD_LANES];
};

static void close_all(const int *fd, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (fd[i] >= 0)
			close(fd[i]);
}

static void end_helper(struct nbd_link *link)
{
	close_all(link->lane, NBD_LANES);
	close_all(&link->memory, 1);
	helper_end(link->helper);
}

static bool make_wiring(struct wiring *w)
{
	bool good;

	memset(w->ours.lane, -1, sizeof(w->ours.lane));
	memset(w->theirs, -1, sizeof(w->theirs));
	w->ours.memory = memfd_create("twofold-nbd", MFD_CLOEXEC);
	good = w->ours.memory >= 0 &&
	       !ftruncate(w->ours.memory, NBD_SHARED_BYTES);
	for (unsigned i = 0; good && i < NBD_LANES; i++) {
		int pair[2];

		good = !socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
				   pair);
		w->ours.lane[i] = good ? pair[0] : -1;
		w->theirs[i] = good ? pair[1] : -1;
	}
	return good;
}

static void add_words(struct words *words, const struct wiring *w,
		      const char *program, const char *uri, uint64_t bytes)
{
	words_add(words, "%s", program);
	words_add(words, "%s", uri);
	words_add(words, "%" PRIu64, bytes);
	words_add(words, "%u", w->ours.timeout_s);
	words_add(words, "%d", w->ours.memory);
	for (unsigned i = 0; i < NBD_LANES; i++)
		words_add(words, "%d", w->theirs[i]);
}

static pid_t spawn(const struct wiring *w, const char *program, const char *uri,
		   uint64_t bytes)
{
	struct words words = { 0 };
	int fd[NBD_LANES + 1] = { w->ours.memory };
	pid_t child;

	memcpy(&fd[1], w->theirs, sizeof(w->theirs));
	add_words(&words, w, program, uri, bytes);
	child = helper_start(&words, fd, NBD_LANES + 1);
	words_free(&words);
	return child;
}

static bool greeted(const struct nbd_link *link, struct complaint *why)
{
	struct nbd_hello hello;
	ssize_t n;

	do
		n = recv(link->lane[0], &hello, sizeof(hello), 0);
	while (n < 0 && errno == EINTR);
	if (n != sizeof(hello))
		return complaint_set(why, "twofold-nbd did not start");
	hello.text[sizeof(hello.text) - 1] = 0;
	return hello.good || complaint_set(why, "%s", hello.text);
}

bool nbd_helper_start(struct nbd_link *link, const struct swap_option *s,
		      uint64_t bytes, struct complaint *why)
{
	struct wiring w = { .ours = { .timeout_s = s->timeout_s,
				      .close = end_helper } };
	char program[PATH_MAX];

	if (!beside_find(program, "twofold-nbd"))
		return complaint_set(why, "no twofold-nbd beside this program: "
					  "build it with libnbd-dev there");
	if (!make_wiring(&w)) {
		complaint_set(why, "%s", strerror(errno));
		goto undo_wiring;
	}
	w.ours.helper = spawn(&w, program, s->path, bytes);
	if (w.ours.helper < 0) {
		complaint_set(why, "fork: %s", strerror(-w.ours.helper));
		goto undo_wiring;
	}
	close_all(w.theirs, NBD_LANES);
	*link = w.ours;
	if (greeted(link, why))
		return true;
	end_helper(link);
	return false;

undo_wiring:
	close_all(w.theirs, NBD_LANES);
	close_all(w.ours.lane, NBD_LANES);
	close_all(&w.ours.memory, 1);
	return false;
}
