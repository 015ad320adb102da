/* SPDX-License-Identifier: MIT */
/* One request of a command to a running VM, and its complaints. */
#ifndef VMM_CTL_CALL_H
#define VMM_CTL_CALL_H

#include <stdbool.h>

#include "vmm/options.h"

/* Where the VM's API is, and the name it was asked for by. */
struct target {
	const char *command; /* who asks: "ctl" */
	const char *vm;
	char path[108];
};

/* False: @vm is no name, and that was complained about. */
bool target_find(struct target *t, const char *command, const char *vm);

/* "COMMAND: @what @word; `twofold COMMAND --help` shows how". Always 2. */
int complain_usage(const char *command, const char *what, const char *word);

/* A request after which the VM is gone: it may be so before it could answer. */
int call_last(const struct target *t, const char *method, const char *target,
	      const char *json);

/* One request; on success *body, if wanted, is the caller's. 0; 1 when there
 * was no answer or a refusal, which was complained about. */
int call(const struct target *t, const char *method, const char *target,
	 const char *json, char **body);

/* The same for who complains himself: 0; 1 refused, -1 no answer, and then one
 * line in *why. */
int call_quietly(const struct target *t, const char *method, const char *target,
		 const char *json, char **body, struct complaint *why);

/* GET @path and print its JSON: @raw, or by @print, which returns 0; 1: the
 * answer is bad news; -1: it is none that we know. The exit status. */
int show(const struct target *t, const char *path, bool raw,
	 int (*print)(const char *text));

#endif
