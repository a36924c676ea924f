// SPDX-License-Identifier: MIT
/*
 * conn_submit.c - what brings tasks in.
 *
 * A Submit is cut into runs of tasks that admission treats alike. An accepted
 * run becomes a batch in the ready queue, a refused one a verdict; nearly
 * always there is one run, and no argument is looked at.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "daemon/engine/admission.h"
#include "daemon/engine/conn_command.h"
#include "daemon/engine/conn_state.h"
#include "daemon/engine/conn_upload.h"
#include "daemon/engine/conn_work.h"
#include "daemon/engine/engine_state.h"
#include "daemon/engine/grow.h"
#include "daemon/engine/keeper.h"
#include "daemon/run/account.h"
#include "daemon/run/command.h"

/* What comparing two names costs: see wyn_conn_work(). */
#define WYN_NEAREST_LOOKS 16u

/* A Submit while it is taken in. */
struct intake {
	struct wyn_conn *conn;
	const struct wyn_submit *submit;
	const struct wyn_function_entry *function;
	uint32_t uid; /* a command's, and its group */
	uint32_t gid;
	struct wyn_admission admission;
	uint64_t taken; /* tasks let in so far */
	uint64_t taken_bytes;
	struct wyn_held held; /* by the batches made so far */
};

static const struct wyn_answer no_memory = {
	.refusal = WYN_REFUSAL_DAEMON_BYTES_MAX,
	.text = "the server has no memory for the task",
};

static void deadline_fire(struct wyn_timer *timer, uint64_t now_ns)
{
	struct wyn_batch *batch =
		WYN_CONTAINER_OF(timer, struct wyn_batch, deadline);

	(void)now_ns;
	wyn_conn_batch_expired(
		WYN_CONTAINER_OF(batch->timers, struct wyn_engine, timers),
		batch);
}

static void refuse(struct intake *in, const struct wyn_answer *answer,
	uint64_t first_seq, uint64_t count, uint64_t bytes)
{
	/* Making the row of a refused task takes about a look. */
	wyn_conn_work(in->conn, count);
	wyn_conn_answer(in->conn, answer, first_seq, count, count, bytes);
}

void wyn_conn_accepted_flush(struct wyn_conn *conn)
{
	struct wyn_accepted_run *run = &conn->accepted;
	Wyn__V1__AcceptedRange range = WYN__V1__ACCEPTED_RANGE__INIT;
	Wyn__V1__AcceptedRange *ranges[] = {&range};
	Wyn__V1__Accepted accepted = WYN__V1__ACCEPTED__INIT;
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;

	if (run->count == 0) {
		return;
	}
	range.first_seq = run->first_seq;
	range.first_id = run->first_id;
	range.count = run->count;
	accepted.n_ranges = 1;
	accepted.ranges = ranges;
	frame.body_case = WYN__V1__FRAME__BODY_ACCEPTED;
	frame.accepted = &accepted;
	run->count = 0;
	wyn_conn_send(conn, &frame);
}

static void accepted_add(struct wyn_conn *conn, uint64_t first_seq,
	uint64_t first_id, uint64_t count)
{
	struct wyn_accepted_run *run = &conn->accepted;

	if (run->count > 0 && (run->first_seq + run->count != first_seq ||
				      run->first_id + run->count != first_id)) {
		wyn_conn_accepted_flush(conn);
	}
	if (run->count == 0) {
		run->first_seq = first_seq;
		run->first_id = first_id;
	}
	run->count += count;
	wyn_engine_activate(conn);
}

/* The tasks of a batch from that seq on are let in. */
static void tasks_enter(struct intake *in, const struct wyn_batch *batch,
	uint64_t first_seq, uint64_t count)
{
	struct wyn_conn *conn = in->conn;

	in->held.tasks += count;
	WYN_STATS_ADD(&conn->engine->stats, tasks_accepted, count);
	conn->accepted_tasks += count;
	conn->last_seq = first_seq + (count - 1);
	if (batch->options.accept) {
		accepted_add(conn, first_seq,
			wyn_work_key_of(batch, first_seq, WYN_WORK_ID), count);
	}
}

/* The options' label is a view into the frame. */
static bool label_set(const struct intake *in, struct wyn_batch *batch)
{
	struct wyn_slice label = in->submit->options.label;

	/* Not strndup(3), which may look for a NUL behind the frame. */
	batch->label = calloc(1, label.len + 1);
	if (batch->label == NULL) {
		return false;
	}
	memcpy(batch->label, label.data, label.len);
	batch->options.label =
		(struct wyn_slice){(const uint8_t *)batch->label, label.len};
	return true;
}

/* Makes an accepted batch the connection's. False: no memory for its timer. */
static bool batch_enter(
	struct intake *in, struct wyn_batch *batch, uint64_t first_seq)
{
	struct wyn_conn *conn = in->conn;
	struct wyn_engine *engine = conn->engine;
	uint64_t count = batch->span.args.count;
	uint64_t deadline_ms = in->submit->options.deadline_ms;

	wyn_batch_function_set(batch, in->function);
	batch->options = in->submit->options;
	batch->timers = &engine->timers;
	batch->owner = conn->id;
	batch->first_seq = first_seq;
	batch->received_ns = engine->now_ns;
	batch->span.next_seq = first_seq;
	batch->deadline.fire = deadline_fire;
	if (in->submit->options.label.len > 0 && !label_set(in, batch)) {
		return false;
	}
	if (in->submit->command != NULL &&
		!wyn_conn_command_set(
			conn, batch, in->submit->command, in->uid, in->gid)) {
		return false;
	}
	if (deadline_ms != 0 &&
		wyn_timers_arm(&engine->timers, &batch->deadline,
			engine->now_ns + deadline_ms * WYN_NS_PER_MS) < 0) {
		return false;
	}
	wyn_grow_ids(engine, batch);
	if (wyn_keeper_wants(batch) && !wyn_keeper_accept(conn, batch)) {
		return false;
	}
	in->held.bytes += batch->bytes + wyn_command_bytes(batch->command);
	tasks_enter(in, batch, first_seq, count);
	return true;
}

/* The batch that grows, if tasks from first_seq on may be added to it. */
static struct wyn_batch *batch_before(
	const struct intake *in, uint64_t first_seq)
{
	return wyn_grow_find(in->conn->engine, in->function,
		&in->submit->options, first_seq);
}

static bool has_room(
	const struct wyn_batch *before, const struct wyn_args *args)
{
	return before != NULL && args->region.len <= wyn_batch_room(before);
}

static void accept_run(
	struct intake *in, const struct wyn_args *args, uint64_t first_seq)
{
	struct wyn_engine *engine = in->conn->engine;
	struct wyn_batch *before = batch_before(in, first_seq);
	struct wyn_batch *batch;

	if (has_room(before, args)) {
		wyn_batch_append(before, args);
		wyn_ready_grew(&in->conn->ready, args->count);
		tasks_enter(in, before, first_seq, args->count);
		return;
	}
	batch = wyn_batch_create(
		&engine->memory, args, wyn_grow_spare(before, args));
	if (batch != NULL && batch_enter(in, batch, first_seq)) {
		wyn_conn_queue(in->conn, &batch->span);
		if (batch->command == NULL) {
			wyn_grow_begin(engine, batch);
		}
		return;
	}
	if (batch != NULL) {
		(void)wyn_span_drop(&batch->span);
	}
	refuse(in, &no_memory, first_seq, args->count, args->bytes_total);
}

/* One run of tasks that are treated alike: accepted (no refusal) or refused
 * for the same reason. */
struct run {
	struct wyn_answer answer;
	struct wyn_args args;
	uint64_t first_seq;
};

static void run_end(struct intake *in, const struct run *run)
{
	if (run->args.count == 0) {
		return;
	}
	if (run->answer.refusal == WYN_REFUSAL_NONE) {
		accept_run(in, &run->args, run->first_seq);
	} else {
		refuse(in, &run->answer, run->first_seq, run->args.count,
			run->args.bytes_total);
	}
}

/* Looks at each argument; the way of a Submit that is near some limit. */
static void accept_some(struct intake *in)
{
	struct wyn_args cursor = in->submit->args;
	struct run run = {.first_seq = in->submit->first_seq};
	uint64_t seq = run.first_seq;
	const uint8_t *start = cursor.region.data;
	struct wyn_slice argument;

	for (; wyn_args_next(&cursor, &argument); seq++) {
		struct wyn_answer answer = {.refusal = WYN_REFUSAL_NONE};

		if (wyn_admission_one(&in->admission, in->taken,
			    in->taken_bytes, argument.len, false, &answer)) {
			in->taken++;
			in->taken_bytes += argument.len;
		}
		if (answer.refusal != run.answer.refusal) {
			run_end(in, &run);
			run = (struct run){.answer = answer, .first_seq = seq};
		}
		if (run.args.count == 0) {
			run.args.region.data = start;
			run.answer = answer;
		}
		run.args.count++;
		run.args.bytes_total += argument.len;
		run.args.region.len =
			(size_t)(cursor.region.data - run.args.region.data);
		start = cursor.region.data;
	}
	run_end(in, &run);
}

/* One task whose argument follows. */
static void upload_begin(struct intake *in, uint64_t seq, uint64_t size)
{
	struct wyn_conn *conn = in->conn;
	struct wyn_upload *upload;
	struct wyn_answer answer;

	if (!wyn_admission_one(&in->admission, in->taken, in->taken_bytes, size,
		    true, &answer)) {
		refuse(in, &answer, seq, 1, size);
		return;
	}
	upload = calloc(1, sizeof(*upload));
	if (upload == NULL) {
		refuse(in, &no_memory, seq, 1, size);
		return;
	}
	upload->batch = wyn_batch_create_upload(
		&conn->engine->memory, size, &upload->argument);
	if (upload->batch == NULL || !batch_enter(in, upload->batch, seq)) {
		if (upload->batch != NULL) {
			(void)wyn_span_drop(&upload->batch->span);
		}
		free(upload);
		refuse(in, &no_memory, seq, 1, size);
		return;
	}
	in->taken++;
	in->taken_bytes += size;
	upload->size = size;
	upload->batch->upload = upload;
	wyn_list_push_back(&conn->uploads, &upload->link);
	conn->uploads_count++;
	if (size == 0) {
		wyn_conn_upload_ready(conn, upload);
	}
}

/*
 * What credit counts for this Submit. False: more than 64 bits can, for the
 * total that is granted is ahead of the one that is used by the window.
 */
static bool bytes_claimed(const struct wyn_submit *submit,
	const struct wyn_credit *credit, uint64_t *ret_bytes)
{
	uint64_t bytes = submit->args.bytes_total;
	uint64_t total;

	for (size_t i = 0; i < submit->arg_sizes_count; i++) {
		if (__builtin_add_overflow(
			    bytes, submit->arg_sizes[i], &bytes)) {
			return false;
		}
	}
	*ret_bytes = bytes;
	return !__builtin_add_overflow(bytes, credit->received, &total) &&
	       total <= UINT64_MAX - credit->window;
}

static void refuse_whole(struct intake *in, const struct wyn_answer *answer,
	uint64_t count, uint64_t bytes)
{
	struct wyn_answer told = *answer;
	char text[WYN_VERDICT_TEXT_BYTES_MAX];
	struct wyn_slice name = in->submit->function;

	if (answer->refusal == WYN_REFUSAL_FUNCTION_UNKNOWN) {
		const struct wyn_registry *registry =
			wyn_catalog_read(&in->conn->engine->functions);
		const char *near = wyn_registry_nearest(registry, name);

		wyn_conn_work(in->conn,
			WYN_NEAREST_LOOKS * wyn_registry_count(registry));
		(void)snprintf(text, sizeof(text), "no function \"%.*s\"%s%s%s",
			(int)wyn_text_cut(name, WYN_MODULE_NAME_BYTES_MAX),
			name.len > 0 ? (const char *)name.data : "",
			near == NULL ? "" : "; did you mean \"",
			near == NULL ? "" : near, near == NULL ? "" : "\"?");
		told.text = text;
		told.text_borrowed = true;
	}
	refuse(in, &told, in->submit->first_seq, count, bytes);
}

/* Mostly it is the one that was named just before. */
static const struct wyn_function_entry *function_of(
	struct wyn_engine *engine, struct wyn_slice name)
{
	const struct wyn_batch *batch = engine->growing;

	if (batch != NULL && name.len > 0 &&
		strncmp(batch->function->name, (const char *)name.data,
			name.len) == 0 &&
		batch->function->name[name.len] == '\0') {
		return batch->function;
	}
	return wyn_registry_find(wyn_catalog_read(&engine->functions), name);
}

/* Field by field, since a Submit of one task is taken in as fast as the whole
 * would be zeroed. */
static void intake_begin(struct intake *in, uint64_t count, uint64_t bytes)
{
	struct wyn_conn *conn = in->conn;
	struct wyn_shared *shared = conn->engine->shared;
	struct wyn_admission *admission = &in->admission;

	in->function =
		in->submit->command != NULL
			? &wyn_command_entry
			: function_of(conn->engine, in->submit->function);
	in->uid = 0;
	in->gid = 0;
	in->taken = 0;
	in->taken_bytes = 0;
	in->held.tasks = 0;
	in->held.bytes = 0;
	admission->limits = &conn->engine->limits;
	admission->draining = conn->engine->draining;
	admission->function_known = in->function != NULL;
	admission->keeps = conn->peer.local;
	admission->keep_room = UINT64_MAX;
	if (in->submit->options.on_disconnect ==
		WYN__V1__ON_DISCONNECT__ON_DISCONNECT_KEEP) {
		admission->keep_room =
			wyn_keep_room(&conn->engine->keep, conn->peer.uid);
	}
	admission->own_tasks = conn->tasks.received - conn->tasks.returned;
	admission->own_bytes = conn->bytes.received - conn->bytes.returned +
			       conn->account->command_bytes;
	admission->credit_tasks = wyn_credit_take(&conn->tasks, count);
	admission->credit_bytes = wyn_credit_take(&conn->bytes, bytes);
	admission->alone = atomic_load_explicit(&shared->connections,
				   memory_order_relaxed) == 1;
	admission->uploads = conn->uploads_count;
}

static void uploads_begin(struct intake *in)
{
	const struct wyn_submit *submit = in->submit;

	for (size_t i = 0; i < submit->arg_sizes_count; i++) {
		upload_begin(in, submit->first_seq + i, submit->arg_sizes[i]);
	}
}

/* What is held once, for all of its tasks. */
static uint64_t shared_bytes(const struct intake *in)
{
	return in->submit->command == NULL
		       ? 0
		       : wyn_command_size(in->submit->command);
}

/* Asks for room for all of it and takes in what there is room for. */
static void tasks_take_in(struct intake *in, const struct wyn_held *claimed)
{
	struct wyn_engine *engine = in->conn->engine;
	struct wyn_held before = wyn_engine_claim(engine, claimed);

	in->admission.daemon_tasks = before.tasks;
	in->admission.daemon_bytes = before.bytes + shared_bytes(in);
	if (in->submit->arg_sizes_count > 0) {
		uploads_begin(in);
	} else if (wyn_admission_all(&in->admission, in->submit)) {
		accept_run(in, &in->submit->args, in->submit->first_seq);
	} else {
		accept_some(in);
	}
	wyn_engine_hold(engine, claimed, &in->held);
}

/* Never more than credit was granted for: what is over it is refused anyway,
 * and nobody else is to be refused for it meanwhile. */
static struct wyn_held claim_of(
	const struct intake *in, uint64_t count, uint64_t bytes)
{
	const struct wyn_admission *admission = &in->admission;

	if (in->submit->arg_sizes_count == 0 &&
		has_room(batch_before(in, in->submit->first_seq),
			&in->submit->args)) {
		return (struct wyn_held){.tasks = count};
	}
	if (in->submit->arg_sizes_count == 0) {
		bytes = in->submit->args.region.len;
	} else if (bytes > admission->credit_bytes) {
		bytes = admission->credit_bytes;
	}
	return (struct wyn_held){
		.tasks = count < admission->credit_tasks
				 ? count
				 : admission->credit_tasks,
		.bytes = wyn_batch_bytes(bytes) + shared_bytes(in),
	};
}

static void take_in(struct intake *in, uint64_t count, uint64_t bytes)
{
	struct wyn_answer answer;

	intake_begin(in, count, bytes);
	if (wyn_admission_whole(&in->admission, in->submit, &answer) ||
		(in->submit->command != NULL &&
			wyn_conn_command_refused(in->conn, in->submit, &in->uid,
				&in->gid, &answer))) {
		refuse_whole(in, &answer, count, bytes);
	} else {
		const struct wyn_held claimed = claim_of(in, count, bytes);

		tasks_take_in(in, &claimed);
	}
}

void wyn_conn_submit(struct wyn_conn *conn, const struct wyn_submit *submit)
{
	uint64_t count = submit->args.count + submit->arg_sizes_count;
	struct intake in;
	uint64_t bytes;

	if (submit->first_seq < conn->next_seq) {
		wyn_conn_fail(conn, WYN_STATUS_INVALID_ARGUMENT,
			"SEQ_NOT_INCREASING",
			"first_seq is not above every seq before it");
		return;
	}
	if (!bytes_claimed(submit, &conn->bytes, &bytes)) {
		wyn_conn_fail(conn, WYN_STATUS_INVALID_ARGUMENT,
			"CREDIT_INVALID",
			"arg_sizes add up to more than 64 bits");
		return;
	}
	conn->next_seq = submit->first_seq + count;
	conn->unanswered += count;
	WYN_STATS_ADD(&conn->engine->stats, submits, 1);
	in.conn = conn;
	in.submit = submit;
	take_in(&in, count, bytes);
}
