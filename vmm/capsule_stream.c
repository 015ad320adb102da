/* SPDX-License-Identifier: MIT */
/* How the streams of a session in the capsule stand. */
#include <sys/socket.h>

#include "vmm/capsule_session.h"

void capsule_session_end_input(struct capsule_session *s)
{
	if (!stream_done(&s->stream[PORT_IN]) || s->stream[PORT_IN].to < 0)
		return;
	/* Not close: QEMU would drop what the inner run has not yet read. */
	shutdown(s->ours[PORT_IN], SHUT_WR);
	s->stream[PORT_IN].to = -1;
}

bool capsule_session_done(const struct capsule_session *s)
{
	for (unsigned i = 0; i < PORTS; i++)
		if (i != PORT_IN && !stream_done(&s->stream[i]))
			return false;
	return true;
}

bool capsule_session_stalled(const struct capsule_session *s)
{
	for (unsigned i = 0; i < PORTS; i++)
		if (i != PORT_IN && !stream_done(&s->stream[i]) &&
		    !s->stream[i].ready)
			return false;
	return true;
}
