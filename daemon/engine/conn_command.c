// SPDX-License-Identifier: MIT
/*
 * conn_command.c - see conn_command.h.
 */
#include "daemon/engine/conn_command.h"

#include <stdlib.h>

#include "daemon/engine/admission.h"
#include "daemon/engine/conn_state.h"
#include "daemon/engine/engine_state.h"
#include "daemon/engine/policy.h"
#include "daemon/run/account.h"
#include "daemon/run/command.h"
#include "daemon/run/input.h"

/* What is wrong with it, whoever asks. False = nothing. */
static bool is_wrong(const struct wyn_conn *conn,
	const struct wyn_submit *submit, struct wyn_answer *ret_answer)
{
	const struct wyn_limits *limits = &conn->engine->limits;
	uint64_t count = submit->args.count + submit->arg_sizes_count;
	const char *wrong = wyn_command_wrong(submit->command);

	if (wrong == NULL && submit->command->input_stream && count != 1) {
		wrong = "input_stream is for a Submit of one task";
	}
	if (wrong != NULL) {
		*ret_answer = (struct wyn_answer){
			.refusal = WYN_REFUSAL_COMMAND_INVALID,
			.text = wrong,
		};
		return true;
	}
	if (wyn_command_size(submit->command) > limits->command_bytes_max) {
		*ret_answer = (struct wyn_answer){
			.refusal = WYN_REFUSAL_COMMAND_TOO_LARGE,
		};
		return true;
	}
	return false;
}

bool wyn_conn_command_refused(const struct wyn_conn *conn,
	const struct wyn_submit *submit, uint32_t *ret_uid, uint32_t *ret_gid,
	struct wyn_answer *ret_answer)
{
	const struct wyn_engine *engine = conn->engine;

	if (engine->command_executor == NULL) {
		*ret_answer = (struct wyn_answer){
			.refusal = WYN_REFUSAL_COMMANDS_OFF,
		};
		return true;
	}
	return !wyn_policy_decide(engine->policy, &conn->peer, submit->command,
		       ret_uid, ret_gid, ret_answer) ||
	       is_wrong(conn, submit, ret_answer);
}

/* The executor wrote so many bytes of an input, or nobody wants them. */
static void input_taken(struct wyn_input *input, size_t bytes)
{
	struct wyn_engine *engine = input->context;
	struct wyn_conn *conn = wyn_engine_owner(engine, input->owner);

	wyn_engine_unhold(engine, 0, bytes);
	if (conn == NULL) {
		return;
	}
	wyn_credit_return(&conn->bytes, bytes);
	conn->input_untold += bytes;
	wyn_engine_activate(conn);
}

static bool input_set(struct wyn_conn *conn, struct wyn_batch *batch)
{
	struct wyn_input *input = malloc(sizeof(*input));

	if (input == NULL) {
		return false;
	}
	wyn_input_init(input, input_taken);
	input->context = conn->engine;
	input->owner = conn->id;
	input->seq = batch->first_seq;
	wyn_list_push_back(&conn->inputs, &input->link);
	batch->input = input;
	return true;
}

bool wyn_conn_command_set(struct wyn_conn *conn, struct wyn_batch *batch,
	const Wyn__V1__Command *message, uint32_t uid, uint32_t gid)
{
	struct wyn_command *command =
		wyn_command_create(message, conn->account);

	if (command == NULL) {
		return false;
	}
	command->uid = uid;
	command->gid = gid;
	command->grace_ms = conn->engine->limits.command_grace_ms;
	batch->command = command;
	return !command->input_stream || input_set(conn, batch);
}

static struct wyn_input *input_find(struct wyn_conn *conn, uint64_t seq)
{
	struct wyn_list *link;

	wyn_list_for_each (link, &conn->inputs) {
		struct wyn_input *input =
			wyn_list_entry(link, struct wyn_input, link);

		wyn_conn_work(conn, 1);
		if (input->seq == seq) {
			return input;
		}
	}
	return NULL;
}

/* The executor has a command: it looks. */
static void input_tell(struct wyn_engine *engine, struct wyn_input *input)
{
	struct wyn_executor *executor = engine->command_executor;

	if (input->task != NULL) {
		executor->ops->input(executor, input->task);
	}
}

/* More than all connections may hold: the command cannot go on. */
static void input_refuse(struct wyn_conn *conn, struct wyn_input *input)
{
	static const struct wyn_range all = {0, UINT64_MAX};
	struct wyn_range one = all;
	struct wyn_ranges ranges = {.items = &one, .count = 1};
	static const struct wyn_answer answer = {
		.refusal = WYN_REFUSAL_DAEMON_BYTES_MAX,
		.text = "the server has no room for its input",
	};

	one.first = input->seq;
	one.last = input->seq;
	if (input->task != NULL) {
		wyn_conn_command_stop(conn->engine, input->task,
			WYN_REFUSAL_DAEMON_BYTES_MAX, WYN_GRACE_USUAL);
		wyn_input_shut(input);
	} else {
		wyn_conn_cancel(
			conn, &ranges, WYN_WORK_SEQ, &answer, WYN_GRACE_USUAL);
	}
}

/* More than is admitted of a Submit, as well. `held` without these bytes, which
 * credit has counted. */
static bool has_room_for(
	const struct wyn_conn *conn, uint64_t held, uint64_t bytes)
{
	const struct wyn_engine *engine = conn->engine;
	bool alone = atomic_load_explicit(&engine->shared->connections,
			     memory_order_relaxed) == 1;
	uint64_t own = conn->bytes.received - conn->bytes.returned - bytes +
		       conn->account->command_bytes;

	return !wyn_admission_over(
		alone, own, held, bytes, engine->limits.daemon_bytes_max);
}

/* Its bytes are held until they are taken. False: there is no room. */
static bool input_put(
	struct wyn_conn *conn, struct wyn_input *input, struct wyn_slice bytes)
{
	struct wyn_engine *engine = conn->engine;
	const struct wyn_held claimed = {.bytes = bytes.len};
	const struct wyn_held none = {0};
	struct wyn_held before = wyn_engine_claim(engine, &claimed);

	if (!input->shut && !has_room_for(conn, before.bytes, bytes.len)) {
		wyn_engine_hold(engine, &claimed, &none);
		return false;
	}
	wyn_engine_hold(engine, &claimed, &claimed);
	if (wyn_input_put(input, bytes) < 0) {
		wyn_engine_unhold(engine, 0, bytes.len);
		return false;
	}
	return true;
}

/* Also when credit can count no further: a Submit that is refused may have
 * brought it there. */
static bool is_over_credit(struct wyn_credit *credit, size_t bytes)
{
	return bytes > UINT64_MAX - credit->window - credit->received ||
	       wyn_credit_take(credit, bytes) < bytes;
}

void wyn_conn_input(struct wyn_conn *conn, const struct wyn_chunk *chunk)
{
	size_t bytes = chunk->data.len;
	struct wyn_input *input;

	if (is_over_credit(&conn->bytes, bytes)) {
		wyn_conn_fail(conn, WYN_STATUS_RESOURCE_EXHAUSTED,
			"INPUT_OVER_CREDIT",
			"more input than argument_bytes were granted for");
		return;
	}
	input = input_find(conn, chunk->seq);
	if (input == NULL) {
		/* It has ended while this was on its way. */
		wyn_credit_return(&conn->bytes, bytes);
		conn->input_untold += bytes;
		wyn_engine_activate(conn);
		return;
	}
	if (input->eof || chunk->offset != input->have) {
		wyn_conn_fail(conn, WYN_STATUS_INVALID_ARGUMENT,
			"CHUNK_OUT_OF_ORDER",
			"a Chunk of an input with a gap, or after its eof");
		return;
	}
	input->have += bytes;
	input->eof = chunk->eof;
	if (!input_put(conn, input, chunk->data)) {
		wyn_credit_return(&conn->bytes, bytes);
		input_refuse(conn, input);
		return;
	}
	input_tell(conn->engine, input);
}

void wyn_conn_inputs_end(struct wyn_conn *conn)
{
	struct wyn_list *link;
	struct wyn_list *after;

	wyn_list_for_each_safe (link, after, &conn->inputs) {
		struct wyn_input *input =
			wyn_list_entry(link, struct wyn_input, link);

		input->eof = true;
		input_tell(conn->engine, input);
	}
}

void wyn_conn_inputs_forget(struct wyn_conn *conn)
{
	while (wyn_list_pop_front(&conn->inputs) != NULL) {
	}
}

void wyn_conn_signal(struct wyn_conn *conn, const struct wyn_ranges *ranges,
	enum wyn_work_key key, unsigned number)
{
	struct wyn_executor *executor = conn->engine->command_executor;
	struct wyn_list *link;
	struct wyn_range part;

	wyn_list_for_each (link, &conn->running) {
		struct wyn_task *task =
			wyn_list_entry(link, struct wyn_task, link);
		uint64_t at = wyn_work_key_of(task->batch, task->seq, key);

		wyn_conn_work(conn, 1);
		if (task->batch->command != NULL &&
			wyn_ranges_meet(ranges, at, at, &part)) {
			executor->ops->signal(executor, task, number);
		}
	}
}

void wyn_conn_command_stop(struct wyn_engine *engine, struct wyn_task *task,
	enum wyn_refusal refusal, uint64_t grace_ms)
{
	struct wyn_executor *executor = engine->command_executor;

	if (grace_ms == WYN_GRACE_USUAL) {
		grace_ms = task->batch->command->grace_ms;
	}
	if (task->stopped == WYN_REFUSAL_NONE) {
		task->stopped = refusal;
	} else if (grace_ms >= task->grace_ms) {
		return; /* it has less already */
	}
	task->grace_ms = grace_ms;
	executor->ops->cancel(executor, task);
}
