/* SPDX-License-Identifier: MIT */
/*
 * A beat is a sample of the VM, then what is due, then a pause. What is done
 * comes right after a sample, so that each phase is measured from its begin to
 * its end.
 */
#include "vmm/pressure_run.h"

#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "vmm/clock.h"
#include "vmm/pressure_vm.h"

#define BEAT_MS 250
#define LINE_MS 1000 /* between two lines where they are not overwritten */

static volatile sig_atomic_t interrupted; /* by this signal */

static void on_signal(int signal)
{
	interrupted = signal;
}

struct run {
	struct pressure_run_report *r;
	struct pressure_vm vm;
	int64_t began_ms;
	unsigned next; /* event */
	const struct event *waiting; /* for its bound, since: */
	int64_t waiting_ms;
	int64_t late_ms; /* spent waiting: all that follows is later by that */
	bool terminal; /* stderr is one, so wide: */
	int columns;
	int64_t line_ms; /* when the last line was shown */
};

static int64_t now(const struct run *u)
{
	return clock_ms() - u->began_ms;
}

/* When something is to be done: the next event, or to end. */
static int64_t due_ms(const struct run *u)
{
	const struct scenario *s = u->r->scenario;
	int64_t due = u->next < s->events ? s->event[u->next].at_ms : s->end_ms;

	return u->waiting ? INT64_MAX : due + u->late_ms;
}

/* When it is over at the latest. */
static int64_t last_ms(const struct scenario *s)
{
	int64_t last = s->end_ms;

	for (unsigned i = 0; i < s->events; i++)
		if (s->event[i].deed == DEED_WAIT)
			last += s->event[i].within_ms;
	return last;
}

static void catch_signals(void)
{
	struct sigaction a = { .sa_handler = on_signal };

	interrupted = 0;
	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
	sigaction(SIGHUP, &a, NULL);
	signal(SIGPIPE, SIG_IGN); /* nobody looks: still put things back */
}

static void find_terminal(struct run *u)
{
	struct winsize w;

	u->terminal = isatty(STDERR_FILENO);
	u->columns = 80;
	if (u->terminal && !ioctl(STDERR_FILENO, TIOCGWINSZ, &w) && w.ws_col)
		u->columns = w.ws_col;
	u->line_ms = -LINE_MS;
}

/* The state of things in a line, the most wanted first. */
static void show_line(struct run *u, const struct sample *s,
		      const double m[METRICS])
{
	const struct pressure_run_report *r = u->r;
	char guest[32] = "", line[512];

	if (!u->terminal && s->at_ms - u->line_ms < LINE_MS)
		return;
	u->line_ms = s->at_ms;
	if (report_knows_guest(r))
		snprintf(guest, sizeof(guest), "  guest %.0f/s",
			 m[METRIC_GUEST]);
	snprintf(line, sizeof(line),
		 "%5.1f s  %.1f of %.1f MiB%s  faults %.0f/s  stall %.0f%% "
		 "(full %.0f%%)  %s",
		 (double)s->at_ms / 1000, m[METRIC_RESIDENT], m[METRIC_CAP],
		 guest, m[METRIC_FAULTS], m[METRIC_SOME], m[METRIC_FULL],
		 s->paused ? s->reason : r->phase[r->phases - 1].text);
	if (u->terminal)
		fprintf(stderr, "\r%.*s\033[K", u->columns - 1, line);
	else
		fprintf(stderr, "%s\n", line);
}

static void clear_line(const struct run *u)
{
	if (u->terminal)
		fprintf(stderr, "\r\033[K");
}

/* Until the next beat, event or end, or a signal. A beat is never much shorter:
 * in a moment a guest does nothing, or a lot. */
static void pause_until_due(const struct run *u)
{
	int64_t at = now(u), due = due_ms(u);
	int64_t ramp = pressure_vm_due(&u->vm, at);
	int64_t left = (ramp < due ? ramp : due) - at;

	if (left >= BEAT_MS + BEAT_MS / 2)
		left = BEAT_MS;
	if (left > 0 && !interrupted)
		nanosleep(&(struct timespec){ .tv_nsec = left * 1000000 },
			  NULL);
}

static int do_due(struct run *u, struct complaint *why)
{
	const struct scenario *s = u->r->scenario;
	int64_t at = now(u);
	int failed = 0;

	while (!failed && u->next < s->events && due_ms(u) <= at) {
		const struct event *e = &s->event[u->next++];

		report_phase(u->r, e->text);
		if (e->deed == DEED_WAIT) {
			u->waiting = e;
			u->waiting_ms = at;
		} else {
			failed = pressure_vm_do(&u->vm, e, at, why);
		}
	}
	return failed ? failed : pressure_vm_move(&u->vm, at, why);
}

/* What is waited for: is it so now, or will it never be? */
static int wait_on(struct run *u, const double m[METRICS], int64_t at_ms,
		   struct complaint *why)
{
	const struct event *e = u->waiting;

	if (!e)
		return 0;
	if (bound_holds(&e->bound, m[e->bound.metric])) {
		u->late_ms += at_ms - u->waiting_ms;
		u->waiting = NULL;
	} else if (at_ms - u->waiting_ms >= e->within_ms) {
		complaint_set(why, "%s: it is not", e->text);
		return 1;
	}
	return 0;
}

static int look(struct run *u, struct complaint *why)
{
	double m[METRICS];
	struct sample s;
	int r = pressure_vm_sample(&u->vm, &s, why);

	if (r)
		return r;
	s.at_ms = now(u);
	report_sample(u->r, &s, m);
	show_line(u, &s, m);
	return wait_on(u, m, s.at_ms, why);
}

/* A busy host may wake us late: still everything is done. */
static bool is_over(const struct run *u)
{
	return u->next == u->r->scenario->events && now(u) >= due_ms(u);
}

/* To the end, or to what stops it. */
static void play(struct run *u)
{
	struct complaint why = { "" };
	int failed = 0;

	while (!failed && !interrupted && !is_over(u)) {
		failed = do_due(u, &why);
		pause_until_due(u);
		if (!failed)
			failed = look(u, &why);
	}
	u->r->completed = !failed && !interrupted;
	if (failed)
		snprintf(u->r->stopped, sizeof(u->r->stopped), "%s%.200s",
			 failed < 0 ? "the VM has ended: " : "", why.text);
	else if (interrupted)
		snprintf(u->r->stopped, sizeof(u->r->stopped), "interrupted");
	clear_line(u);
	if (pressure_vm_restore(&u->vm, &why) && failed >= 0)
		warnx("pressure: the VM is not as it was: %s", why.text);
}

int pressure_run(struct pressure_run_report *r, const struct target *t)
{
	struct run u = { .r = r };
	struct complaint why;
	struct sample first;

	if (pressure_vm_open(&u.vm, t, &first, &why)) {
		warnx("pressure: %s", why.text);
		return -1;
	}
	u.vm.seed = r->seed;
	u.vm.end_ms = last_ms(r->scenario);
	catch_signals();
	find_terminal(&u);
	u.began_ms = clock_ms();
	first.at_ms = 0;
	report_begin(r, &first);
	play(&u);
	return interrupted;
}
