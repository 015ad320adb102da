/* SPDX-License-Identifier: MIT */
/* Each tier of swap has an injection of its own; a body without "tier" is for
 * all of them. */
#include <string.h>

#include "vmm/api_answer.h"
#include "vmm/injection.h"

struct http_reply api_get_pressure(const struct vm_control *vm,
				   const struct ask *ask)
{
	json_t *tiers = json_array();
	struct injected t;

	(void)ask;
	for (unsigned i = 0; vm->injected(vm->vm, i, &t); i++)
		json_array_append_new(tiers, injection_json(&t));
	return api_object(json_pack("{s:o}", "tiers", tiers));
}

/* Those that @ask is about, as they are to be; 0 and why. Nothing is done. */
static unsigned plan(const struct vm_control *vm, const struct ask *ask,
		     bool keep, struct injected to[SWAP_TIERS + 1],
		     unsigned which[SWAP_TIERS], struct complaint *why)
{
	unsigned n = 0;

	complaint_set(why, "this VM has no such tier of swap");
	for (unsigned i = 0; vm->injected(vm->vm, i, &to[n]); i++) {
		const char *tier;

		if (!keep)
			to[n].now = (struct injection){ 0 };
		if (!injection_read(ask->body, &to[n].now, &tier, why))
			return 0;
		if (!tier || !strcmp(tier, to[n].tier))
			which[n++] = i;
	}
	return n;
}

static struct http_reply set(const struct vm_control *vm, const struct ask *ask,
			     bool keep)
{
	struct injected to[SWAP_TIERS + 1];
	unsigned which[SWAP_TIERS];
	struct complaint why;
	unsigned n = plan(vm, ask, keep, to, which, &why);

	for (unsigned i = 0; i < n; i++)
		vm->inject(vm->vm, which[i], &to[i].now);
	return api_done(n, &why);
}

struct http_reply api_put_pressure(const struct vm_control *vm,
				   const struct ask *ask)
{
	return set(vm, ask, false);
}

struct http_reply api_patch_pressure(const struct vm_control *vm,
				     const struct ask *ask)
{
	return set(vm, ask, true);
}
