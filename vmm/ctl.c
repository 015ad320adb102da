/* SPDX-License-Identifier: MIT */
/* `twofold ctl`: the control API, by hand. */
#include "vmm/ctl.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "vmm/api.h"

#define TIMEOUT_S 10

static const char usage[] =
	"usage: twofold ctl VM VERB\n"
	"VM is a name (--name), a pid or the path of a socket; VERB is one of\n"
	"  status [--json]   what the VM does and has done\n"
	"  resident SIZE     cap the host memory behind it, as in 64M\n"
	"  pause             stop its CPUs\n"
	"  resume            let them go on\n"
	"  stop              end the run\n";

/* Where the VM's API is, and the name it was asked for by. */
struct target {
	const char *vm;
	char path[108];
};

static int complain_usage(const char *what, const char *word)
{
	warnx("ctl: %s%s%s; `twofold ctl --help` shows how", what,
	      word ? " " : "", word ? word : "");
	return 2;
}

/* Why there was no answer, in a line that says where we looked. */
static int complain_no_answer(const struct target *t, int error)
{
	if (error == -ENOENT || error == -ECONNREFUSED)
		warnx("ctl: no VM %s: nothing listens at %s", t->vm, t->path);
	else
		warnx("ctl: VM %s at %s: %s", t->vm, t->path, strerror(-error));
	return 1;
}

static int complain_fault(const struct target *t, int status, const char *body)
{
	json_t *fault = json_loads(body, 0, NULL);
	const char *why = NULL;

	if (json_unpack(fault, "{s:s}", "fault_message", &why))
		why = "no reason given";
	warnx("ctl: VM %s refused (%d): %s", t->vm, status, why);
	json_decref(fault);
	return 1;
}

/* One request; on success *body, if wanted, is the caller's. */
static int call(const struct target *t, const char *method, const char *target,
		const char *json, char **body)
{
	char *answer = NULL;
	int status =
		api_call(t->path, method, target, json, TIMEOUT_S, &answer);
	int failed = 0;

	if (status < 0)
		failed = complain_no_answer(t, status);
	else if (status != 200 && status != 204)
		failed = complain_fault(t, status, answer);
	if (!failed && body)
		*body = answer;
	else
		free(answer);
	return failed;
}

static double mib(json_int_t bytes)
{
	return (double)bytes / (1 << 20);
}

static bool print_state(json_t *st)
{
	const char *name, *state, *reason, *accel, *stage2, *policy;

	if (json_unpack(st, "{s:s, s:s, s:s, s:s, s:s, s:s}", "name", &name,
			"state", &state, "reason", &reason, "accel", &accel,
			"stage2", &stage2, "policy", &policy))
		return false;
	printf("name       %s\n", name);
	printf("state      %s%s%s\n", state, *reason ? ": " : "", reason);
	printf("accel      %s, %s\n", accel, stage2);
	printf("policy     %s\n", policy);
	return true;
}

static bool print_memory(json_t *st)
{
	json_int_t size, limit, now, peak;

	if (json_unpack(st, "{s:{s:I, s:I, s:I, s:I}}", "memory", "size_bytes",
			&size, "resident_limit_bytes", &limit, "resident_bytes",
			&now, "resident_peak_bytes", &peak))
		return false;
	printf("memory     %.1f MiB, resident %.1f, limit %.1f, peak %.1f\n",
	       mib(size), mib(now), mib(limit), mib(peak));
	return true;
}

static bool print_faults(json_t *st)
{
	json_int_t missing, minor, guest;
	double p50, p99, max;

	if (json_unpack(st, "{s:{s:I, s:I, s:{s:F, s:F, s:F}}, s:{s:I}}",
			"faults", "missing", &missing, "minor", &minor,
			"latency_us", "p50", &p50, "p99", &p99, "max", &max,
			"guest", "page_faults", &guest))
		return false;
	printf("faults     %lld missing, %lld minor; %lld in the guest\n",
	       missing, minor, guest);
	printf("latency    p50 %.1f us, p99 %.1f us, max %.1f us\n", p50, p99,
	       max);
	return true;
}

static bool print_pages(json_t *st)
{
	json_int_t zero, file, in, out, clean, elided, ahead;

	if (json_unpack(st, "{s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I}}", "pages",
			"zero_filled", &zero, "file_filled", &file,
			"swapped_in", &in, "swapped_out", &out, "clean_dropped",
			&clean, "zero_elided", &elided, "mapped_ahead", &ahead))
		return false;
	printf("pages in   %lld zero, %lld file, %lld swap; %lld ahead\n", zero,
	       file, in, ahead);
	printf("pages out  %lld swap, %lld clean, %lld zero\n", out, clean,
	       elided);
	return true;
}

static bool print_tiers(json_t *st)
{
	json_t *tiers, *tier;
	size_t i;

	if (json_unpack(st, "{s:{s:o}}", "swap", "tiers", &tiers))
		return false;
	json_array_foreach(tiers, i, tier)
	{
		const char *name;
		json_int_t pages, raw, stored;

		if (json_unpack(tier, "{s:s, s:I, s:I, s:I}", "name", &name,
				"pages", &pages, "raw_bytes", &raw,
				"stored_bytes", &stored))
			return false;
		printf("swap %-5s %lld pages, %.1f MiB in %.1f MiB\n", name,
		       pages, mib(raw), mib(stored));
	}
	return true;
}

static bool print_status(const char *text)
{
	json_t *st = json_loads(text, 0, NULL);
	bool ok = print_state(st) && print_memory(st) && print_faults(st) &&
		  print_pages(st) && print_tiers(st);

	json_decref(st);
	return ok;
}

static int verb_status(const struct target *t, int argc, char **argv)
{
	bool raw = argc == 1 && !strcmp(argv[0], "--json");
	char *text;

	if (argc && !raw)
		return complain_usage("status does not know", argv[0]);
	if (call(t, "GET", "/status", NULL, &text))
		return 1;
	bool ok = raw ? puts(text) >= 0 : print_status(text);
	free(text);
	if (!ok)
		warnx("ctl: VM %s: not a status this program knows", t->vm);
	return ok ? 0 : 1;
}

static int verb_resident(const struct target *t, int argc, char **argv)
{
	uint64_t bytes;
	char json[64];

	if (argc != 1)
		return complain_usage("resident needs one SIZE, as in 64M",
				      NULL);
	if (!size_parse(argv[0], 0, &bytes))
		return complain_usage("not a size, as in 64M:", argv[0]);
	snprintf(json, sizeof(json), "{\"resident_bytes\": %" PRIu64 "}",
		 bytes);
	return call(t, "PUT", "/memory/resident", json, NULL);
}

static int set_state(const struct target *t, int argc, char **argv,
		     const char *json)
{
	if (argc)
		return complain_usage("no word belongs here:", argv[0]);
	return call(t, "PATCH", "/vm", json, NULL);
}

static int verb_pause(const struct target *t, int argc, char **argv)
{
	return set_state(t, argc, argv, "{\"state\": \"Paused\"}");
}

static int verb_resume(const struct target *t, int argc, char **argv)
{
	return set_state(t, argc, argv, "{\"state\": \"Resumed\"}");
}

static int verb_stop(const struct target *t, int argc, char **argv)
{
	return set_state(t, argc, argv, "{\"state\": \"Stopped\"}");
}

static const struct verb {
	const char *name;
	/* @argv: the words behind the verb. */
	int (*run)(const struct target *t, int argc, char **argv);
} verbs[] = {
	{ "status", verb_status }, { "resident", verb_resident },
	{ "pause", verb_pause },   { "resume", verb_resume },
	{ "stop", verb_stop },
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

int cmd_ctl(int argc, char **argv)
{
	struct target t;

	if (argc && (!strcmp(argv[0], "--help") || !strcmp(argv[0], "-h"))) {
		fputs(usage, stdout);
		return 0;
	}
	if (argc < 2 || !*argv[0])
		return complain_usage("a VM and a verb are needed", NULL);
	t.vm = argv[0];
	if (!api_path(t.vm, t.path))
		return complain_usage("too long for a socket's path:", t.vm);
	for (const struct verb *v = verbs; v < verbs + VERBS; v++)
		if (!strcmp(v->name, argv[1]))
			return v->run(&t, argc - 2, argv + 2);
	return complain_usage("no such verb:", argv[1]);
}
