/* SPDX-License-Identifier: MIT */
/*
 * From options to an exit status: open everything (capsule_open), then relay
 * until every stream has ended. The inner run's last act is to mark the end of
 * each stream and to report its exit status; QEMU is then killed, for it has
 * nothing left to do. A stream that ends without its mark means that QEMU died.
 */
#include "vmm/capsule.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmm/api.h"
#include "vmm/capsule_image.h"
#include "vmm/capsule_session.h"
#include "vmm/clock.h"
#include "vmm/signals.h"
#include "vmm/terminal.h"

#define GRACE_S	  10 /* for the inner run to stop when asked to */
#define GUARD_S	  60 /* added to --timeout, which the inner run keeps */
#define FLUSH_MS  1000 /* for a reader to take something */
#define LOG_LINES 12 /* shown when the capsule died */

enum end { END_NONE, END_TIMEOUT, END_STOP };

struct run {
	struct capsule_session s;
	pid_t qemu;
	int signals; /* a signalfd */
	int64_t timeout_ms; /* --timeout, of ours: who does not read is late */
	bool cut; /* somebody was */
	int64_t deadline_ms; /* then QEMU is killed, because of: */
	enum end reason;
	enum end killed; /* the reason, once it was */
	bool stopping; /* was asked to, by: */
	int signal;
	pthread_t stopper;
};

/* A thread, because the inner run may have to write before it can answer. */
static void *ask_to_stop(void *socket_path)
{
	api_call(socket_path, "PATCH", "/vm", "{\"state\":\"Stopped\"}",
		 GRACE_S, NULL);
	return NULL;
}

static void set_deadline(struct run *r, int64_t ms, enum end reason)
{
	if (clock_ms() + ms >= r->deadline_ms)
		return;
	r->deadline_ms = clock_ms() + ms;
	r->reason = reason;
}

/* The first signal asks the inner run to stop; the second one kills it. */
static void take_signal(struct run *r)
{
	struct signalfd_siginfo which;

	if (read(r->signals, &which, sizeof(which)) != sizeof(which))
		return;
	r->signal = (int)which.ssi_signo;
	set_deadline(r, r->stopping ? 0 : GRACE_S * 1000, END_STOP);
	if (!r->stopping)
		r->stopping = !pthread_create(&r->stopper, NULL, ask_to_stop,
					      r->s.socket);
}

static void kill_when_late(struct run *r)
{
	if (clock_ms() < r->deadline_ms)
		return;
	kill(r->qemu, SIGKILL);
	r->killed = r->reason;
	r->deadline_ms = INT64_MAX;
}

/* Has the inner run ended, so that only readers are waited for? */
static bool is_over(const struct run *r)
{
	return r->killed || capsule_session_status(&r->s) >= 0;
}

static int wait_ms(const struct run *r)
{
	int64_t left = r->deadline_ms - clock_ms();
	int most = is_over(r) ? FLUSH_MS : 60000;

	return left < 0 ? 0 : left > most ? most : (int)left;
}

/* Who does not read what the guest printed holds up the end of the run, but
 * neither a time-out nor a stop. */
static bool gives_up(const struct run *r)
{
	return is_over(r) && capsule_session_stalled(&r->s) &&
	       (r->killed || r->stopping || clock_ms() >= r->timeout_ms);
}

/* Move bytes until the streams out of the capsule have ended. */
static void relay(struct run *r)
{
	struct pollfd p[PORTS + 1];

	while (!capsule_session_done(&r->s)) {
		for (unsigned i = 0; i < PORTS; i++)
			p[i] = stream_poll(&r->s.stream[i]);
		p[PORTS] =
			(struct pollfd){ .fd = r->signals, .events = POLLIN };
		int n = poll(p, PORTS + 1, wait_ms(r));

		if (n < 0)
			continue;
		if (n == 0 && gives_up(r)) {
			r->cut = true;
			return;
		}
		for (unsigned i = 0; i < PORTS; i++)
			stream_move(&r->s.stream[i], &p[i]);
		capsule_session_end_input(&r->s);
		if (p[PORTS].revents)
			take_signal(r);
		kill_when_late(r);
	}
}

/* Why there is no exit status: one line, and what the capsule said last. */
static void explain_death(const struct run *r)
{
	if (r->killed == END_STOP) {
		warnx("the capsule did not stop, and was killed");
	} else if (r->killed == END_TIMEOUT) {
		warnx("the capsule passed its --timeout by %d s, and was "
		      "killed",
		      GUARD_S);
	} else {
		warnx("the capsule ended before its guest; its last words:");
		capsule_session_last_words(&r->s, LOG_LINES, stderr);
	}
}

static int exit_status(struct run *r)
{
	int status = capsule_session_status(&r->s);

	if (status < 0) {
		explain_death(r);
		return r->killed == END_TIMEOUT ? 124 : 125;
	}
	if (status > 126) {
		warnx("the run inside the capsule ended with status %d; the "
		      "capsule's last words:",
		      status);
		capsule_session_last_words(&r->s, LOG_LINES, stderr);
		return 125;
	}
	if (!capsule_session_report_errors(&r->s))
		return 125;
	/* Stopped by us, as a signal ends a run without capsule. */
	if (r->stopping)
		return status ? status : 128 + r->signal;
	return r->cut ? 124 : status;
}

static int run_session(struct run *r)
{
	r->signals = signals_catch();
	r->qemu = capsule_vm_start(&r->s.vm);
	capsule_session_started(&r->s);
	if (r->qemu < 0) {
		warnx("fork: %s", strerror(-r->qemu));
		return 125;
	}
	terminal_raw(STDIN_FILENO);
	relay(r);
	terminal_restore();
	kill(r->qemu, SIGKILL);
	waitpid(r->qemu, NULL, 0);
	return exit_status(r);
}

/* A descriptor of ours must not become what the streams take for 0, 1, 2. */
static void open_standard_files(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			err(125, "/dev/null");
}

bool capsule_usable(struct complaint *why)
{
	struct capsule_image im;
	char qemu[PATH_MAX];

	return capsule_find_qemu(qemu, why) && capsule_find_image(&im, why);
}

int capsule_run(const struct run_options *o, const char *kernel)
{
	struct run r = { .timeout_ms = INT64_MAX, .deadline_ms = INT64_MAX };
	struct complaint why;

	open_standard_files();
	if (!capsule_session_open(&r.s, o, kernel, &why)) {
		warnx("%s", why.text);
		return 125;
	}
	if (o->timeout_s && o->timeout_s < INT32_MAX) {
		r.timeout_ms = clock_ms() + (int64_t)o->timeout_s * 1000;
		set_deadline(&r, (int64_t)(o->timeout_s + GUARD_S) * 1000,
			     END_TIMEOUT);
	}
	int status = run_session(&r);
	capsule_session_close(&r.s);
	if (r.stopping)
		pthread_join(r.stopper, NULL);
	return status;
}
