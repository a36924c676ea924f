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
	const char *function; /* NULL = the command */
	const Wyn__V1__Command *command;
	size_t count;
	const char *text;	  /* argument of each; NULL = empty */
	const char *const *texts; /* or of each its own */
	const uint64_t *sizes;
	struct wyn_submit_options options; /* zeroed is well */
};

#define RIG_ARGV_MAX 8u

/* A command to send; a test changes what else it likes. */
struct rig_command {
	ProtobufCBinaryData argv[RIG_ARGV_MAX];
	Wyn__V1__Command message;
};

/* rig_open - connects, Hello and all; reads everything. */
struct rig_client *rig_open(struct rig *rig);

/* rig_open_stream - with a first grant of stream credit. */
struct rig_client *rig_open_stream(struct rig *rig, uint64_t stream_bytes);

/* rig_open_local - over a Unix socket, from root, who may run commands. */
struct rig_client *rig_open_local(struct rig *rig, uint64_t stream_bytes);

void rig_preface(struct rig_client *client);
void rig_hello(struct rig_client *client, uint64_t stream_bytes);

/* rig_frame - any message by its generated struct. */
void rig_frame(struct rig_client *client, const Wyn__V1__Frame *frame);

/* rig_call - a Call of the kind, with the message that belongs to it. */
void rig_call(struct rig_client *client, uint64_t call_id,
	Wyn__V1__Call__WhatCase what, void *message);

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

/* rig_word - bytes of a Command, which borrows the text. */
ProtobufCBinaryData rig_word(const char *text);

/* rig_command_init - the words of the line, which it borrows. */
void rig_command_init(struct rig_command *command, const char *line);

/* rig_run_send - `count` tasks that run `sh`, each with a part of the input. */
void rig_run_send(struct rig_client *client, uint64_t first_seq, size_t count,
	const char *input, struct wyn_submit_options options);

/* rig_feed_send - one whose input goes on in Chunks. */
void rig_feed_send(struct rig_client *client, uint64_t seq);

/* rig_input - such a Chunk. */
void rig_input(struct rig_client *client, uint64_t seq, uint64_t offset,
	struct wyn_slice data, bool eof);

void rig_cancel_grace(struct rig_client *client, uint64_t first, uint64_t count,
	uint64_t grace_ms);
void rig_signal(struct rig_client *client, uint64_t first, uint64_t count,
	uint32_t number);
void rig_signal_id(struct rig_client *client, uint64_t id, uint32_t number);

/* rig_list, rig_explain - such a Call, with the number as its call_id: of all
 * tasks above an id, of the one with an id. */
void rig_list(struct rig_client *client, uint64_t after);
void rig_explain(struct rig_client *client, uint64_t id);

/* rig_ask_outcome, rig_ask_logs, rig_ask_end - likewise, of a task that is
 * kept, by its id. */
void rig_ask_outcome(struct rig_client *client, uint64_t id, uint64_t wait_ms);
void rig_ask_logs(struct rig_client *client, uint64_t id, uint64_t from,
	uint64_t wait_ms);
void rig_ask_end(struct rig_client *client, uint64_t id, uint32_t signal);
