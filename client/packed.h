// SPDX-License-Identifier: MIT
/*
 * packed.h - a command on its way to be encoded, in memory that is used again.
 *
 * Filled by wyn_session_pack_command(), which borrows the caller's strings.
 * Part of a session: one thread at a time.
 */
#pragma once

#include <stddef.h>

#include "proto/message.h"

struct wyn_packed {
	Wyn__V1__Command message;
	Wyn__V1__CommandLimits limits;
	size_t bytes;		      /* of the message, encoded */
	ProtobufCBinaryData *strings; /* argv and env; ours to free */
	size_t capacity;
};
