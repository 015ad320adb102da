/* SPDX-License-Identifier: MIT */
/*
 * The inside of stage 2, for ept/ only.
 *
 * One lock guards the table, the page array, the policy, the watch queue and
 * the counters. It is held for state changes, never for I/O on pages,
 * compression or a system call that touches memory. (A full trace buffer is
 * written under it.) What lasts longer happens to pages that their state, a
 * pin, `busy` or a batch's claim protects. `flushing` is taken before it.
 *
 * Where a resident page is known from: the policy holds it from its arrival;
 * the policy gives it up, and it is `watched`: unmapped and in the watch
 * queue; a touch there hands it back to the policy, and the head of the queue
 * leaves.
 */
#ifndef EPT_STATE_H
#define EPT_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "ept/ahead.h"
#include "ept/backing.h"
#include "ept/frame_set.h"
#include "ept/gather.h"
#include "ept/observe.h"
#include "ept/packed.h"
#include "ept/pins.h"
#include "ept/spin.h"
#include "ept/stage2.h"
#include "ept/table.h"
#include "ept/watch.h"

#define PARKED 64

/* A thread that serves faults. */
struct server {
	struct stage2 *s;
	pthread_t thread;
	unsigned index;
	bool is_spare; /* spare.c */
	uint64_t since; /* it is at one fault, ns; 0: it is not */
	unsigned streak; /* faults without a quiet time between them */
	/* Spares have neither: */
	int waits; /* epoll, of a fault or a poke */
	struct spin spin;
	struct haul *haul;
	/* Of the fault being served, while there is a trace: */
	uint64_t read; /* when it came, TSC */
	struct trace_record who; /* follows STAGE2; number 0: will not */
	bool unseen;
	uint8_t vcpu;
};

struct faults {
	struct server *server, *spare; /* a vCPU has one of each */
	unsigned servers, spares;
	pthread_cond_t watch; /* somebody serves a fault, and spares: */
	unsigned asleep; /* until then */
	int uffd;
	int wake; /* eventfd: stop, or retry what is parked */
	struct ahead ahead;
	bool calibrated, retry;
	struct placement_report placement;
	struct wakeful wakeful;
};

/* Faults that failed and wait for a retry, the oldest first. */
struct parking {
	unsigned parked;
	struct parked_fault {
		gfn_t gfn;
		uint64_t flags;
		uint32_t thread;
		bool counted; /* it is in the books already */
	} fault[PARKED];
};

struct stage2 {
	pthread_mutex_t lock;
	/* A page is arriving, busy or claimed no more. */
	pthread_cond_t settled;
	pthread_cond_t freed; /* a frame came free, or the limit rose */
	pthread_cond_t work; /* frames are getting short */
	pthread_cond_t calibrated;
	bool stopping;

	struct stage2_config config;
	struct ept ept;
	struct backing backing;
	uint64_t pages; /* of RAM and of shares */
	uint64_t ram; /* of RAM alone */
	unsigned frame_pages; /* 1 or 512: pages that move together */
	struct frame_set busy; /* being mapped, unmapped or freed: not to be
				* touched until `settled` */
	struct frame_set watched;
	/* Used since the round of hints began, which see; without words
	 * between rounds. */
	struct frame_set used;
	struct packed copy; /* [pages]: 1 + the record of its stored copy */
	uint64_t limit;
	unsigned waiting; /* threads that need a frame */
	bool told_full; /* the owner knows that nothing can leave */
	struct gather stale; /* unmapped in the table, not yet in the host */
	struct watch watch;

	struct pager *pager[PAGER_SHARE + STAGE2_REGIONS];
	struct policy *policy;

	struct faults faults;
	pthread_t reclaim;
	struct batch *batch; /* the reclaim thread's */
	struct batch *batches; /* on their way out (evict.c) */
	struct {
		pthread_t thread;
		bool running; /* there is more than one tier */
		bool asked; /* there may be something to move */
		pthread_cond_t wake; /* asked, or stopping */
	} demoter;
	struct {
		pthread_t thread;
		struct shadow *shadow; /* NULL: not yet; and mrc */
		struct mrc *mrc;
		frame_t next; /* where to go on */
		bool asked; /* somebody wants to know */
		pthread_cond_t wake; /* asked, or stopping */
	} sampler;
	pthread_mutex_t flushing; /* one flush of `stale` at a time */

	_Atomic unsigned rounds; /* of faults and of evictions */
	struct stage2_counters count;
	struct observer observer;
	struct trace *trace; /* NULL: none just now */
	struct trace *more; /* the same, until all WHO and REGISTERS are in */
	bool deciding; /* it has what the policy is told, too */
	bool seeing; /* ask of each fault who it was, for a trace to come */
	unsigned unseen; /* faults being served of which nobody asked */
	unsigned tracing; /* faults that will have a WHO record */
	uint32_t fault; /* the number of the last one traced */
	gfn_t left; /* the page that left last */
	_Atomic uint64_t peak_bytes;
	/* Large, and little of them is ever touched. */
	struct histogram latency;
	struct parking parking;
	struct pins pins;
};

/* region.c: each page of RAM belongs to one frame, in use or not; the gfn of a
 * frame is that of its first page. */
bool frame_of(const struct stage2 *s, gfn_t g, frame_t *f);
gfn_t gfn_of_frame(const struct stage2 *s, frame_t f);
/* The number of the region that has frame @f. */
unsigned region_of(const struct stage2 *s, frame_t f);
/* The share that frame @f belongs to; NULL: it is RAM. */
struct share *share_of(const struct stage2 *s, frame_t f);
/* A cap of @pages, as frames are counted: one of all RAM is none. */
uint64_t limit_of(const struct stage2 *s, uint64_t pages);
/* The gfn of RAM's @page-th page. */
gfn_t gfn_of_page(const struct stage2 *s, uint64_t page);

/* begin.c, while stage 2 is made; 0 or -errno, and then nothing stays. */

/* How many pages there are, by the configuration. */
void begin_count(struct stage2 *s);
/* Memory for all frames: the memfd's, and over it that of shares. */
int begin_backing(struct stage2 *s);
/* Where each page is at first. */
int begin_table(struct stage2 *s);
int begin_pagers(struct stage2 *s);
/* Without paging: read the guest's file at once. */
int begin_load(struct stage2 *s);

/* page.c; the lock is held by the caller of all of these. */

/* Frames in use, pages. */
uint64_t frames_used(const struct stage2 *s);
/* Frames that may still be taken. */
uint64_t frames_free(const struct stage2 *s);
/* Frames that reclaim is to free; 0: there are enough. It begins below a low
 * mark and frees up to twice that. */
uint64_t frames_wanted(const struct stage2 *s);
/* Frames that mapping ahead may take now: what is free beyond a reserve. */
uint64_t frames_spare(const struct stage2 *s);
/* Have the policy know how many frames are its own under the present limit. */
void frames_share(struct stage2 *s);
/* How many frames should be under watch. */
uint64_t watch_target(const struct stage2 *s);
/* The entry of a frame's first page: mapped, or of a kind that has a frame. */
struct pte leaf_entry(const struct stage2 *s, frame_t f, unsigned rights);
struct pte away_entry(const struct stage2 *s, enum pte_kind kind, frame_t f,
		      unsigned rights);
/* Store the entry of all of frame @f, or of one page, where the table goes that
 * deep already: cannot fail. */
void set_entry(struct stage2 *s, frame_t f, struct pte e);
void set_page(struct stage2 *s, gfn_t g, struct pte e);
/* Where the hypervisor finds the bytes of page @g, which has a frame. */
void *page_alias(const struct stage2 *s, gfn_t g);
/* The number of the frame's first page. */
uint64_t page_of(const struct stage2 *s, frame_t f);
/* The stored copy that the @page-th page, which is in memory, has kept. False:
 * none. */
bool copy_of(const struct stage2 *s, uint64_t page, slot_t *copy);
void copy_keep(struct stage2 *s, uint64_t page, slot_t copy);
void copy_forget(struct stage2 *s, uint64_t page);
/* Hand the resident page in frame @f to the policy, from the watch queue if it
 * is there; @touched: by a reference of its own. */
void page_known(struct stage2 *s, frame_t f, bool touched);
/* Take it away from both. */
void page_unknown(struct stage2 *s, frame_t f);
/* Wait until a page settles, or a frame comes free. */
void wait_settled(struct stage2 *s);
void wait_for_frame(struct stage2 *s);
/*
 * Bring page @g in for a device, so that its bytes are in its frame. Drops the
 * lock to wait or to read.
 * 0; -EFAULT no RAM there; -ECANCELED stage 2 is stopping; else why the page
 * cannot be had, after telling the owner.
 */
int page_in(struct stage2 *s, gfn_t g);
/* The same for who only asks: waits for no frame and nobody's move, and tells
 * nobody. -EAGAIN when that would be needed. */
int page_in_now(struct stage2 *s, gfn_t g);
/* Its owner hears, without our lock, that the page whose entry is @e cannot be
 * had; it stays where it was. */
void tell_owner(struct stage2 *s, gfn_t g, struct pte e, int error);

/* Somebody may write to frame @f from now on. The lock is held. */
static inline void hints_use(struct stage2 *s, frame_t f)
{
	if (s->used.word)
		frame_set_add(&s->used, f);
}

/* fault.c, reclaim.c, demote.c and sampler.c: their threads. */
int faults_start(struct stage2 *s);
void faults_stop(struct stage2 *s);
void faults_destroy(struct stage2 *s);
int reclaim_start(struct stage2 *s);
void reclaim_stop(struct stage2 *s);
int demote_start(struct stage2 *s);
void demote_stop(struct stage2 *s);
/* Make room in the faster tiers, now that there is time. The lock is held. */
void demote_ask(struct stage2 *s);
int sampler_start(struct stage2 *s);
void sampler_stop(struct stage2 *s);
void sampler_destroy(struct stage2 *s);
/* The page in frame @f was referenced. The lock is held. */
void sampler_reference(struct stage2 *s, frame_t f);
/* It was discarded: its next reference is a first one. The lock is held. */
void sampler_forget(struct stage2 *s, frame_t f);

/* One trace record about page @g, whose entry was @before and is @after; a slot
 * that either names is told too. The lock is held. */
void trace_page(struct stage2 *s, enum trace_kind kind, gfn_t g,
		struct pte before, struct pte after, struct trace_record r);

/* What the memfd holds is asked of the kernel: a peak of our own
 * counters would only prove that we can add. It is greatest just before
 * something is punched, so that is when, and when somebody wants to know.
 * page.c; no lock. */
void frames_measure(struct stage2 *s);

/* What was counted so far. The lock is held. */
void counters_read(struct stage2 *s, struct stage2_counters *c);

#endif
