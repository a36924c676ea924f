// SPDX-License-Identifier: MIT
/*
 * rig_reader.c - decodes what a server sends, and holds it to the protocol.
 *
 * Part of rig_client.h: what must never come aborts, the rest is noted in the
 * client.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/engine_state.h"
#include "proto/codec.h"
#include "tests/support/rig_client.h"

#define RIG_ARENA_BYTES (4u << 20)
#define RIG_ROOM_FIRST	64u

static size_t place_of(const struct rig_client *client, uint64_t seq)
{
	size_t mask = client->tasks_room - 1;
	size_t at = (size_t)(seq * UINT64_C(0x9e3779b97f4a7c15) >> 20) & mask;

	while (client->tasks[at] != NULL && client->tasks[at]->seq != seq) {
		at = (at + 1) & mask;
	}
	return at;
}

const struct rig_task *rig_task(const struct rig_client *client, uint64_t seq)
{
	return client->tasks_room == 0 ? NULL
				       : client->tasks[place_of(client, seq)];
}

const char *rig_reason(const struct rig_client *client, uint64_t seq)
{
	const struct rig_task *task = rig_task(client, seq);

	rig_check(task != NULL && task->has_row);
	return task->reason;
}

static void tasks_grow(struct rig_client *client)
{
	struct rig_task **old = client->tasks;
	size_t old_room = client->tasks_room;

	client->tasks_room = old_room == 0 ? RIG_ROOM_FIRST : 2 * old_room;
	client->tasks = calloc(client->tasks_room, sizeof(struct rig_task *));
	rig_check(client->tasks != NULL);
	for (size_t i = 0; i < old_room; i++) {
		if (old[i] != NULL) {
			client->tasks[place_of(client, old[i]->seq)] = old[i];
		}
	}
	free(old);
}

/* The task's record, made if there is none. */
static struct rig_task *task_of(struct rig_client *client, uint64_t seq)
{
	size_t at;

	if (2 * client->tasks_count >= client->tasks_room) {
		tasks_grow(client);
	}
	at = place_of(client, seq);
	if (client->tasks[at] == NULL) {
		struct rig_task *task = calloc(1, sizeof(*task));

		rig_check(task != NULL);
		task->seq = seq;
		client->tasks[at] = task;
		client->tasks_count++;
	}
	return client->tasks[at];
}

static void word_copy(char *to, size_t room, struct wyn_slice from)
{
	size_t n = from.len < room - 1 ? from.len : room - 1;

	if (n > 0) {
		memcpy(to, from.data, n);
	}
	to[n] = '\0';
}

/* Appends; a NUL stands behind, for whoever compares strings. */
static void bytes_append(void *data, size_t *bytes, struct wyn_slice more)
{
	char **buffer = data;

	*buffer = realloc(*buffer, *bytes + more.len + 1);
	rig_check(*buffer != NULL);
	if (more.len > 0) {
		memcpy(*buffer + *bytes, more.data, more.len);
	}
	*bytes += more.len;
	(*buffer)[*bytes] = '\0';
}

static void detail_note(struct rig_task *task, const struct wyn_detail *detail)
{
	rig_check(detail->reason.len > 0 || task->code == WYN_STATUS_OK);
	rig_check(detail->ran != WYN__V1__RAN__RAN_UNSPECIFIED);
	task->ran = detail->ran;
	task->retry_after_ms = detail->retry_after_ms;
	word_copy(task->reason, sizeof(task->reason), detail->reason);
	word_copy(task->message, sizeof(task->message), detail->message);
	task->exit_status = detail->exit_status;
	task->signal = detail->signal;
	task->has_usage = detail->usage != NULL;
	if (task->has_usage) {
		task->usage = *detail->usage;
	}
}

static void row_note(struct rig_client *client, const struct wyn_result *row)
{
	struct rig_task *task = task_of(client, row->seq);

	rig_check(row->seq > 0);
	rig_check(!task->has_row);
	rig_check(row->code < WYN_STATUS_COUNT);
	rig_check(task->value_chunks == 0 || task->value_eof);
	rig_check(task->value_chunks == 0 || row->value.len == 0);
	rig_check(row->code == WYN_STATUS_OK || row->value.len == 0);
	rig_check(row->code == WYN_STATUS_OK || row->detail != NULL);
	task->has_row = true;
	task->code = row->code;
	if (row->value.len > 0) {
		bytes_append(&task->value, &task->value_bytes, row->value);
	}
	if (row->detail != NULL) {
		detail_note(task, row->detail);
	}
	client->rows++;
	client->rows_ok += row->code == WYN_STATUS_OK;
}

static void on_results(
	struct rig_client *client, const struct wyn_results *results)
{
	struct wyn_results cursor = *results;
	struct wyn_result row;

	rig_check(results->count > 0 || results->quiet_done > 0);
	while (wyn_results_next(&cursor, &row)) {
		row_note(client, &row);
	}
	client->quiet_done += results->quiet_done;
	client->results_frames++;
}

static void written_note(
	struct rig_written *written, const struct wyn_chunk *chunk)
{
	rig_check(!chunk->eof);
	rig_check(chunk->offset == written->bytes);
	rig_check(chunk->data.len > 0);
	bytes_append(&written->data, &written->bytes, chunk->data);
	written->chunks++;
}

static void on_chunk(struct rig_client *client, const struct wyn_chunk *chunk)
{
	struct rig_task *task = task_of(client, chunk->seq);

	rig_check(!task->has_row);
	client->stream_bytes += chunk->data.len;
	if (chunk->stream == WYN__V1__STREAM__STREAM_PARTIAL) {
		rig_check(!chunk->eof);
		rig_check(chunk->offset == task->partials_bytes);
		bytes_append(
			&task->partials, &task->partials_bytes, chunk->data);
		task->partials_count++;
		return;
	}
	if (chunk->stream == WYN__V1__STREAM__STREAM_PROGRESS) {
		rig_check(!chunk->eof);
		rig_check(chunk->offset == 0);
		rig_check(chunk->data.len == WYN_PROGRESS_BYTES);
		task->report_done = chunk->data.data[7];
		task->reports++;
		return;
	}
	if (chunk->stream == WYN__V1__STREAM__STREAM_OUTPUT) {
		written_note(&task->output, chunk);
		return;
	}
	if (chunk->stream == WYN__V1__STREAM__STREAM_ERROR) {
		written_note(&task->error, chunk);
		return;
	}
	rig_check(chunk->stream == WYN__V1__STREAM__STREAM_VALUE);
	rig_check(!task->value_eof);
	rig_check(chunk->offset == task->value_bytes);
	rig_check(chunk->data.len > 0 || chunk->eof);
	bytes_append(&task->value, &task->value_bytes, chunk->data);
	task->value_eof = chunk->eof;
	task->value_chunks++;
}

/* Totals never fall, and never pass what could be unanswered at once. */
static void credit_note(
	struct rig_client *client, const Wyn__V1__Credit *credit)
{
	const struct wyn_conn *conn = client->conn;

	rig_check(credit->tasks >= client->credit_tasks);
	rig_check(credit->argument_bytes >= client->credit_bytes);
	rig_check(credit->stream_bytes == 0);
	rig_check(credit->tasks <= conn->tasks.window + conn->tasks.received);
	rig_check(credit->argument_bytes <=
		  conn->bytes.window + conn->bytes.received);
	client->credit_tasks = credit->tasks;
	client->credit_bytes = credit->argument_bytes;
}

static void on_accepted(
	struct rig_client *client, const Wyn__V1__Accepted *accepted)
{
	rig_check(accepted->n_ranges > 0);
	for (size_t i = 0; i < accepted->n_ranges; i++) {
		const Wyn__V1__AcceptedRange *range = accepted->ranges[i];

		rig_check(range->count > 0);
		rig_check(range->first_id > client->accepted_id);
		client->accepted += range->count;
		client->accepted_seq = range->first_seq;
		client->accepted_id = range->first_id;
	}
}

static void listed_note(struct rig_client *client, const Wyn__V1__Task *task)
{
	struct rig_listed *note = &client->listed[client->listed_count++];

	rig_check(client->listed_count <= RIG_LISTED_MAX);
	*note = (struct rig_listed){
		.id = task->id,
		.seq = task->seq,
		.conn = task->connection,
		.age_ns = task->age_ns,
		.run_ns = task->run_ns,
		.argument_bytes = task->argument_bytes,
		.state = (int)task->state,
		.priority = (int)task->priority,
		.answered = task->answered,
	};
	word_copy(note->function, sizeof(note->function),
		wyn_slice_of(task->function));
	word_copy(note->client_name, sizeof(note->client_name),
		wyn_slice_of(task->client_name));
	word_copy(note->command, sizeof(note->command),
		wyn_slice_of(task->command));
	word_copy(note->label, sizeof(note->label), wyn_slice_of(task->label));
}

static void on_list(struct rig_client *client, const Wyn__V1__ListReply *list)
{
	client->reply.more = list->more;
	for (size_t i = 0; i < list->n_tasks; i++) {
		rig_check(
			i == 0 || list->tasks[i]->id > list->tasks[i - 1]->id);
		listed_note(client, list->tasks[i]);
	}
}

static void on_explain(
	struct rig_client *client, const Wyn__V1__ExplainReply *explain)
{
	client->why = (struct rig_why){
		.why = (int)explain->why,
		.ahead = explain->ahead,
		.conns = explain->connections,
		.executor = explain->executor,
	};
	word_copy(client->why.text, sizeof(client->why.text),
		wyn_slice_of(explain->message));
	listed_note(client, explain->task);
}

static void on_outcome(
	struct rig_client *client, const Wyn__V1__OutcomeReply *outcome)
{
	struct rig_outcome *note = &client->outcome;
	struct wyn_slice value = {outcome->value.data, outcome->value.len};

	rig_check(outcome->ended || value.len == 0);
	*note = (struct rig_outcome){
		.ended = outcome->ended,
		.code = outcome->code,
		.ran = (int)outcome->ran,
		.exit_status = outcome->exit_status,
		.signal = outcome->signal,
		.has_usage = outcome->usage != NULL,
		.bytes = value.len,
		.value_bytes = outcome->value_bytes,
		.value_lost = outcome->value_lost,
		.output_bytes = outcome->output_bytes,
		.ended_ns = outcome->ended_ns,
	};
	word_copy(note->value, sizeof(note->value), value);
	word_copy(note->reason, sizeof(note->reason),
		wyn_slice_of(outcome->reason));
	word_copy(note->message, sizeof(note->message),
		wyn_slice_of(outcome->message));
	listed_note(client, outcome->task);
}

static void on_logs(struct rig_client *client, const Wyn__V1__LogsReply *logs)
{
	struct rig_logs *note = &client->logs;
	uint64_t at = 0;

	*note = (struct rig_logs){.pieces = logs->n_pieces,
		.next = logs->next,
		.ended = logs->ended};
	for (size_t i = 0; i < logs->n_pieces; i++) {
		const Wyn__V1__Piece *piece = logs->pieces[i];
		size_t room = sizeof(note->text) - 1 - note->bytes;
		size_t n = piece->data.len < room ? piece->data.len : room;

		rig_check(piece->data.len > 0);
		rig_check(piece->at >= at);
		at = piece->at + piece->data.len;
		note->first_at = i == 0 ? piece->at : note->first_at;
		note->last_stream = (int)piece->stream;
		memcpy(note->text + note->bytes, piece->data.data, n);
		note->bytes += n;
	}
	rig_check(logs->next >= at);
}

static void on_reply(struct rig_client *client, const Wyn__V1__Reply *reply)
{
	struct rig_reply *note = &client->reply;

	*note = (struct rig_reply){
		.call_id = reply->call_id, .code = reply->code};
	word_copy(note->reason, sizeof(note->reason),
		wyn_slice_of(reply->reason));
	client->listed_count = 0;
	if (reply->what_case == WYN__V1__REPLY__WHAT_LIST) {
		on_list(client, reply->list);
	} else if (reply->what_case == WYN__V1__REPLY__WHAT_EXPLAIN) {
		on_explain(client, reply->explain);
	} else if (reply->what_case == WYN__V1__REPLY__WHAT_OUTCOME) {
		on_outcome(client, reply->outcome);
	} else if (reply->what_case == WYN__V1__REPLY__WHAT_LOGS) {
		on_logs(client, reply->logs);
	} else if (reply->what_case == WYN__V1__REPLY__WHAT_MODULES) {
		note->modules = reply->modules->n_modules;
		note->more = reply->modules->more;
		if (note->modules > 0) {
			word_copy(note->first_module,
				sizeof(note->first_module),
				wyn_slice_of(reply->modules->modules[0]->name));
		}
	} else if (reply->what_case == WYN__V1__REPLY__WHAT_FUNCTIONS) {
		note->functions = reply->functions->n_functions;
		note->more = reply->functions->more;
		if (note->functions > 0) {
			word_copy(note->first_function,
				sizeof(note->first_function),
				wyn_slice_of(
					reply->functions->functions[0]->name));
		}
	} else if (reply->what_case == WYN__V1__REPLY__WHAT_DRAIN) {
		note->unfinished = reply->drain->unfinished;
	} else if (reply->what_case == WYN__V1__REPLY__WHAT_STATS) {
		note->counters = reply->stats->n_counters;
		for (size_t i = 0; i < note->counters; i++) {
			const Wyn__V1__Counter *counter =
				reply->stats->counters[i];

			if (strcmp(counter->name, "tasks_held") == 0) {
				note->tasks_held = counter->value;
			}
		}
	}
	client->replies++;
}

static void on_other(struct rig_client *client, const Wyn__V1__Frame *frame)
{
	switch (frame->body_case) {
	case WYN__V1__FRAME__BODY_WELCOME:
		rig_check(client->welcomes == 0);
		client->welcomes++;
		client->functions = frame->welcome->n_functions;
		credit_note(client, frame->welcome->credit);
		return;
	case WYN__V1__FRAME__BODY_CREDIT:
		client->credits++;
		credit_note(client, frame->credit);
		return;
	case WYN__V1__FRAME__BODY_ACCEPTED:
		on_accepted(client, frame->accepted);
		return;
	case WYN__V1__FRAME__BODY_REPLY:
		on_reply(client, frame->reply);
		return;
	case WYN__V1__FRAME__BODY_PING:
		client->pings++;
		client->last_ping = frame->ping->token;
		return;
	case WYN__V1__FRAME__BODY_PONG:
		client->pongs++;
		client->last_pong = frame->pong->token;
		return;
	case WYN__V1__FRAME__BODY_GO_AWAY:
		rig_check(client->go_aways == 0);
		client->go_aways++;
		client->last_seq = frame->go_away->last_seq;
		return;
	case WYN__V1__FRAME__BODY_ERROR:
		client->errors++;
		client->error_code = frame->error->code;
		word_copy(client->error, sizeof(client->error),
			wyn_slice_of(frame->error->reason));
		return;
	default:
		rig_failed(__FILE__, __LINE__, "a message of a server");
	}
}

static void on_frame(struct rig_client *client, const struct wyn_frame *frame,
	struct wyn_arena *arena)
{
	struct wyn_message message;
	const char *reason;

	wyn_arena_reset(arena);
	/* Error is the last word. */
	rig_check(client->errors == 0);
	rig_check(wyn_codec_decode(frame, arena, &message, &reason) == 0);
	rig_check(client->welcomes == 1 || message.kind == WYN_MESSAGE_ERROR ||
		  message.kind == WYN_MESSAGE_WELCOME);
	if (message.kind == WYN_MESSAGE_RESULTS) {
		on_results(client, &message.results);
	} else if (message.kind == WYN_MESSAGE_CHUNK) {
		on_chunk(client, &message.chunk);
	} else {
		rig_check(message.kind != WYN_MESSAGE_SUBMIT);
		on_other(client, message.frame);
	}
}

void rig_client_take(struct rig_client *client, struct wyn_slice bytes)
{
	static _Thread_local _Alignas(16) uint8_t memory[RIG_ARENA_BYTES];
	size_t frame_max = client->rig->shared.limits.frame_bytes_max;
	struct wyn_arena arena;
	size_t used = 0;

	wyn_arena_init(&arena, memory, sizeof(memory));
	bytes_append(&client->unread, &client->unread_bytes, bytes);
	client->bytes_read += bytes.len;
	while (used < client->unread_bytes) {
		struct wyn_slice rest = {
			client->unread + used, client->unread_bytes - used};
		struct wyn_frame frame;
		enum wyn_frame_state state;
		size_t size;

		state = wyn_frame_next(rest, frame_max, &frame, &size);
		rig_check(
			state == WYN_FRAME_READY || state == WYN_FRAME_PARTIAL);
		if (state == WYN_FRAME_PARTIAL) {
			break;
		}
		on_frame(client, &frame, &arena);
		used += size;
	}
	client->unread_bytes -= used;
	memmove(client->unread, client->unread + used, client->unread_bytes);
}
