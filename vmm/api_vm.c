/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "vmm/api_answer.h"
#include "vmm/metrics.h"

struct http_reply api_get_status(const struct vm_control *vm,
				 const struct ask *ask)
{
	struct status st = { .name = "" };

	(void)ask;
	vm->status(vm->vm, &st);
	return api_report(status_json(&st, false));
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

	if (!vm->explain(vm->vm, ask->rest, &e, &why))
		return api_done(false, &why);
	return api_report(explain_json(&e));
}

struct http_reply api_patch_vm(const struct vm_control *vm,
			       const struct ask *ask)
{
	struct complaint why = { "" };
	json_error_t error;
	const char *state;

	if (json_unpack_ex(ask->body, &error, JSON_STRICT, "{s:s}", "state",
			   &state))
		return api_malformed(ask, &error);
	if (!strcmp(state, "Paused"))
		return api_done(vm->pause(vm->vm, &why), &why);
	if (!strcmp(state, "Resumed"))
		return api_done(vm->resume(vm->vm, &why), &why);
	if (!strcmp(state, "Stopped")) {
		vm->stop(vm->vm);
		return api_done(true, &why);
	}
	return api_done(
		complaint_set(&why, "want %s: no such state", ask->want), &why);
}
