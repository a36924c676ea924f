// SPDX-License-Identifier: MIT
/*
 * validate.h - are these bytes a Frame, to the letter?
 *
 * Private to proto/. protobuf-c takes much that two readers could understand
 * in two ways (a field twice, a second body that replaces the first, a string
 * with a NUL). This refuses it all, by the generated descriptors, before
 * protobuf-c sees a byte.
 */
#pragma once

#include <protobuf-c/protobuf-c.h>

#include "base/compiler.h"
#include "base/slice.h"

/*
 * wyn_validate_frame - checks a Frame's bytes at every depth.
 *
 * One body; no singular field twice and no two members of one oneof; the wire
 * type of each known field; tags and lengths of at most five bytes, varints of
 * at most ten and within their type; strings as wyn_text_valid() wants them;
 * no groups. Fields that the schema does not know are skipped. Time is linear
 * in the bytes, memory constant.
 *
 * Thread: any. Returns: 0; -EBADMSG; -ENOMSG when all is well but the body is
 * missing or not one of ours.
 */
WYN_NODISCARD
int wyn_validate_frame(struct wyn_slice body);

/* wyn_validate_message - the same for a message of that type, which may be
 * empty. Thread: any. Returns: 0; -EBADMSG. */
WYN_NODISCARD
int wyn_validate_message(
	const ProtobufCMessageDescriptor *type, struct wyn_slice bytes);
