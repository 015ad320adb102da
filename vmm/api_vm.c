/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "vmm/api_answer.h"
#include "vmm/events.h"
#include "vmm/metrics.h"
#include "vmm/safe_json.h"

#define VERSION	    "0.1"
#define EVENTS_SOME 128 /* of an answer, which has at most 64 KiB */

struct http_reply api_get_status(const struct vm_control *vm,
				 const struct ask *ask)
{
	struct status st = { .name = "" };

	(void)ask;
	vm->status(vm->vm, &st);
	return api_report(status_json(&st, false));
}

/* Firecracker's InstanceInfo. */
struct http_reply api_get_instance(const struct vm_control *vm,
				   const struct ask *ask)
{
	struct status st = { .name = "" };
	bool runs;

	(void)ask;
	vm->status(vm->vm, &st);
	runs = !strcmp(st.state, "running");
	return api_object(json_pack("{s:s, s:o, s:s, s:s}", "app_name",
				    "twofold", "id", safe_text(st.name),
				    "state", runs ? "Running" : "Paused",
				    "vmm_version", VERSION));
}

struct http_reply api_get_version(const struct vm_control *vm,
				  const struct ask *ask)
{
	(void)vm;
	(void)ask;
	return api_object(json_pack("{s:s}", "version", VERSION));
}

/* Firecracker's MachineConfiguration. */
struct http_reply api_get_machine(const struct vm_control *vm,
				  const struct ask *ask)
{
	struct status st = { .name = "" };

	(void)ask;
	vm->status(vm->vm, &st);
	return api_object(json_pack(
		"{s:i, s:I, s:b, s:b, s:s}", "vcpu_count", (int)st.vcpus,
		"mem_size_mib", safe_count(st.memory.size_bytes >> 20), "smt",
		false, "track_dirty_pages", false, "huge_pages",
		st.large_pages ? "2M" : "None"));
}

struct http_reply api_get_events(const struct vm_control *vm,
				 const struct ask *ask)
{
	(void)vm;
	(void)ask;
	return (struct http_reply){ .status = HTTP_STATUS_OK, .stream = true };
}

/* What a stream tells, for who asks again and again. */
struct http_reply api_get_events_after(const struct vm_control *vm,
				       const struct ask *ask)
{
	uint64_t after;
	bool lost;

	if (!vm->events || !number_parse(ask->rest, &after) ||
	    after >= INT64_MAX)
		return api_refuse("want the number of an event, as in "
				  "/events/after/0");
	after++;
	lost = events_lost(vm->events, &after);
	return api_object(
		json_pack("{s:b, s:o}", "lost", lost, "events",
			  events_list(vm->events, after, EVENTS_SOME)));
}

struct http_reply api_get_metrics(const struct vm_control *vm,
				  const struct ask *ask)
{
	struct status st = { .name = "" };
	struct http_reply reply;

	(void)ask;
	vm->status(vm->vm, &st);
	reply = api_report(metrics_text(&st));
	reply.type = METRICS_TYPE;
	return reply;
}

struct http_reply api_get_explain(const struct vm_control *vm,
				  const struct ask *ask)
{
	struct complaint why = { "" };
	struct explain e;
	bool ok = vm->explain(vm->vm, ask->rest, &e, &why);

	return api_told(ok ? explain_json(&e) : NULL, &why);
}

struct http_reply api_patch_vm(const struct vm_control *vm,
			       const struct ask *ask)
{
	struct complaint why = { "" };
	struct http_reply no;
	const char *state;

	if (!api_take_text(ask, "state", &state, &no))
		return no;
	if (!strcmp(state, "Paused"))
		return api_done(vm->pause(vm->vm, &why), &why);
	if (!strcmp(state, "Resumed"))
		return api_done(vm->resume(vm->vm, &why), &why);
	if (!strcmp(state, "Stopped")) {
		vm->stop(vm->vm);
		return api_done(true, &why);
	}
	return api_refuse("want %s: no such state", ask->want);
}
