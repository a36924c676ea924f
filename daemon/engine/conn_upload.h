// SPDX-License-Identifier: MIT
/*
 * conn_upload.h - arguments that come in Chunks behind their Submit.
 *
 * Private to the engine. conn_submit.c begins an upload; it ends when it is
 * whole and its task is queued, or when the task is answered without it. The
 * connection's loop.
 */
#pragma once

#include <stdint.h>

#include "base/list.h"
#include "daemon/engine/conn_work.h"
#include "proto/codec.h"

/* An argument that is on its way in chunks. The task waits for it. */
struct wyn_upload {
	struct wyn_list link;	 /* its connection's uploads, by seq */
	struct wyn_batch *batch; /* of this one task */
	uint8_t *argument;
	uint64_t size;
	uint64_t have;
};

/* wyn_conn_chunk - the next piece of an argument came. */
void wyn_conn_chunk(struct wyn_conn *conn, const struct wyn_chunk *chunk);

/* wyn_conn_upload_find - NULL when there is none of that seq. */
struct wyn_upload *wyn_conn_upload_find(struct wyn_conn *conn, uint64_t seq);

/* wyn_conn_upload_ready - the argument is whole: queues its task. */
void wyn_conn_upload_ready(struct wyn_conn *conn, struct wyn_upload *upload);

/* wyn_conn_upload_drop - ends it and its task, which nobody answers. */
void wyn_conn_upload_drop(struct wyn_conn *conn, struct wyn_upload *upload);

/* wyn_conn_upload_cancel - ends it and answers its task. */
void wyn_conn_upload_cancel(struct wyn_conn *conn, struct wyn_upload *upload,
	const struct wyn_answer *answer);

/*
 * wyn_conn_uploads_check - ends all of them if none made progress for
 * `stall_ns`; called from time to time.
 *
 * While the connection is paused its Chunks are not read, and no time passes.
 */
void wyn_conn_uploads_check(struct wyn_conn *conn, uint64_t stall_ns);

/* wyn_conn_uploads_cancel - the same for each that is in the ranges. */
void wyn_conn_uploads_cancel(struct wyn_conn *conn,
	const struct wyn_ranges *ranges, enum wyn_work_key key,
	const struct wyn_answer *answer);

/* wyn_conn_uploads_end - no Chunk will come any more. */
void wyn_conn_uploads_end(struct wyn_conn *conn);
