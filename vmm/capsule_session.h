/* SPDX-License-Identifier: MIT */
/* Everything that one run in the capsule holds open, and its streams. */
#ifndef VMM_CAPSULE_SESSION_H
#define VMM_CAPSULE_SESSION_H

#include <stdio.h>

#include "vmm/api_forward.h"
#include "vmm/capsule_vm.h"
#include "vmm/relay.h"

struct capsule_session {
	const struct run_options *o;
	struct capsule_vm vm;
	int ctl; /* our end of the inner run's control API, and ours: */
	struct api_forward *forward;
	struct api *api;
	char socket[108]; /* where it is */
	struct stream stream[PORTS];
	int ours[PORTS]; /* our end of each port */
	int file[PORTS]; /* what a stream goes to, where that is ours; or -1 */
	char mark[MARK_BYTES + 1];
	char kernel[PATH_MAX];
};

/* Check, make and open all that the run needs. False: one line in *why, and
 * nothing is left open. */
bool capsule_session_open(struct capsule_session *s,
			  const struct run_options *o, const char *guest,
			  struct complaint *why);
void capsule_session_close(struct capsule_session *s);

/* QEMU has its own copies of what is in s->vm: close ours, so that the
 * streams end when it does. */
void capsule_session_started(struct capsule_session *s);

/* If our input has ended, let the inner run know. */
void capsule_session_end_input(struct capsule_session *s);

/* Have all streams out of the capsule ended? */
bool capsule_session_done(const struct capsule_session *s);

/* Are all that have not ended waiting for their readers? */
bool capsule_session_stalled(const struct capsule_session *s);

/* The inner run's exit status; -1: it did not report any. */
int capsule_session_status(const struct capsule_session *s);

/* Were all files written? Else one line each on stderr. */
bool capsule_session_report_errors(const struct capsule_session *s);

/* The last @lines lines of QEMU's and the kernel's messages, indented. */
void capsule_session_last_words(const struct capsule_session *s, unsigned lines,
				FILE *to);

#endif
