// SPDX-License-Identifier: MIT
/*
 * inputs.h - commands whose input goes on after their argument.
 *
 * Which they are, and how far each has come. Part of a session: one thread at a
 * time, no I/O.
 */
#pragma once

#include <stdint.h>

#include "base/compiler.h"
#include "base/list.h"

struct wyn_input_stream {
	struct wyn_list link;
	uint64_t seq;
	uint64_t offset; /* of what comes next */
};

struct wyn_inputs {
	struct wyn_list list;
	uint64_t bytes; /* of all that there were on this connection */
};

/* wyn_inputs_init, wyn_inputs_fini - none yet; none any more. */
void wyn_inputs_init(struct wyn_inputs *inputs);
void wyn_inputs_fini(struct wyn_inputs *inputs);

/* wyn_inputs_add - a command of that seq takes input. Returns: 0, -ENOMEM. */
WYN_NODISCARD
int wyn_inputs_add(struct wyn_inputs *inputs, uint64_t seq);

/* wyn_inputs_find - valid until it is dropped. Returns: NULL when there is
 * none. */
struct wyn_input_stream *wyn_inputs_find(
	struct wyn_inputs *inputs, uint64_t seq);

/* wyn_inputs_drop - it takes none any more, if it did. */
void wyn_inputs_drop(struct wyn_inputs *inputs, uint64_t seq);
