// SPDX-License-Identifier: MIT
/*
 * fences.h - a run of a stress program with or without membarrier(2).
 *
 * Before the first pool of the process: the choice is made once.
 */
#pragma once

#include <stdio.h>

#include "base/prng.h"
#include "scheduler/fence.h"

/* One of two seeds does without. */
static inline void fences_choose(struct wyn_prng *prng)
{
	wyn_fence_init();
	if (wyn_prng_below(prng, 2) == 0) {
		wyn_fence_is_asymmetric = false;
	}
	printf("with %s fences\n",
		wyn_fence_is_asymmetric ? "asymmetric" : "full");
	fflush(stdout);
}
