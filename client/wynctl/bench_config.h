// SPDX-License-Identifier: MIT
/*
 * bench_config.h - what `wynctl bench` is to do, from its command line.
 *
 * Pure. Says which options contradict each other and fills in the rest.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <wyn/client_types.h>

#include "base/compiler.h"
#include "client/wynctl/arguments.h"

struct wyn_bench_config {
	const char *function;
	const char *text;   /* the argument; NULL = made, of `size` bytes */
	uint64_t size;	    /* of the argument */
	bool open;	    /* by `rate`, else by `in_flight` */
	uint64_t rate;	    /* tasks a second; 0 in a closed loop */
	uint64_t in_flight; /* of all connections; 0 in an open loop */
	uint64_t connections;
	uint64_t batch;
	uint64_t count; /* of tasks; 0 = until duration_ns has passed */
	uint64_t duration_ns;
	uint64_t warmup_ns;
};

/*
 * wyn_bench_configure - checks the command line and fills in defaults.
 *
 * Owns: borrows the operands. Returns: 0; -EINVAL, and `why` says what is
 * wrong.
 */
WYN_NODISCARD
int wyn_bench_configure(const struct wyn_arguments *arguments,
	struct wyn_bench_config *ret_config, char why[WYN_ARGUMENTS_WHY_BYTES]);
