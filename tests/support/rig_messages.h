// SPDX-License-Identifier: MIT
/*
 * rig_messages.h - what clients of the rig say, and how a test opens one.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "proto/codec.h"
#include "tests/support/rig_client.h"

/* A Submit of `count` tasks; with sizes their arguments follow in Chunks. */
struct rig_submit {
	uint64_t first_seq;
	const char *function;
	size_t count;
	const char *text;	  /* argument of each; NULL = empty */
	const char *const *texts; /* or of each its own */
	const uint64_t *sizes;
	struct wyn_submit_options options; /* zeroed is well */
};

/* rig_open - connects, Hello and all; reads everything. */
struct rig_client *rig_open(struct rig *rig);

/* rig_open_stream - with a first grant of stream credit. */
struct rig_client *rig_open_stream(struct rig *rig, uint64_t stream_bytes);

void rig_preface(struct rig_client *client);
void rig_hello(struct rig_client *client, uint64_t stream_bytes);

/* rig_frame - any message by its generated struct. */
void rig_frame(struct rig_client *client, const Wyn__V1__Frame *frame);

/* rig_kind - a small one of that kind, whoever should send it. */
void rig_kind(struct rig_client *client, enum wyn_message_kind kind);

void rig_submit(struct rig_client *client, const struct rig_submit *submit);

/* rig_task_send - one task with defaults. */
void rig_task_send(struct rig_client *client, uint64_t seq,
	const char *function, const char *text);

/* rig_batch_send - `count` tasks with the same argument. */
void rig_batch_send(struct rig_client *client, uint64_t first_seq, size_t count,
	const char *function, const char *text);

void rig_chunk(struct rig_client *client, uint64_t seq, uint64_t offset,
	const char *text, bool eof);
void rig_cancel(struct rig_client *client, uint64_t first, uint64_t count);
void rig_cancel_id(struct rig_client *client, uint64_t id);
void rig_credit(struct rig_client *client, uint64_t stream_bytes);
void rig_ping(struct rig_client *client, uint64_t token);
void rig_finish(struct rig_client *client);

/* rig_list, rig_explain - such a Call, with the number as its call_id: of all
 * tasks above an id, of the one with an id. */
void rig_list(struct rig_client *client, uint64_t after);
void rig_explain(struct rig_client *client, uint64_t id);
