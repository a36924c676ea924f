// SPDX-License-Identifier: MIT
/*
 * codec.c - the way into decoding: the walker first, all else the strict way.
 */
#include "proto/codec.h"

#include <errno.h>

#include "proto/unpack.h"
#include "proto/walk.h"

static const char *reason_of(int err)
{
	switch (err) {
	case -ENOMSG:
		return "UNKNOWN_BODY";
	case -ENOBUFS:
		return "FRAME_TOO_COMPLEX";
	default:
		return "MALFORMED_FRAME";
	}
}

int wyn_codec_decode(const struct wyn_frame *frame, struct wyn_arena *arena,
	struct wyn_message *ret_message, const char **ret_reason)
{
	int err = wyn_walk_message(frame->body, arena, ret_message);

	if (err == -EINVAL) {
		err = wyn_unpack_message(frame->body, arena, ret_message);
	}
	if (err) {
		*ret_reason = reason_of(err);
	}
	return err;
}
