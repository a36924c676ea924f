// SPDX-License-Identifier: MIT
/*
 * halt.h - when `xargs` stops before its input ends, and its exit code.
 *
 * Pure decisions over counts, both as GNU parallel has them. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/* A share says nothing while fewer than so many have ended, and nobody knows
 * how many there will be. */
#define WYN_HALT_SHARE_MIN 3u

/* More failures than that have one exit code, and all else that goes wrong
 * another. */
#define WYN_HALT_FAILED_MAX 100
#define WYN_HALT_EXIT_MANY  101
#define WYN_HALT_EXIT_ERROR 255

enum wyn_halt_when {
	WYN_HALT_NEVER = 0,
	WYN_HALT_SOON, /* nothing new is begun */
	WYN_HALT_NOW,  /* and what runs is ended */
};

enum wyn_halt_why {
	WYN_HALT_FAIL = 0,
	WYN_HALT_SUCCESS,
	WYN_HALT_DONE,
};

/* All zero: never. */
struct wyn_halt {
	enum wyn_halt_when when;
	enum wyn_halt_why why;
	bool percent;
	uint64_t value;
};

struct wyn_halt_counts {
	uint64_t done;
	uint64_t failed; /* of them */
	uint64_t total;	 /* how many there will be; 0 = not known */
	int last;	 /* exit code of the last one that failed */
};

/*
 * wyn_halt_parse - reads never, or soon|now,fail|success|done=N or N%.
 *
 * Returns: 0; -EINVAL.
 */
WYN_NODISCARD
int wyn_halt_parse(const char *text, struct wyn_halt *ret_halt);

/* wyn_halt_reached - whether it is time. */
bool wyn_halt_reached(
	const struct wyn_halt *halt, const struct wyn_halt_counts *counts);

/*
 * wyn_halt_exit_code - how many failed, WYN_HALT_EXIT_MANY at most.
 *
 * When it was halted: by its first failure, that one's own; by successes, 0; by
 * a share of failures, their percentage.
 */
int wyn_halt_exit_code(const struct wyn_halt *halt,
	const struct wyn_halt_counts *counts, bool halted);
