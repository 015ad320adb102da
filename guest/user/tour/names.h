/* SPDX-License-Identifier: MIT */
/*
 * The demonstrations, in the order in which the tour shows them: the function
 * and the name. The kernel reads this too, to start the tour by such a name.
 */
#ifndef GUEST_USER_TOUR_NAMES_H
#define GUEST_USER_TOUR_NAMES_H

#define DEMONSTRATIONS(X)                 \
	X(paging, "paging")               \
	X(sparse, "sparse")               \
	X(pte_bits, "pte-bits")           \
	X(outcomes, "outcomes")           \
	X(frames, "frames")               \
	X(demand, "demand")               \
	X(stack, "stack")                 \
	X(protect, "protect")             \
	X(user_copy, "user-copy")         \
	X(mmio, "mmio")                   \
	X(two_stage, "two-stage")         \
	X(stage2_faults, "stage2-faults") \
	X(overcommit, "overcommit")

#endif
