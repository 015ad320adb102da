/* SPDX-License-Identifier: MIT */
/*
 * A body is one flat JSON object whose fields are all known: jansson parses
 * it, refusing duplicates, numbers that do not fit and deep nesting, and
 * unpacks it, refusing what is missing, unknown or of the wrong type, before
 * the VM hears of it.
 */
#include "vmm/api_route.h"

#include <string.h>

#include "vmm/audit.h"
#include "vmm/balloon.h"
#include "vmm/census_json.h"
#include "vmm/metrics.h"
#include "vmm/safe_json.h"

struct http_reply api_fault(int status, const char *message)
{
	struct http_reply reply = { .status = status };
	json_t *fault = json_pack("{s:o}", "fault_message", safe_text(message));

	reply.body = json_dumps(fault, JSON_COMPACT);
	json_decref(fault);
	return reply;
}

/* What most requests come to: 204, or 400 and why. */
static struct http_reply done(bool ok, const struct complaint *why)
{
	if (ok)
		return (struct http_reply){ .status = HTTP_STATUS_NO_CONTENT };
	return api_fault(HTTP_STATUS_BAD_REQUEST, why->text);
}

static struct http_reply malformed(const char *want, const json_error_t *error)
{
	struct complaint why;

	return done(complaint_set(&why, "want %s: %s", want, error->text),
		    &why);
}

/* 200 with @body, which is malloced; NULL: there was no memory for it. */
static struct http_reply report(char *body)
{
	return (struct http_reply){
		.status = body ? HTTP_STATUS_OK
			       : HTTP_STATUS_INTERNAL_SERVER_ERROR,
		.body = body,
	};
}

/* A request, as its route sees it. */
struct ask {
	const char *rest; /* of the target, where the route's ends in a slash */
	json_t *body; /* parsed; NULL where want is */
	const char *want; /* its body, as a complaint shows it */
};

static struct http_reply get_status(const struct vm_control *vm, struct ask ask)
{
	struct status st = { .name = "" };

	(void)ask;
	vm->status(vm->vm, &st);
	return report(status_json(&st, false));
}

static struct http_reply get_audit(const struct vm_control *vm, struct ask ask)
{
	struct complaint why = { "" };
	struct audit_report r;

	(void)ask;
	if (!vm->audit(vm->vm, &r, &why))
		return done(false, &why);
	return report(audit_json(&r));
}

static struct http_reply get_map(const struct vm_control *vm, struct ask ask)
{
	struct census c;

	(void)ask;
	vm->census(vm->vm, &c);
	return report(census_json(&c));
}

static struct http_reply get_metrics(const struct vm_control *vm,
				     struct ask ask)
{
	struct status st = { .name = "" };
	struct http_reply reply;

	(void)ask;
	vm->status(vm->vm, &st);
	reply = report(metrics_text(&st));
	reply.type = METRICS_TYPE;
	return reply;
}

static struct http_reply get_mrc(const struct vm_control *vm, struct ask ask)
{
	struct complaint why = { "" };
	struct whatif w;

	(void)ask;
	if (!vm->whatif(vm->vm, &w, &why))
		return done(false, &why);
	return report(whatif_json(&w));
}

static struct http_reply get_explain(const struct vm_control *vm,
				     struct ask ask)
{
	struct complaint why = { "" };
	struct explain e;

	if (!vm->explain(vm->vm, ask.rest, &e, &why))
		return done(false, &why);
	return report(explain_json(&e));
}

/* The policy in force, and those there are. */
static struct http_reply get_policy(const struct vm_control *vm, struct ask ask)
{
	struct status st = { .name = "" };
	json_t *names = json_array(), *answer;
	char *text;

	(void)ask;
	vm->status(vm->vm, &st);
	for (unsigned i = 0; policies[i]; i++)
		json_array_append_new(names, json_string(policies[i]->name));
	answer = json_pack("{s:o, s:o}", "policy", safe_text(st.policy),
			   "policies", names);
	text = json_dumps(answer, JSON_COMPACT);
	json_decref(answer);
	return report(text);
}

static struct http_reply put_policy(const struct vm_control *vm, struct ask ask)
{
	const struct policy_ops *policy;
	struct complaint why = { "" };
	json_error_t error;
	const char *name;

	if (json_unpack_ex(ask.body, &error, JSON_STRICT, "{s:s}", "policy",
			   &name))
		return malformed(ask.want, &error);
	policy = policy_find(name);
	if (!policy)
		return done(complaint_set(&why,
					  "no policy %.64s; GET /policy "
					  "names them",
					  name),
			    &why);
	return done(vm->policy(vm->vm, policy, &why), &why);
}

static struct http_reply patch_vm(const struct vm_control *vm, struct ask ask)
{
	struct complaint why = { "" };
	json_error_t error;
	const char *state;

	if (json_unpack_ex(ask.body, &error, JSON_STRICT, "{s:s}", "state",
			   &state))
		return malformed(ask.want, &error);
	if (!strcmp(state, "Paused"))
		return done(vm->pause(vm->vm, &why), &why);
	if (!strcmp(state, "Resumed"))
		return done(vm->resume(vm->vm, &why), &why);
	if (!strcmp(state, "Stopped")) {
		vm->stop(vm->vm);
		return done(true, &why);
	}
	return done(complaint_set(&why, "want %s: no such state", ask.want),
		    &why);
}

static struct http_reply put_resident(const struct vm_control *vm,
				      struct ask ask)
{
	struct complaint why = { "" };
	json_error_t error;
	json_int_t bytes;

	if (json_unpack_ex(ask.body, &error, JSON_STRICT, "{s:I}",
			   "resident_bytes", &bytes))
		return malformed(ask.want, &error);
	if (bytes < 0)
		return done(complaint_set(&why, "want %s: negative", ask.want),
			    &why);
	return done(vm->resident(vm->vm, (uint64_t)bytes, &why), &why);
}

static struct http_reply get_balloon(const struct vm_control *vm,
				     struct ask ask)
{
	struct complaint why = { "" };
	struct balloon_report r;

	(void)ask;
	if (!vm->balloon(vm->vm, &r, false, &why))
		return done(false, &why);
	return report(balloon_json(&r));
}

static struct http_reply get_balloon_statistics(const struct vm_control *vm,
						struct ask ask)
{
	struct complaint why = { "" };
	struct balloon_report r;

	(void)ask;
	if (!vm->balloon(vm->vm, &r, true, &why))
		return done(false, &why);
	return report(balloon_statistics_json(&r));
}

static struct http_reply patch_balloon(const struct vm_control *vm,
				       struct ask ask)
{
	struct complaint why = { "" };
	json_error_t error;
	json_int_t mib;

	if (json_unpack_ex(ask.body, &error, JSON_STRICT, "{s:I}", "amount_mib",
			   &mib))
		return malformed(ask.want, &error);
	if (mib < 0 || mib > UINT32_MAX)
		return done(
			complaint_set(&why, "want %s: out of range", ask.want),
			&why);
	return done(vm->balloon_target(vm->vm, (uint64_t)mib << 8, &why), &why);
}

static const struct route {
	enum http_method method;
	const char *target; /* all of it, or up to its last slash */
	struct http_reply (*answer)(const struct vm_control *vm,
				    struct ask ask);
	const char *want; /* the body */
} routes[] = {
	{ HTTP_GET, "/status", get_status, NULL },
	{ HTTP_GET, "/memory/audit", get_audit, NULL },
	{ HTTP_GET, "/memory/map", get_map, NULL },
	{ HTTP_GET, "/memory/mrc", get_mrc, NULL },
	{ HTTP_GET, "/metrics", get_metrics, NULL },
	{ HTTP_GET, "/policy", get_policy, NULL },
	{ HTTP_PUT, "/policy", put_policy, "{\"policy\": NAME}" },
	{ HTTP_GET, "/explain/", get_explain, NULL },
	{ HTTP_PATCH, "/vm", patch_vm,
	  "{\"state\": \"Paused\" | \"Resumed\" | \"Stopped\"}" },
	{ HTTP_GET, "/balloon", get_balloon, NULL },
	{ HTTP_PATCH, "/balloon", patch_balloon, "{\"amount_mib\": N}" },
	{ HTTP_GET, "/balloon/statistics", get_balloon_statistics, NULL },
	{ HTTP_PUT, "/memory/resident", put_resident,
	  "{\"resident_bytes\": N}" },
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

	if (ask.want) {
		ask.body = json_loadb(request->body, request->body_len,
				      JSON_REJECT_DUPLICATES, &error);
		if (!ask.body)
			return malformed(ask.want, &error);
	}
	reply = route->answer(vm, ask);
	json_decref(ask.body);
	return reply;
}

static bool leads_to(const struct route *r, const char *target)
{
	size_t len = strlen(r->target);

	if (r->target[len - 1] == '/')
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
