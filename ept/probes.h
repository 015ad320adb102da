/* SPDX-License-Identifier: MIT */
/*
 * User-space probe points (USDT): a nop each in the code and a note in the ELF
 * file that says where it is and where its arguments are, so that perf,
 * bpftrace, SystemTap or LTTng can stop there. `readelf -n` lists them:
 *
 *     twofold:fault  gfn, thread, minor, source, ticks   a fault was resolved
 *     twofold:evict  gfn, source, ticks                  a page left memory
 *     twofold:store  gfn, tier, slot                     its bytes went there
 *     twofold:load   gfn, tier, slot, error              and came back
 *
 * source is enum trace_source, what the page came from or became; ticks are the
 * TSC's; tier counts from 0, SWAP_SAME is a page that repeats one word.
 */
#ifndef EPT_PROBES_H
#define EPT_PROBES_H

#include <sys/sdt.h>

#include "ept/addr.h"

static inline void probe_fault(gfn_t g, uint32_t thread, bool minor,
			       uint8_t source, uint32_t ticks)
{
	DTRACE_PROBE5(twofold, fault, g.v, thread, minor, source, ticks);
}

static inline void probe_evict(gfn_t g, uint8_t source, uint32_t ticks)
{
	DTRACE_PROBE3(twofold, evict, g.v, source, ticks);
}

static inline void probe_store(gfn_t g, unsigned tier, slot_t slot)
{
	DTRACE_PROBE3(twofold, store, g.v, tier, slot.v);
}

static inline void probe_load(gfn_t g, unsigned tier, slot_t slot, int error)
{
	DTRACE_PROBE4(twofold, load, g.v, tier, slot.v, error);
}

#endif
