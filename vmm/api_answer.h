/* SPDX-License-Identifier: MIT */
/*
 * What the routes of the control API are made of: each answers one request,
 * and what it asks for has happened, or nothing has. A route's body is one flat
 * JSON object whose fields are all known: jansson parses it, refusing
 * duplicates and numbers that do not fit, and unpacks it, refusing what is
 * missing, unknown or of the wrong type, before the VM hears of it.
 */
#ifndef VMM_API_ANSWER_H
#define VMM_API_ANSWER_H

#include <jansson.h>

#include "vmm/http.h"
#include "vmm/status.h"

/* A request, as its route sees it. */
struct ask {
	const char *rest; /* of the target, where the route's ends in a slash */
	json_t *body; /* parsed; NULL where want is */
	const char *want; /* its body, as a complaint shows it */
};

/* {"fault_message": @message}. */
struct http_reply api_fault(int status, const char *message);
/* What most requests come to: 204, or 400 and why. */
struct http_reply api_done(bool ok, const struct complaint *why);
/* 400, and why. */
__attribute__((format(printf, 1, 2))) struct http_reply api_refuse(
	const char *format, ...);
/* 400: the body is not what was wanted, and where. */
struct http_reply api_malformed(const struct ask *ask,
				const json_error_t *error);
/* The body's one field, @name: a number from 0 to @most, or a text, which lasts
 * as long as the request. False: the answer is *no. */
bool api_take_number(const struct ask *ask, const char *name, json_int_t most,
		     json_int_t *n, struct http_reply *no);
bool api_take_text(const struct ask *ask, const char *name, const char **text,
		   struct http_reply *no);
/* 200 with @body, which is malloced; NULL: there was no memory for it. */
struct http_reply api_report(char *body);
/* The same of what the VM was asked for and may have refused: NULL, and why. */
struct http_reply api_told(char *body, const struct complaint *why);
/* The same of @object, which this frees. */
struct http_reply api_object(json_t *object);

typedef struct http_reply api_answer_fn(const struct vm_control *vm,
					const struct ask *ask);

/* api_vm.c: the VM as a whole. */
api_answer_fn api_get_instance, api_get_version, api_get_machine,
	api_get_status, api_get_metrics, api_get_explain, api_get_events,
	api_get_events_after, api_patch_vm;
/* api_memory.c: its memory, and who has it. */
api_answer_fn api_get_attribution, api_get_audit, api_get_map, api_get_mrc,
	api_get_policy, api_put_policy, api_get_resident, api_put_resident,
	api_get_balloon, api_put_balloon, api_patch_balloon,
	api_get_balloon_statistics, api_patch_balloon_statistics,
	api_get_hinting, api_start_hinting;
/* api_pressure.c: what is injected into its swap. */
api_answer_fn api_get_pressure, api_put_pressure, api_patch_pressure;
/* api_trace.c: what it records. */
api_answer_fn api_put_trace, api_get_trace;

#endif
