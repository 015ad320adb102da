/* SPDX-License-Identifier: MIT */
/*
 * A trace of a running VM, over the control API: the same way in the capsule as
 * outside, because the records travel in the answers. Who fetches keeps up, or
 * records are lost, and counted.
 */
#include "vmm/api_answer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base64.h"
#include "vmm/safe_json.h"

struct http_reply api_put_trace(const struct vm_control *vm,
				const struct ask *ask)
{
	struct complaint why = { "" };
	json_error_t error;
	const char *state;
	int registers = 0;

	if (json_unpack_ex(ask->body, &error, JSON_STRICT, "{s:s, s?b}",
			   "state", &state, "registers", &registers))
		return api_malformed(ask, &error);
	if (!strcmp(state, "Recording"))
		return api_done(vm->trace_start(vm->vm, registers, &why), &why);
	if (!strcmp(state, "Stopped"))
		return api_done(vm->trace_stop(vm->vm, &why), &why);
	return api_refuse("want %s: no such state", ask->want);
}

static json_t *part_json(const struct trace_part *p)
{
	char *header = base64_encode(&p->header, sizeof(p->header));
	char *records = base64_encode(p->record, p->n * sizeof(p->record[0]));
	json_t *o = json_pack(
		"{s:s, s:I, s:I, s:I, s:s, s:s}", "state",
		p->state == LIVE_RECORDING ? "Recording" : "Stopped", "total",
		safe_count(p->records), "lost", safe_count(p->lost), "first",
		safe_count(p->first), "header", header ? header : "", "records",
		records ? records : "");

	free(header);
	free(records);
	return o;
}

struct http_reply api_get_trace(const struct vm_control *vm,
				const struct ask *ask)
{
	struct complaint why = { "" };
	struct trace_part *part = malloc(sizeof(*part));
	struct http_reply reply;
	uint64_t first;

	if (!part)
		return api_report(NULL);
	if (!number_parse(ask->rest, &first))
		reply = api_refuse("want the number of a record behind "
				   "/trace/");
	else if (!vm->trace_fetch(vm->vm, first, part, &why))
		reply = api_done(false, &why);
	else
		reply = api_object(part_json(part));
	free(part);
	return reply;
}
