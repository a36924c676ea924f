// SPDX-License-Identifier: MIT
/*
 * rig_messages.c - see rig_messages.h.
 */
#include "tests/support/rig_messages.h"

#include <stdlib.h>
#include <string.h>

static struct rig_client *greet(
	struct rig_client *client, uint64_t stream_bytes)
{
	rig_preface(client);
	rig_hello(client, stream_bytes);
	rig_settle(client->rig);
	return client;
}

struct rig_client *rig_open_stream(struct rig *rig, uint64_t stream_bytes)
{
	return greet(rig_connect(rig), stream_bytes);
}

struct rig_client *rig_open_local(struct rig *rig, uint64_t stream_bytes)
{
	return greet(rig_connect_local(rig, 0), stream_bytes);
}

struct rig_client *rig_open(struct rig *rig)
{
	return rig_open_stream(rig, 0);
}

void rig_preface(struct rig_client *client)
{
	rig_send(client, WYN_PREFACE, WYN_PREFACE_BYTES);
}

void rig_frame(struct rig_client *client, const Wyn__V1__Frame *frame)
{
	uint8_t *bytes = malloc(wyn_frame_encoded_bytes(frame));

	rig_check(bytes != NULL);
	rig_send(client, bytes, wyn_frame_encode(frame, 0, bytes));
	free(bytes);
}

/* A frame with that message, of the kind's generated struct: whichever it is,
 * the frame has a pointer to it in the same place. */
static void message_send(
	struct rig_client *client, enum wyn_message_kind kind, void *message)
{
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;

	frame.body_case = (Wyn__V1__Frame__BodyCase)kind;
	frame.error = message;
	rig_frame(client, &frame);
}

void rig_call(struct rig_client *client, uint64_t call_id,
	Wyn__V1__Call__WhatCase what, void *message)
{
	Wyn__V1__Call call = WYN__V1__CALL__INIT;

	call.call_id = call_id;
	call.what_case = what;
	call.stats = message;
	message_send(client, WYN_MESSAGE_CALL, &call);
}

void rig_hello(struct rig_client *client, uint64_t stream_bytes)
{
	Wyn__V1__Hello hello = WYN__V1__HELLO__INIT;

	hello.version_min = 1;
	hello.version_max = 1;
	hello.stream_bytes = stream_bytes;
	message_send(client, WYN_MESSAGE_HELLO, &hello);
}

/* The messages that only servers send, with nothing in them. */
static void server_kind(struct rig_client *client, enum wyn_message_kind kind)
{
	Wyn__V1__Results results = WYN__V1__RESULTS__INIT;
	Wyn__V1__Accepted accepted = WYN__V1__ACCEPTED__INIT;
	Wyn__V1__Reply reply = WYN__V1__REPLY__INIT;
	Wyn__V1__Welcome welcome = WYN__V1__WELCOME__INIT;
	Wyn__V1__GoAway away = WYN__V1__GO_AWAY__INIT;
	Wyn__V1__Error error = WYN__V1__ERROR__INIT;
	void *message = &error;

	switch (kind) {
	case WYN_MESSAGE_RESULTS:
		message = &results;
		break;
	case WYN_MESSAGE_ACCEPTED:
		message = &accepted;
		break;
	case WYN_MESSAGE_REPLY:
		message = &reply;
		break;
	case WYN_MESSAGE_WELCOME:
		message = &welcome;
		break;
	case WYN_MESSAGE_GO_AWAY:
		message = &away;
		break;
	default:
		break;
	}
	message_send(client, kind, message);
}

void rig_kind(struct rig_client *client, enum wyn_message_kind kind)
{
	Wyn__V1__FunctionsCall functions = WYN__V1__FUNCTIONS_CALL__INIT;
	Wyn__V1__Pong pong = WYN__V1__PONG__INIT;

	switch (kind) {
	case WYN_MESSAGE_SUBMIT:
		rig_task_send(client, 1000, "noop", NULL);
		return;
	case WYN_MESSAGE_CHUNK:
		rig_chunk(client, 1, 0, "", false);
		return;
	case WYN_MESSAGE_CREDIT:
		rig_credit(client, 1);
		return;
	case WYN_MESSAGE_CANCEL:
		rig_cancel(client, 1, 1);
		return;
	case WYN_MESSAGE_SIGNAL:
		rig_signal(client, 1, 1, 15);
		return;
	case WYN_MESSAGE_CALL:
		rig_call(client, 1, WYN__V1__CALL__WHAT_FUNCTIONS, &functions);
		return;
	case WYN_MESSAGE_HELLO:
		rig_hello(client, 0);
		return;
	case WYN_MESSAGE_PING:
		rig_ping(client, 7);
		return;
	case WYN_MESSAGE_PONG:
		message_send(client, kind, &pong);
		return;
	case WYN_MESSAGE_FINISH:
		rig_finish(client);
		return;
	default:
		server_kind(client, kind);
	}
}

void rig_submit(struct rig_client *client, const struct rig_submit *submit)
{
	struct wyn_submit message = {
		.first_seq = submit->first_seq,
		.function = wyn_slice_of(
			submit->function != NULL ? submit->function : ""),
		.command = submit->command,
		.options = submit->options,
		.arg_sizes = submit->sizes,
		.arg_sizes_count = submit->sizes != NULL ? submit->count : 0,
	};
	size_t n = submit->sizes != NULL ? 0 : submit->count;
	struct wyn_slice *args = calloc(n + 1, sizeof(*args));
	uint8_t *bytes;

	rig_check(args != NULL);
	for (size_t i = 0; i < n; i++) {
		const char *text =
			submit->texts != NULL ? submit->texts[i] : submit->text;

		args[i] = wyn_slice_of(text != NULL ? text : "");
	}
	bytes = malloc(wyn_submit_encoded_bytes(&message, args, n));
	rig_check(bytes != NULL);
	rig_send(client, bytes, wyn_submit_encode(&message, args, n, bytes));
	free(bytes);
	free(args);
}

void rig_batch_send(struct rig_client *client, uint64_t first_seq, size_t count,
	const char *function, const char *text)
{
	const struct rig_submit submit = {
		.first_seq = first_seq,
		.function = function,
		.count = count,
		.text = text,
	};

	rig_submit(client, &submit);
}

void rig_task_send(struct rig_client *client, uint64_t seq,
	const char *function, const char *text)
{
	rig_batch_send(client, seq, 1, function, text);
}

static void chunk_send(struct rig_client *client, const struct wyn_chunk *chunk)
{
	uint8_t head[WYN_CHUNK_HEAD_BYTES_MAX];

	rig_send(client, head, wyn_chunk_head_encode(chunk, head));
	rig_send(client, chunk->data.data, chunk->data.len);
}

void rig_chunk(struct rig_client *client, uint64_t seq, uint64_t offset,
	const char *text, bool eof)
{
	const struct wyn_chunk chunk = {
		.seq = seq,
		.stream = WYN__V1__STREAM__STREAM_ARGUMENT,
		.offset = offset,
		.eof = eof,
		.data = wyn_slice_of(text),
	};

	chunk_send(client, &chunk);
}

void rig_input(struct rig_client *client, uint64_t seq, uint64_t offset,
	struct wyn_slice data, bool eof)
{
	const struct wyn_chunk chunk = {
		.seq = seq,
		.stream = WYN__V1__STREAM__STREAM_INPUT,
		.offset = offset,
		.eof = eof,
		.data = data,
	};

	chunk_send(client, &chunk);
}

ProtobufCBinaryData rig_word(const char *text)
{
	return (ProtobufCBinaryData){
		.len = strlen(text), .data = (uint8_t *)wyn_message_text(text)};
}

void rig_command_init(struct rig_command *command, const char *line)
{
	static const Wyn__V1__Command none = WYN__V1__COMMAND__INIT;

	command->message = none;
	command->message.argv = command->argv;
	while (*line != '\0') {
		size_t n = strcspn(line, " ");
		ProtobufCBinaryData word = rig_word(line);

		rig_check(command->message.n_argv < RIG_ARGV_MAX);
		word.len = n;
		command->argv[command->message.n_argv++] = word;
		line += n + (line[n] == ' ');
	}
}

void rig_run_send(struct rig_client *client, uint64_t first_seq, size_t count,
	const char *input, struct wyn_submit_options options)
{
	struct rig_command command;
	const struct rig_submit submit = {
		.first_seq = first_seq,
		.command = &command.message,
		.count = count,
		.text = input,
		.options = options,
	};

	rig_command_init(&command, "sh");
	rig_submit(client, &submit);
}

void rig_feed_send(struct rig_client *client, uint64_t seq)
{
	struct rig_command command;
	const struct rig_submit submit = {
		.first_seq = seq,
		.command = &command.message,
		.count = 1,
	};

	rig_command_init(&command, "cat");
	command.message.input_stream = true;
	rig_submit(client, &submit);
}

void rig_cancel(struct rig_client *client, uint64_t first, uint64_t count)
{
	rig_cancel_grace(client, first, count, 0);
}

void rig_cancel_grace(struct rig_client *client, uint64_t first, uint64_t count,
	uint64_t grace_ms)
{
	Wyn__V1__SeqRange range = WYN__V1__SEQ_RANGE__INIT;
	Wyn__V1__SeqRange *ranges[] = {&range};
	Wyn__V1__Cancel cancel = WYN__V1__CANCEL__INIT;

	range.first = first;
	range.count = count;
	cancel.n_seqs = 1;
	cancel.seqs = ranges;
	cancel.grace_ms = grace_ms;
	message_send(client, WYN_MESSAGE_CANCEL, &cancel);
}

void rig_cancel_id(struct rig_client *client, uint64_t id)
{
	Wyn__V1__Cancel cancel = WYN__V1__CANCEL__INIT;

	cancel.n_ids = 1;
	cancel.ids = &id;
	message_send(client, WYN_MESSAGE_CANCEL, &cancel);
}

void rig_signal(struct rig_client *client, uint64_t first, uint64_t count,
	uint32_t number)
{
	Wyn__V1__SeqRange range = WYN__V1__SEQ_RANGE__INIT;
	Wyn__V1__SeqRange *ranges[] = {&range};
	Wyn__V1__Signal signal = WYN__V1__SIGNAL__INIT;

	range.first = first;
	range.count = count;
	signal.n_seqs = 1;
	signal.seqs = ranges;
	signal.number = number;
	message_send(client, WYN_MESSAGE_SIGNAL, &signal);
}

void rig_signal_id(struct rig_client *client, uint64_t id, uint32_t number)
{
	Wyn__V1__Signal signal = WYN__V1__SIGNAL__INIT;

	signal.n_ids = 1;
	signal.ids = &id;
	signal.number = number;
	message_send(client, WYN_MESSAGE_SIGNAL, &signal);
}

void rig_credit(struct rig_client *client, uint64_t stream_bytes)
{
	Wyn__V1__Credit credit = WYN__V1__CREDIT__INIT;

	credit.stream_bytes = stream_bytes;
	message_send(client, WYN_MESSAGE_CREDIT, &credit);
}

void rig_ping(struct rig_client *client, uint64_t token)
{
	Wyn__V1__Ping ping = WYN__V1__PING__INIT;

	ping.token = token;
	message_send(client, WYN_MESSAGE_PING, &ping);
}

void rig_finish(struct rig_client *client)
{
	Wyn__V1__Finish finish = WYN__V1__FINISH__INIT;

	message_send(client, WYN_MESSAGE_FINISH, &finish);
}

void rig_list(struct rig_client *client, uint64_t after)
{
	Wyn__V1__ListCall list = WYN__V1__LIST_CALL__INIT;

	list.after = after;
	rig_call(client, after, WYN__V1__CALL__WHAT_LIST, &list);
}

void rig_explain(struct rig_client *client, uint64_t id)
{
	Wyn__V1__ExplainCall explain = WYN__V1__EXPLAIN_CALL__INIT;

	explain.id = id;
	rig_call(client, id, WYN__V1__CALL__WHAT_EXPLAIN, &explain);
}

void rig_ask_outcome(struct rig_client *client, uint64_t id, uint64_t wait_ms)
{
	Wyn__V1__OutcomeCall outcome = WYN__V1__OUTCOME_CALL__INIT;

	outcome.id = id;
	outcome.wait_ms = wait_ms;
	rig_call(client, id, WYN__V1__CALL__WHAT_OUTCOME, &outcome);
}

void rig_ask_logs(
	struct rig_client *client, uint64_t id, uint64_t from, uint64_t wait_ms)
{
	Wyn__V1__LogsCall logs = WYN__V1__LOGS_CALL__INIT;

	logs.id = id;
	logs.from = from;
	logs.wait_ms = wait_ms;
	rig_call(client, id, WYN__V1__CALL__WHAT_LOGS, &logs);
}

void rig_ask_end(struct rig_client *client, uint64_t id, uint32_t signal)
{
	Wyn__V1__EndCall end = WYN__V1__END_CALL__INIT;

	end.id = id;
	end.signal = signal;
	rig_call(client, id, WYN__V1__CALL__WHAT_END, &end);
}
