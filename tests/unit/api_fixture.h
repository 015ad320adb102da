/* SPDX-License-Identifier: MIT */
/*
 * A control API over a VM that only writes down what it was asked, on a socket
 * in a folder of its own, and a client that knows no more HTTP than it takes
 * to find the end of an answer.
 */
#ifndef TESTS_API_FIXTURE_H
#define TESTS_API_FIXTURE_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "vmm/api.h"
#include "vmm/events.h"

struct fake_vm {
	_Atomic(uint64_t) resident, balloon; /* bytes; pages */
	_Atomic(uint64_t) progress;
	atomic_int residents, pauses, resumes, stops, statuses, hints;
	atomic_int traces, registers, trace_stops;
	pthread_mutex_t telling; /* of what it answers: */
	struct audit_report audit;
	struct explain explain; /* but for the address */
	struct attribution attribution;
	struct injection injection[2]; /* into two tiers: ram and file */
	struct events *events; /* NULL: none */
	_Atomic(const char *) policy; /* the one it was given last */
	_Atomic(const char *) refusal; /* not NULL: say no, because of this */
};

struct fixture {
	char folder[64], path[108];
	struct fake_vm vm;
	struct api *api;
};

struct answer {
	int status; /* 0: the peer hung up instead */
	char head[1024], body[65536];
};

static inline void fake_tell_audit(struct fake_vm *vm, struct audit_report r)
{
	pthread_mutex_lock(&vm->telling);
	vm->audit = r;
	pthread_mutex_unlock(&vm->telling);
}

static inline void fake_tell_explain(struct fake_vm *vm, struct explain e)
{
	pthread_mutex_lock(&vm->telling);
	vm->explain = e;
	pthread_mutex_unlock(&vm->telling);
}

static inline bool fake_verdict(struct fake_vm *vm, struct complaint *why)
{
	const char *refusal = atomic_load(&vm->refusal);

	if (refusal)
		snprintf(why->text, sizeof(why->text), "%s", refusal);
	return !refusal;
}

static inline void fake_status(void *vm, struct status *st)
{
	atomic_fetch_add(&((struct fake_vm *)vm)->statuses, 1);
	*st = (struct status){
		.name = "fake",
		.accel = "kvm",
		.stage2 = "ept",
		.state = "paused",
		.reason = "a test",
		.policy = "clock",
		.guest.page_faults = 7,
		.guest.progress = ((struct fake_vm *)vm)->progress,
		.memory = { .size_bytes = 256 << 20,
			    .resident_limit_bytes = 64 << 20,
			    .resident_bytes = 63 << 20,
			    .resident_peak_bytes = 64 << 20 },
		.faults = { .missing = 1000,
			    .minor = 200,
			    .latency_us = { 1.25, 50, 900 } },
		.pages = { 1, 2, 3, 4, 5, 6, 8 },
		.tier[0] = { "ram",
			     { .pages = 25600,
			       .raw_bytes = 100 << 20,
			       .stored_bytes = 33 << 20 } },
		.tiers = 1,
		.pressure = { { 1.5, 0.75, 0.25, 123456 },
			      { 0.5, 0.25, 0.125, 45678 } },
		.ladder = { [RUNG_COMPRESSED] = { 4, 16384, 1500 } },
		.slo = { 0.5, 48 << 20, 9, 2 },
		.device[0] = { .name = "blk",
			       .requests = 12,
			       .bytes = 3 << 20,
			       .errors = 1 },
		.device[1] = { .name = "rng" },
		.devices = 2,
	};
}

/* Six MiB of RAM, and a cell of a shared file. */
static inline void fake_census(void *vm, struct census *c)
{
	(void)vm;
	*c = (struct census){
		.cell_pages = 512,
		.regions = 2,
		.region = { { { 0 }, 0, 3, false },
			    { { 1 << 20 }, 3, 1, true } },
		.cells = 4,
		.cell = { { 0, 512 },
			  { 12, 100, 50, 50, 300 },
			  { 512 },
			  { 511, 0, 0, 0, 0, 1 } },
	};
}

static inline bool fake_resident(void *vm, uint64_t bytes,
				 struct complaint *why)
{
	struct fake_vm *f = vm;

	if (!fake_verdict(f, why))
		return false;
	atomic_store(&f->resident, bytes);
	atomic_fetch_add(&f->residents, 1);
	return true;
}

/* As it is before anybody sets it: 64 MiB. */
static inline uint64_t fake_resident_cap(void *vm, uint64_t *floor)
{
	uint64_t set = atomic_load(&((struct fake_vm *)vm)->resident);

	*floor = 3 << 20;
	return set ? set : 64 << 20;
}

static inline bool fake_injected(void *vm, unsigned i, struct injected *to)
{
	static const char *const tier[] = { "ram", "file" };
	struct fake_vm *f = vm;

	if (i >= 2)
		return false;
	*to = (struct injected){ .tier = tier[i], .count.failed = i };
	pthread_mutex_lock(&f->telling);
	to->now = f->injection[i];
	pthread_mutex_unlock(&f->telling);
	return true;
}

static inline void fake_inject(void *vm, unsigned i,
			       const struct injection *what)
{
	struct fake_vm *f = vm;

	pthread_mutex_lock(&f->telling);
	f->injection[i] = *what;
	pthread_mutex_unlock(&f->telling);
}

static inline bool fake_pause(void *vm, struct complaint *why)
{
	atomic_fetch_add(&((struct fake_vm *)vm)->pauses, 1);
	return fake_verdict(vm, why);
}

static inline bool fake_resume(void *vm, struct complaint *why)
{
	atomic_fetch_add(&((struct fake_vm *)vm)->resumes, 1);
	return fake_verdict(vm, why);
}

static inline void fake_stop(void *vm)
{
	atomic_fetch_add(&((struct fake_vm *)vm)->stops, 1);
}

static inline bool fake_audit(void *vm, struct audit_report *r,
			      struct complaint *why)
{
	struct fake_vm *f = vm;

	if (!fake_verdict(f, why))
		return false;
	pthread_mutex_lock(&f->telling);
	*r = f->audit;
	pthread_mutex_unlock(&f->telling);
	return true;
}

static inline bool fake_attribute(void *vm, struct attribution *a,
				  struct complaint *why)
{
	struct fake_vm *f = vm;

	if (!fake_verdict(f, why))
		return false;
	pthread_mutex_lock(&f->telling);
	*a = f->attribution;
	pthread_mutex_unlock(&f->telling);
	return true;
}

/* Of the guest one statistic is known: its free memory. */
static inline bool fake_balloon(void *vm, struct balloon_report *r, bool fresh,
				struct complaint *why)
{
	struct fake_vm *f = vm;

	*r = (struct balloon_report){
		.target_pages = (uint32_t)atomic_load(&f->balloon),
		.actual_pages = 300,
		.reporting = true,
		.hint_host = 1,
		.hint_guest = 2,
		.inflated = 11,
		.discarded = 12,
		.updated_s = fresh ? 1000 : 0,
		.known = 1u << 4,
		.value = { [4] = 4096, [5] = 9 },
	};
	return fake_verdict(f, why);
}

static inline bool fake_balloon_target(void *vm, uint64_t pages,
				       struct complaint *why)
{
	struct fake_vm *f = vm;

	if (!fake_verdict(f, why))
		return false;
	atomic_store(&f->balloon, pages);
	return true;
}

static inline bool fake_balloon_hints(void *vm, struct complaint *why)
{
	atomic_fetch_add(&((struct fake_vm *)vm)->hints, 1);
	return fake_verdict(vm, why);
}

static inline bool fake_policy(void *vm, const struct policy_ops *policy,
			       struct complaint *why)
{
	struct fake_vm *f = vm;

	if (!fake_verdict(f, why))
		return false;
	atomic_store(&f->policy, policy->name);
	return true;
}

static inline bool fake_whatif(void *vm, struct whatif *w,
			       struct complaint *why)
{
	*w = (struct whatif){
		.mrc = { .references = { 100, 6400 }, .first = { 10, 640 } },
		.shadow = { .references = { 100, 6400 },
			    .policies = 2,
			    .policy = { { "fifo", { 40, 2560 } },
					{ "arc", { 25, 1600 } } } },
	};
	for (unsigned i = 0; i < MRC_POINTS; i++)
		w->mrc.point[i] = (struct mrc_point){
			.frames = 256 * (i + 1),
			.misses = { 90 - i, 64 * (90 - i) },
		};
	return fake_verdict(vm, why);
}

#define FAKE_RECORDS 1500

static inline bool fake_trace_start(void *vm, bool registers,
				    struct complaint *why)
{
	struct fake_vm *f = vm;

	if (!fake_verdict(f, why))
		return false;
	atomic_fetch_add(&f->traces, 1);
	atomic_fetch_add(&f->registers, registers);
	return true;
}

static inline bool fake_trace_stop(void *vm, struct complaint *why)
{
	atomic_fetch_add(&((struct fake_vm *)vm)->trace_stops, 1);
	return fake_verdict(vm, why);
}

/* Each record's time is its number; two were lost. */
static inline bool fake_trace_fetch(void *vm, uint64_t first,
				    struct trace_part *part,
				    struct complaint *why)
{
	if (!fake_verdict(vm, why))
		return false;
	if (first > FAKE_RECORDS)
		return complaint_set(why, "there are no more");
	*part = (struct trace_part){
		.state = LIVE_RECORDING,
		.header = { .magic = TRACE_MAGIC,
			    .version = TRACE_VERSION,
			    .record_bytes = 64 },
		.records = FAKE_RECORDS,
		.lost = 2,
		.first = first,
		.n = FAKE_RECORDS - first,
	};
	if (part->n > TRACE_PART)
		part->n = TRACE_PART;
	for (uint64_t i = 0; i < part->n; i++)
		part->record[i] = (struct trace_record){ .tsc = first + i,
							 .kind = TRACE_AGE };
	return true;
}

static inline bool fake_is_ram(void *ctx, gpa_t at)
{
	(void)ctx;
	return at.v < 256 << 20;
}

static inline bool fake_explain(void *vm, const char *address,
				struct explain *e, struct complaint *why)
{
	struct fake_vm *f = vm;
	struct explain asked;

	if (!fake_verdict(f, why) ||
	    !explain_parse(address, fake_is_ram, NULL, &asked, why))
		return false;
	pthread_mutex_lock(&f->telling);
	*e = f->explain;
	pthread_mutex_unlock(&f->telling);
	e->virtual = asked.virtual;
	e->gva = asked.gva;
	e->gpa = asked.gpa;
	e->has_gpa = asked.has_gpa;
	return true;
}

static inline struct vm_control fake_control(struct fake_vm *vm)
{
	return (struct vm_control){ .vm = vm,
				    .events = vm->events,
				    .status = fake_status,
				    .census = fake_census,
				    .resident = fake_resident,
				    .resident_cap = fake_resident_cap,
				    .injected = fake_injected,
				    .inject = fake_inject,
				    .pause = fake_pause,
				    .resume = fake_resume,
				    .stop = fake_stop,
				    .policy = fake_policy,
				    .whatif = fake_whatif,
				    .explain = fake_explain,
				    .audit = fake_audit,
				    .attribute = fake_attribute,
				    .trace_start = fake_trace_start,
				    .trace_stop = fake_trace_stop,
				    .trace_fetch = fake_trace_fetch,
				    .balloon = fake_balloon,
				    .balloon_target = fake_balloon_target,
				    .balloon_hints = fake_balloon_hints };
}

/* How often the VM was asked to do something. */
static inline int fake_deeds(struct fake_vm *vm)
{
	return vm->residents + vm->pauses + vm->resumes + vm->stops;
}

static inline void fixture_folder(struct fixture *f)
{
	*f = (struct fixture){ .folder = "/tmp/twofold-api-XXXXXX" };
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/vm.sock", f->folder);
}

static inline void fixture_start(struct fixture *f, unsigned idle_ms)
{
	struct complaint why = { "" };

	fixture_folder(f);
	if (!api_start_idle(&f->api, f->path, fake_control(&f->vm), idle_ms,
			    &why))
		fail_msg("%s", why.text);
}

/* Every file is gone with the server: the folder can be removed. */
static inline void fixture_stop(struct fixture *f)
{
	if (f->api)
		api_stop(f->api);
	assert_int_equal(rmdir(f->folder), 0);
}

static inline int connect_at(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = 10 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	assert_true(fd >= 0);
	/* A server that hangs fails the test instead of hanging it. */
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Send as much as the server takes before it hangs up. */
static inline void send_bytes(int fd, const char *from, size_t len)
{
	while (len) {
		ssize_t n = send(fd, from, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		from += n;
		len -= (size_t)n;
	}
}

static inline void send_text(int fd, const char *text)
{
	send_bytes(fd, text, strlen(text));
}

/* A request with @body, which may hold any bytes. */
static inline void send_request(int fd, const char *method, const char *target,
				const char *body, size_t len)
{
	char head[512];

	snprintf(head, sizeof(head),
		 "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n",
		 method, target, len);
	send_text(fd, head);
	send_bytes(fd, body, len);
}

/* Exactly one answer, byte by byte: what follows is the next one's. */
static inline struct answer *receive(int fd, struct answer *a)
{
	size_t len = 0, want = 0;

	memset(a, 0, sizeof(*a));
	while (len < sizeof(a->head) - 1 && !strstr(a->head, "\r\n\r\n")) {
		if (read(fd, a->head + len, 1) != 1)
			return a;
		len++;
	}
	const char *length = strstr(a->head, "Content-Length: ");
	if (length)
		want = strtoul(length + 16, NULL, 10);
	assert_true(want < sizeof(a->body));
	for (len = 0; len < want; len++)
		if (read(fd, a->body + len, 1) != 1)
			return a;
	assert_int_equal(sscanf(a->head, "HTTP/1.1 %d ", &a->status), 1);
	return a;
}

/* Has the server hung up? Waits for it. */
static inline bool hung_up(int fd)
{
	char byte;

	return read(fd, &byte, 1) == 0;
}

/* One request and its answer, on a connection of its own. */
static inline struct answer *ask(struct fixture *f, struct answer *a,
				 const char *method, const char *target,
				 const char *body)
{
	int fd = connect_at(f->path);

	assert_true(fd >= 0);
	send_request(fd, method, target, body, strlen(body));
	receive(fd, a);
	close(fd);
	return a;
}

static inline void assert_served(struct fixture *f)
{
	struct answer a;

	assert_int_equal(ask(f, &a, "GET", "/status", "")->status, 200);
}

static inline int64_t clock_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline int64_t now_ms(void)
{
	return clock_of(CLOCK_MONOTONIC);
}

/* What this process has used, all threads of it. */
static inline int64_t cpu_ms(void)
{
	return clock_of(CLOCK_PROCESS_CPUTIME_ID);
}

static inline void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

#endif
