// SPDX-License-Identifier: MIT
/*
 * request.h - what a message asks for.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/slice.h"

struct wyn_link;

/*
 * wyn_request_handle - does it.
 *
 * fds: came with it, borrowed. lost: there were more, for which we had no room.
 * Returns: 0; -errno: the link is to be closed.
 */
WYN_NODISCARD
int wyn_request_handle(struct wyn_link *link, struct wyn_slice message,
	const int *fds, size_t fds_count, bool lost);

/*
 * wyn_request_start_id - whose Start a message is that begins so; 0 = of none,
 * or it is not seen.
 */
uint64_t wyn_request_start_id(struct wyn_slice bytes);

/* wyn_request_lose - there was no memory for a message: refuses the Start.
 * Returns: 0; -ENOMEM: it was no Start. */
WYN_NODISCARD
int wyn_request_lose(struct wyn_link *link, uint64_t id);
