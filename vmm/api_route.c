/* SPDX-License-Identifier: MIT */
#include "vmm/api_route.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vmm/api_answer.h"
#include "vmm/safe_json.h"

struct http_reply api_fault(int status, const char *message)
{
	struct http_reply reply = { .status = status };
	json_t *fault = json_pack("{s:o}", "fault_message", safe_text(message));

	reply.body = json_dumps(fault, JSON_COMPACT);
	json_decref(fault);
	return reply;
}

struct http_reply api_done(bool ok, const struct complaint *why)
{
	if (ok)
		return (struct http_reply){ .status = HTTP_STATUS_NO_CONTENT };
	return api_fault(HTTP_STATUS_BAD_REQUEST, why->text);
}

struct http_reply api_refuse(const char *format, ...)
{
	struct complaint why;
	char text[sizeof(why.text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return api_done(complaint_set(&why, "%s", text), &why);
}

struct http_reply api_malformed(const struct ask *ask,
				const json_error_t *error)
{
	return api_refuse("want %s: %s", ask->want, error->text);
}

bool api_take_number(const struct ask *ask, const char *name, json_int_t most,
		     json_int_t *n, struct http_reply *no)
{
	json_error_t error;

	if (json_unpack_ex(ask->body, &error, JSON_STRICT, "{s:I}", name, n)) {
		*no = api_malformed(ask, &error);
		return false;
	}
	if (*n >= 0 && *n <= most)
		return true;
	*no = api_refuse("want %s: out of range", ask->want);
	return false;
}

bool api_take_text(const struct ask *ask, const char *name, const char **text,
		   struct http_reply *no)
{
	json_error_t error;

	if (!json_unpack_ex(ask->body, &error, JSON_STRICT, "{s:s}", name,
			    text))
		return true;
	*no = api_malformed(ask, &error);
	return false;
}

struct http_reply api_report(char *body)
{
	return (struct http_reply){
		.status = body ? HTTP_STATUS_OK
			       : HTTP_STATUS_INTERNAL_SERVER_ERROR,
		.body = body,
	};
}

struct http_reply api_told(char *body, const struct complaint *why)
{
	return body || !*why->text ? api_report(body) : api_done(false, why);
}

struct http_reply api_object(json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);

	json_decref(object);
	return api_report(text);
}

#define WANT_INJECTION "{\"delay\": KIND, \"delay_us\": N, ...}"

static const struct route {
	enum http_method method;
	const char *target; /* all of it, or up to its last slash */
	api_answer_fn *answer;
	const char *want; /* the body */
} routes[] = {
	{ HTTP_GET, "/version", api_get_version, NULL },
	{ HTTP_GET, "/machine-config", api_get_machine, NULL },
	{ HTTP_GET, "/status", api_get_status, NULL },
	{ HTTP_GET, "/events", api_get_events, NULL },
	{ HTTP_GET, "/events/after/", api_get_events_after, NULL },
	{ HTTP_GET, "/explain/", api_get_explain, NULL },
	{ HTTP_PATCH, "/vm", api_patch_vm,
	  "{\"state\": \"Paused\" | \"Resumed\" | \"Stopped\"}" },
	{ HTTP_GET, "/memory/attribution", api_get_attribution, NULL },
	{ HTTP_GET, "/memory/audit", api_get_audit, NULL },
	{ HTTP_GET, "/memory/map", api_get_map, NULL },
	{ HTTP_GET, "/memory/mrc", api_get_mrc, NULL },
	{ HTTP_GET, "/metrics", api_get_metrics, NULL },
	{ HTTP_GET, "/memory/resident", api_get_resident, NULL },
	{ HTTP_PUT, "/memory/resident", api_put_resident,
	  "{\"resident_bytes\": N}" },
	{ HTTP_GET, "/policy", api_get_policy, NULL },
	{ HTTP_PUT, "/policy", api_put_policy, "{\"policy\": NAME}" },
	{ HTTP_GET, "/balloon", api_get_balloon, NULL },
	{ HTTP_PUT, "/balloon", api_put_balloon, NULL },
	{ HTTP_PATCH, "/balloon", api_patch_balloon, "{\"amount_mib\": N}" },
	{ HTTP_GET, "/balloon/statistics", api_get_balloon_statistics, NULL },
	{ HTTP_PATCH, "/balloon/statistics", api_patch_balloon_statistics,
	  "{\"stats_polling_interval_s\": 0}" },
	{ HTTP_GET, "/balloon/hinting/status", api_get_hinting, NULL },
	{ HTTP_PATCH, "/balloon/hinting/start", api_start_hinting, NULL },
	{ HTTP_GET, "/pressure", api_get_pressure, NULL },
	{ HTTP_PUT, "/pressure", api_put_pressure, WANT_INJECTION },
	{ HTTP_PATCH, "/pressure", api_patch_pressure, WANT_INJECTION },
	{ HTTP_PUT, "/trace", api_put_trace,
	  "{\"state\": \"Recording\" | \"Stopped\", \"registers\": BOOL}" },
	{ HTTP_GET, "/trace/", api_get_trace, NULL },
	{ HTTP_GET, "/", api_get_instance, NULL },
};

#define ROUTES (sizeof(routes) / sizeof(routes[0]))

static struct http_reply follow(const struct route *route,
				const struct vm_control *vm,
				const struct http *request)
{
	struct ask ask = { .rest = request->target + strlen(route->target),
			   .want = route->want };
	struct http_reply reply;
	json_error_t error;

	if (ask.want && memchr(request->body, 0, request->body_len))
		return api_fault(HTTP_STATUS_BAD_REQUEST, "a NUL in the body");
	if (ask.want) {
		ask.body = json_loadb(request->body, request->body_len,
				      JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
				      &error);
		if (!ask.body)
			return api_malformed(&ask, &error);
	}
	reply = route->answer(vm, &ask);
	json_decref(ask.body);
	/* cppcheck-suppress returnDanglingLifetime ; no part of ask is in it */
	return reply;
}

static bool leads_to(const struct route *r, const char *target)
{
	size_t len = strlen(r->target);

	if (len > 1 && r->target[len - 1] == '/')
		return !strncmp(r->target, target, len);
	return !strcmp(r->target, target);
}

/* A path may have two methods; the last one of the list is named then. */
struct http_reply api_answer(const struct vm_control *vm,
			     const struct http *request)
{
	struct http_reply reply;
	const struct route *other = NULL;

	for (const struct route *r = routes; r < routes + ROUTES; r++) {
		if (!leads_to(r, request->target))
			continue;
		if (r->method == (enum http_method)request->parser.method)
			return follow(r, vm, request);
		other = r;
	}
	if (!other)
		return api_fault(HTTP_STATUS_NOT_FOUND, "no such path");
	reply = api_fault(HTTP_STATUS_METHOD_NOT_ALLOWED,
			  "wrong method; Allow names a right one");
	reply.allow = http_method_str(other->method);
	return reply;
}
