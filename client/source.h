// SPDX-License-Identifier: MIT
/*
 * source.h - where an argument in chunks comes from, if from memory.
 *
 * The file descriptor's form is public, in wyn/client.h. Any thread.
 */
#pragma once

#include <wyn/client_types.h>

#include "base/compiler.h"

/*
 * wyn_source_copy - a source over a copy of `argument`.
 *
 * Owns: gives the source; its release frees the copy. Returns: 0, -ENOMEM.
 */
WYN_NODISCARD
int wyn_source_copy(
	struct wyn_bytes argument, struct wyn_client_source *ret_source);
