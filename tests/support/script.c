// SPDX-License-Identifier: MIT
/*
 * script.c - frames of a server that does what a test says.
 */
#include "tests/support/script.h"

#include <string.h>

#include <wyn/status.h>

#include "base/assert.h"

void script_frame(
	struct wyn_script *script, const Wyn__V1__Frame *frame, uint8_t flags)
{
	size_t bytes = wyn_frame_encoded_bytes(frame);

	wyn_assert(bytes <= WYN_SCRIPT_BYTES - script->len);
	script->len +=
		wyn_frame_encode(frame, flags, script->data + script->len);
}

void script_welcome(
	struct wyn_script *script, const struct wyn_script_limits *limits)
{
	Wyn__V1__Limits sent = WYN__V1__LIMITS__INIT;
	Wyn__V1__Credit credit = WYN__V1__CREDIT__INIT;
	Wyn__V1__Welcome welcome = WYN__V1__WELCOME__INIT;
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;
	char name[] = "script";

	sent.max_frame = limits->max_frame;
	sent.max_batch = limits->max_batch;
	sent.max_argument = limits->max_argument;
	sent.max_value = limits->max_value;
	credit.tasks = limits->tasks;
	credit.argument_bytes = limits->argument_bytes;
	welcome.version = 1;
	welcome.limits = &sent;
	welcome.credit = &credit;
	welcome.server_name = name;
	frame.body_case = WYN__V1__FRAME__BODY_WELCOME;
	frame.welcome = &welcome;
	script_frame(script, &frame, 0);
}

void script_rows(struct wyn_script *script, const struct wyn_result *rows,
	size_t n, uint64_t quiet_done)
{
	struct wyn_results_sizes sizes;

	wyn_results_measure(rows, n, quiet_done, &sizes);
	wyn_assert(sizes.frame <= WYN_SCRIPT_BYTES - script->len);
	wyn_results_encode(
		rows, n, quiet_done, &sizes, script->data + script->len);
	script->len += sizes.frame;
}

void script_value(struct wyn_script *script, uint64_t seq, const char *value)
{
	const struct wyn_result row = {
		.seq = seq, .value = wyn_slice_of(value)};

	script_rows(script, &row, 1, 0);
}

void script_failure(struct wyn_script *script, uint64_t seq, uint32_t code,
	const char *reason, const char *message)
{
	const struct wyn_detail detail = {
		.reason = wyn_slice_of(reason),
		.message = wyn_slice_of(message),
		.ran = WYN__V1__RAN__RAN_NO,
		.retry_after_ms = 50,
	};
	const struct wyn_result row = {
		.seq = seq, .code = code, .detail = &detail};

	script_rows(script, &row, 1, 0);
}

void script_chunk(struct wyn_script *script, uint64_t seq, uint8_t stream,
	uint64_t offset, struct wyn_slice data, bool eof)
{
	const struct wyn_chunk chunk = {
		.seq = seq,
		.stream = stream,
		.offset = offset,
		.eof = eof,
		.data = data,
	};

	wyn_assert(data.len + WYN_CHUNK_HEAD_BYTES_MAX <=
		   WYN_SCRIPT_BYTES - script->len);
	script->len +=
		wyn_chunk_head_encode(&chunk, script->data + script->len);
	memcpy(script->data + script->len, data.data, data.len);
	script->len += data.len;
}

void script_credit(
	struct wyn_script *script, uint64_t tasks, uint64_t argument_bytes)
{
	Wyn__V1__Credit credit = WYN__V1__CREDIT__INIT;
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;

	credit.tasks = tasks;
	credit.argument_bytes = argument_bytes;
	frame.body_case = WYN__V1__FRAME__BODY_CREDIT;
	frame.credit = &credit;
	script_frame(script, &frame, 0);
}

void script_go_away(struct wyn_script *script, uint64_t last_seq)
{
	Wyn__V1__GoAway go_away = WYN__V1__GO_AWAY__INIT;
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;
	char reason[] = "DRAINING";

	go_away.last_seq = last_seq;
	go_away.reason = reason;
	frame.body_case = WYN__V1__FRAME__BODY_GO_AWAY;
	frame.go_away = &go_away;
	script_frame(script, &frame, 0);
}

void script_error(
	struct wyn_script *script, const char *reason, const char *message)
{
	Wyn__V1__Error error = WYN__V1__ERROR__INIT;
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;

	error.code = WYN_STATUS_INVALID_ARGUMENT;
	error.reason = (char *)(uintptr_t)reason;
	error.message = (char *)(uintptr_t)message;
	frame.body_case = WYN__V1__FRAME__BODY_ERROR;
	frame.error = &error;
	script_frame(script, &frame, 0);
}

void script_ping(struct wyn_script *script, uint64_t token)
{
	Wyn__V1__Ping ping = WYN__V1__PING__INIT;
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;

	ping.token = token;
	frame.body_case = WYN__V1__FRAME__BODY_PING;
	frame.ping = &ping;
	script_frame(script, &frame, 0);
}

void script_pong(struct wyn_script *script, uint64_t token)
{
	Wyn__V1__Pong pong = WYN__V1__PONG__INIT;
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;

	pong.token = token;
	frame.body_case = WYN__V1__FRAME__BODY_PONG;
	frame.pong = &pong;
	script_frame(script, &frame, 0);
}

void script_read(
	struct wyn_script_reader *reader, struct wyn_slice bytes, bool preface)
{
	if (preface) {
		wyn_assert(wyn_preface_check(bytes) == WYN_PREFACE_READY);
		bytes.data += WYN_PREFACE_BYTES;
		bytes.len -= WYN_PREFACE_BYTES;
	}
	reader->left = bytes;
	wyn_arena_init(&reader->arena, reader->memory, sizeof(reader->memory));
}

bool script_next(
	struct wyn_script_reader *reader, struct wyn_message *ret_message)
{
	const char *reason = "";
	struct wyn_frame frame;
	size_t bytes;
	int err;

	if (wyn_frame_next(reader->left, WYN_FRAME_BYTES_HARD, &frame,
		    &bytes) != WYN_FRAME_READY) {
		return false;
	}
	reader->left.data += bytes;
	reader->left.len -= bytes;
	wyn_arena_reset(&reader->arena);
	err = wyn_codec_decode(&frame, &reader->arena, ret_message, &reason);
	wyn_assert(err == 0);
	return true;
}
