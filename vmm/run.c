/* SPDX-License-Identifier: MIT */
/*
 * `twofold run` on /dev/kvm: build the VM, wait for its end while the terminal
 * and the signals are looked after, report, and leave with its status.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "ept/trace.h"
#include "vmm/api.h"
#include "vmm/balloon_auto.h"
#include "vmm/beside.h"
#include "vmm/capsule.h"
#include "vmm/command.h"
#include "vmm/disk.h"
#include "vmm/probe.h"
#include "vmm/run.h"
#include "vmm/signals.h"
#include "vmm/terminal.h"
#include "vmm/vm.h"

#define FAILED 125

static int complain(const struct complaint *why)
{
	fprintf(stderr, "twofold: %s\n", why->text);
	return FAILED;
}

/* What the main thread waits for. */
enum watch {
	WATCH_END,
	WATCH_SIGNAL,
	WATCH_TIMER,
	WATCH_SLO,
	WATCH_BALLOON,
	WATCH_ROOM,
	WATCH_INPUT,
	WATCHES
};

struct session {
	struct vm *vm;
	struct pollfd watch[WATCHES];
	uint8_t input[256]; /* read from the terminal, not yet taken */
	size_t inputs;
	bool input_ended;
};

/* A timer that is readable after @ms, and when @again each @ms; -1 for 0. */
static int open_timer(uint64_t ms, bool again)
{
	struct timespec span = { .tv_sec = (time_t)(ms / 1000),
				 .tv_nsec = (long)(ms % 1000) * 1000000 };
	struct itimerspec t = { .it_value = span };
	int fd;

	if (!ms)
		return -1;
	if (again)
		t.it_interval = span;
	fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (fd >= 0)
		timerfd_settime(fd, 0, &t, NULL);
	return fd;
}

/* Hand the console what it takes; stop reading while it is full. */
static void feed(struct session *s)
{
	size_t taken = machine_input(s->vm, s->input, s->inputs);

	s->inputs -= taken;
	memmove(s->input, s->input + taken, s->inputs);
	/* Not even hang-ups are watched while there is something to hand on:
	 * poll would report them for ever. */
	s->watch[WATCH_INPUT].fd =
		s->inputs || s->input_ended ? -1 : STDIN_FILENO;
}

static void on_input(struct session *s)
{
	ssize_t n = read(STDIN_FILENO, s->input, sizeof(s->input));

	if (n > 0)
		s->inputs = (size_t)n;
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		s->input_ended = true;
	feed(s);
}

static void on_room(struct session *s)
{
	uint64_t token;

	if (read(s->vm->room, &token, sizeof(token)) > 0 && s->inputs)
		feed(s);
}

/* A signal ends the run as it would have ended the process. */
static void on_signal(struct session *s)
{
	struct signalfd_siginfo info;

	if (read(s->watch[WATCH_SIGNAL].fd, &info, sizeof(info)) ==
	    sizeof(info))
		vm_end(s->vm, VM_STOPPED, 128 + (int)info.ssi_signo);
}

/* A timer's steps that are due: @step, once. */
static void on_step(struct session *s, enum watch timer,
		    void (*step)(struct vm *vm))
{
	uint64_t steps;

	if (read(s->watch[timer].fd, &steps, sizeof(steps)) > 0)
		step(s->vm);
}

static void wait_for_end(struct session *s)
{
	struct pollfd *w = s->watch;

	for (;;) {
		if (poll(w, WATCHES, -1) < 0 && errno != EINTR)
			return;
		if (w[WATCH_END].revents)
			return;
		if (w[WATCH_SIGNAL].revents)
			on_signal(s);
		if (w[WATCH_TIMER].revents)
			vm_end(s->vm, VM_TIMEOUT, 124);
		if (w[WATCH_SLO].revents)
			on_step(s, WATCH_SLO, vm_slo_step);
		if (w[WATCH_BALLOON].revents)
			on_step(s, WATCH_BALLOON, vm_balloon_step);
		if (w[WATCH_ROOM].revents)
			on_room(s);
		if (w[WATCH_INPUT].revents)
			on_input(s);
	}
}

static void write_stats(struct vm *vm)
{
	const char *path = vm->options->stats;
	struct status st;
	char *json;
	FILE *f;

	if (!path)
		return;
	vm_status(vm, &st);
	json = status_json(&st, true);
	f = fopen(path, "we");
	if (!json || !f || fputs(json, f) < 0 || fclose(f))
		fprintf(stderr, "twofold: stats %s: %s\n", path,
			strerror(errno));
	free(json);
}

/* Fail before the guest runs rather than after. */
static bool check_stats(const char *path, struct complaint *why)
{
	int fd;

	if (!path)
		return true;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return complaint_set(why, "stats %s: %s", path,
				     strerror(errno));
	close(fd);
	return true;
}

/* The socket's path: --api-socket, else by name, else by pid. */
static bool socket_path(const struct run_options *o, char path[108],
			struct complaint *why)
{
	char pid[24];
	int r;

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	if (o->api_socket) {
		if (strlen(o->api_socket) >= 108)
			return complaint_set(why, "--api-socket: too long");
		memcpy(path, o->api_socket, strlen(o->api_socket) + 1);
		return true;
	}
	r = api_make_folder();
	if (r)
		return complaint_set(why,
				     "the folder for control sockets: %s; "
				     "set XDG_RUNTIME_DIR or --api-socket",
				     strerror(-r));
	return api_path(o->name ? o->name : pid, path) ||
	       complaint_set(why, "the control socket's path is too long");
}

/* From vm_create to the end. */
static int run_vm(struct vm *vm, int signals, struct complaint *why)
{
	const struct run_options *o = vm->options;
	const uint64_t timeout_ms = o->timeout_s * 1000;
	const uint64_t slo_ms = o->slo_stall > 0 ? SLO_STEP_MS : 0;
	const uint64_t balloon_ms =
		o->balloon.automatic ? BALLOON_AUTO_STEP_MS : 0;
	struct session s = {
		.vm = vm,
		.watch = { { vm->ended, POLLIN, 0 },
			   { signals, POLLIN, 0 },
			   { open_timer(timeout_ms, false), POLLIN, 0 },
			   { open_timer(slo_ms, true), POLLIN, 0 },
			   { open_timer(balloon_ms, true), POLLIN, 0 },
			   { vm->room, POLLIN, 0 },
			   { STDIN_FILENO, POLLIN, 0 } },
	};
	char path[108];
	struct api *api;
	int r;

	if (!socket_path(vm->options, path, why) ||
	    !api_start(&api, path, vm_control(vm), why)) {
		vm_stop(vm);
		vm_destroy(vm);
		return complain(why);
	}
	terminal_raw(STDIN_FILENO);
	r = vm_start(vm);
	if (r) {
		fprintf(stderr, "twofold: vCPU thread: %s\n", strerror(-r));
		vm_end(vm, VM_FAILED, FAILED);
	}
	wait_for_end(&s);
	vm_quiesce(vm);
	terminal_restore();
	api_stop(api);
	vm_stop(vm);
	write_stats(vm);
	r = vm->status;
	vm_destroy(vm);
	return r;
}

static int run_on_kvm(const struct run_options *o, const struct image *im)
{
	struct complaint why;
	int signals = signals_catch();
	struct vm vm;

	if (!check_stats(o->stats, &why))
		return complain(&why);
	if (!vm_create(&vm, o, im, &why))
		return complain(&why);
	return run_vm(&vm, signals, &why);
}

/* --accel: true when this run belongs into the capsule. */
static bool choose_capsule(const struct run_options *o, int *failed)
{
	struct complaint no_kvm, no_capsule;

	*failed = 0;
	if (o->accel == ACCEL_CAPSULE)
		return true;
	if (kvm_usable(&no_kvm))
		return false;
	if (o->accel == ACCEL_AUTO && capsule_usable(&no_capsule)) {
		fprintf(stderr, "twofold: %s; running in the capsule instead\n",
			no_kvm.text);
		return true;
	}
	*failed = complain(&no_kvm);
	return false;
}

static int run_parsed(const struct run_options *o)
{
	struct ram ram = ram_layout(o->memory_bytes);
	struct complaint why;
	struct image image;
	char sample[PATH_MAX];
	const char *kernel = o->kernel;
	int status;

	if (!kernel) {
		kernel = sample;
		if (!beside_find(sample, "guest/sample.elf")) {
			complaint_set(&why, "the sample guest is not beside "
					    "the program: make builds it");
			return complain(&why);
		}
	}
	if (choose_capsule(o, &status))
		return capsule_run(o, kernel);
	if (status)
		return status;
	if (!image_open(&image, kernel, o->initrd, &ram, &why))
		return complain(&why);
	status = run_on_kvm(o, &image);
	image_close(&image);
	return status;
}

/* Each client of the control API is a descriptor. */
static void raise_descriptors(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

int cmd_run(int argc, char **argv)
{
	struct run_options o;
	struct complaint why;
	int status;

	if (!options_parse(&o, argc, argv, &why))
		return complain(&why);
	if (o.help) {
		command_help(command_find("run"), stdout);
		return 0;
	}
	raise_descriptors();
	status = disk_defaults(&o, &why) ? run_parsed(&o) : complain(&why);
	options_free(&o);
	return status;
}
