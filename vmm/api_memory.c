/* SPDX-License-Identifier: MIT */
#include "vmm/api_answer.h"
#include "vmm/audit.h"
#include "vmm/balloon.h"
#include "vmm/census_json.h"
#include "vmm/safe_json.h"

struct http_reply api_get_audit(const struct vm_control *vm,
				const struct ask *ask)
{
	struct complaint why = { "" };
	struct audit_report r;
	bool ok = vm->audit(vm->vm, &r, &why);

	(void)ask;
	return api_told(ok ? audit_json(&r) : NULL, &why);
}

struct http_reply api_get_map(const struct vm_control *vm,
			      const struct ask *ask)
{
	struct census c;

	(void)ask;
	vm->census(vm->vm, &c);
	return api_report(census_json(&c));
}

struct http_reply api_get_attribution(const struct vm_control *vm,
				      const struct ask *ask)
{
	struct complaint why = { "" };
	struct attribution a;
	bool ok = vm->attribute(vm->vm, &a, &why);

	(void)ask;
	return api_told(ok ? attribution_json(&a) : NULL, &why);
}

struct http_reply api_get_mrc(const struct vm_control *vm,
			      const struct ask *ask)
{
	struct complaint why = { "" };
	struct whatif w;
	bool ok = vm->whatif(vm->vm, &w, &why);

	(void)ask;
	return api_told(ok ? whatif_json(&w) : NULL, &why);
}

/* The policy in force, and those there are. */
struct http_reply api_get_policy(const struct vm_control *vm,
				 const struct ask *ask)
{
	struct status st = { .name = "" };
	json_t *names = json_array();

	(void)ask;
	vm->status(vm->vm, &st);
	for (unsigned i = 0; policies[i]; i++)
		json_array_append_new(names, json_string(policies[i]->name));
	return api_object(json_pack("{s:o, s:o}", "policy",
				    safe_text(st.policy), "policies", names));
}

struct http_reply api_put_policy(const struct vm_control *vm,
				 const struct ask *ask)
{
	const struct policy_ops *policy;
	struct complaint why = { "" };
	struct http_reply no;
	const char *name;

	if (!api_take_text(ask, "policy", &name, &no))
		return no;
	policy = policy_find(name);
	if (!policy)
		return api_refuse("no policy %.64s; GET /policy names them",
				  name);
	return api_done(vm->policy(vm->vm, policy, &why), &why);
}

/* The operator's cap, and the least there can be: status has the one in force,
 * which --mem-slo and the guest may have set lower. */
struct http_reply api_get_resident(const struct vm_control *vm,
				   const struct ask *ask)
{
	uint64_t floor, bytes = vm->resident_cap(vm->vm, &floor);

	(void)ask;
	return api_object(json_pack("{s:I, s:I}", "resident_bytes",
				    safe_count(bytes), "floor_bytes",
				    safe_count(floor)));
}

struct http_reply api_put_resident(const struct vm_control *vm,
				   const struct ask *ask)
{
	struct complaint why = { "" };
	struct http_reply no;
	json_int_t bytes;

	if (!api_take_number(ask, "resident_bytes", INT64_MAX, &bytes, &no))
		return no;
	return api_done(vm->resident(vm->vm, (uint64_t)bytes, &why), &why);
}

/* How the balloon stands, in the words of @json; @ask_guest: with its own
 * statistics. */
static struct http_reply tell_balloon(
	const struct vm_control *vm, bool ask_guest,
	char *(*json)(const struct balloon_report *r))
{
	struct complaint why = { "" };
	struct balloon_report r;
	bool ok = vm->balloon(vm->vm, &r, ask_guest, &why);

	return api_told(ok ? json(&r) : NULL, &why);
}

struct http_reply api_get_balloon(const struct vm_control *vm,
				  const struct ask *ask)
{
	(void)ask;
	return tell_balloon(vm, false, balloon_json);
}

struct http_reply api_get_balloon_statistics(const struct vm_control *vm,
					     const struct ask *ask)
{
	(void)ask;
	return tell_balloon(vm, true, balloon_statistics_json);
}

/* Firecracker's guests tell by themselves, ours when they are asked. */
struct http_reply api_patch_balloon_statistics(const struct vm_control *vm,
					       const struct ask *ask)
{
	struct http_reply no;
	json_int_t seconds;

	(void)vm;
	if (!api_take_number(ask, "stats_polling_interval_s", INT64_MAX,
			     &seconds, &no))
		return no;
	if (seconds)
		return api_refuse("statistics are asked of the guest when they "
				  "are read");
	return api_done(true, NULL);
}

/* It is what `run` made it. */
struct http_reply api_put_balloon(const struct vm_control *vm,
				  const struct ask *ask)
{
	(void)vm;
	(void)ask;
	return api_refuse("the VM has started: PATCH /balloon sizes its "
			  "balloon, run --balloon configures it");
}

struct http_reply api_patch_balloon(const struct vm_control *vm,
				    const struct ask *ask)
{
	struct complaint why = { "" };
	struct http_reply no;
	json_int_t mib;

	if (!api_take_number(ask, "amount_mib", UINT32_MAX, &mib, &no))
		return no;
	return api_done(vm->balloon_target(vm->vm, (uint64_t)mib << 8, &why),
			&why);
}

struct http_reply api_get_hinting(const struct vm_control *vm,
				  const struct ask *ask)
{
	(void)ask;
	return tell_balloon(vm, false, balloon_hinting_json);
}

struct http_reply api_start_hinting(const struct vm_control *vm,
				    const struct ask *ask)
{
	struct complaint why = { "" };

	(void)ask;
	return api_done(vm->balloon_hints(vm->vm, &why), &why);
}
