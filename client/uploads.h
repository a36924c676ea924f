// SPDX-License-Identifier: MIT
/*
 * uploads.h - arguments that are on their way in chunks.
 *
 * A round of sources, each of which sends one piece per turn, so that a small
 * one is not held up by a large one. Part of a session: one thread at a time;
 * the only I/O is what a caller's source does.
 */
#pragma once

#include <stdint.h>

#include <wyn/client_types.h>

#include "base/compiler.h"
#include "base/list.h"
#include "client/outbox.h"

#define WYN_UPLOAD_PIECE_BYTES (64u << 10)
#define WYN_UPLOADS_MAX	       256u

struct wyn_uploads {
	struct wyn_list list; /* the next one to send first */
	uint32_t count;
};

enum wyn_upload_step {
	WYN_UPLOAD_IDLE,   /* there are none */
	WYN_UPLOAD_SENT,   /* a piece is in the outbox, the upload goes on */
	WYN_UPLOAD_DONE,   /* its last piece is */
	WYN_UPLOAD_FAILED, /* its source ended too early, or failed */
	WYN_UPLOAD_NOMEM,  /* no room in the outbox */
};

/* What a step was about, for SENT, DONE and FAILED. */
struct wyn_upload_report {
	uint64_t seq;
	uint64_t offset; /* reached */
	uint64_t size;
	int error; /* FAILED: the source's -errno, 0 = it ended too early */
};

/* wyn_uploads_init - none yet. */
void wyn_uploads_init(struct wyn_uploads *uploads);

/* wyn_uploads_fini - releases every source. */
void wyn_uploads_fini(struct wyn_uploads *uploads);

/*
 * wyn_uploads_add - a Submit with arg_sizes for this task is in the outbox.
 *
 * Owns: takes the source, on success only. Returns: 0, -ENOMEM.
 */
WYN_NODISCARD
int wyn_uploads_add(struct wyn_uploads *uploads, uint64_t seq,
	const struct wyn_client_source *source);

/*
 * wyn_uploads_step - puts the next piece of the next source into the outbox.
 *
 * A source that is done or failed is released. Blocks: as its source does.
 */
enum wyn_upload_step wyn_uploads_step(struct wyn_uploads *uploads,
	struct wyn_outbox *outbox, uint64_t frame_bytes_max,
	struct wyn_upload_report *ret_report);

/* wyn_uploads_drop - the task has ended: forgets and releases its source. */
void wyn_uploads_drop(struct wyn_uploads *uploads, uint64_t seq);
