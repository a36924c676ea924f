// SPDX-License-Identifier: MIT
/*
 * submit.c - tasks on their way out, within credit and limits.
 *
 * One call makes at most one Submit: as many tasks as credit, table, batch and
 * frame allow together. Nothing is taken from any of them before all have said
 * yes, so a refusal leaves no trace.
 */
#include "client/submit.h"

#include <errno.h>
#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "client/command.h"
#include "client/reason.h"
#include "proto/codec.h"

/* Frame and Submit around the arguments, at its largest, without the name or
 * the command. */
#define SUBMIT_HEAD_BYTES 164u
/* Tag and length before each argument. */
#define ARGUMENT_HEAD_BYTES 6u

/* Why nothing can be submitted in this state of the session. */
static int submit_closed(struct wyn_session *session)
{
	if (session->state == WYN_SESSION_NEW) {
		return session->announces ? -EAGAIN
					  : wyn_session_not_connected(session);
	}
	if (session->state == WYN_SESSION_ENDED) {
		session->error = session->end;
		return session->end_error == -ENODATA ? -ESHUTDOWN
						      : session->end_error;
	}
	if (session->finishing) {
		return wyn_session_fail(session, -ESHUTDOWN,
			WYN_STATUS_FAILED_PRECONDITION, WYN_REASON_FINISHED,
			"nothing can be submitted after finish");
	}
	return wyn_session_fail(session, -ESHUTDOWN,
		WYN_STATUS_FAILED_PRECONDITION, WYN_REASON_DRAINING,
		"the server is shutting down and takes no more tasks; "
		"try again when it is back");
}

/* A name that is not the last one. */
static int submit_name(struct wyn_session *session, const char *function)
{
	size_t bytes = function != NULL ? strlen(function) : 0;

	/* Sent, a name that is not UTF-8 would cost the whole connection. */
	if (bytes == 0 || bytes > WYN_CLIENT_FUNCTION_BYTES_MAX ||
		!wyn_text_valid(wyn_slice_of(function))) {
		return wyn_session_fail(session, -EINVAL,
			WYN_STATUS_INVALID_ARGUMENT, WYN_REASON_FUNCTION_NAME,
			"a function's name is UTF-8 of 1 to %u bytes",
			WYN_CLIENT_FUNCTION_BYTES_MAX);
	}
	memcpy(session->name, function, bytes + 1);
	session->name_bytes = bytes;
	return 0;
}

static int submit_label(struct wyn_session *session, const char *label)
{
	if (strlen(label) <= WYN_CLIENT_LABEL_BYTES_MAX &&
		wyn_text_valid(wyn_slice_of(label))) {
		return 0;
	}
	return wyn_session_fail(session, -EINVAL, WYN_STATUS_INVALID_ARGUMENT,
		WYN_REASON_OPTION_INVALID,
		"a label is UTF-8 of at most %u bytes",
		WYN_CLIENT_LABEL_BYTES_MAX);
}

/* Afterwards session->name is the function's. */
static int submit_check(struct wyn_session *session, const char *function,
	const struct wyn_client_options *options)
{
	int err = 0;

	if (WYN_UNLIKELY(session->state != WYN_SESSION_OPEN ||
			 session->finishing || session->going_away)) {
		return submit_closed(session);
	}
	if (WYN_UNLIKELY(options->label != NULL)) {
		err = submit_label(session, options->label);
	}
	if (WYN_UNLIKELY(err != 0)) {
		return err;
	}
	if (WYN_LIKELY(session->name_bytes > 0 && function != NULL &&
		       strcmp(session->name, function) == 0)) {
		return 0;
	}
	return submit_name(session, function);
}

static int submit_too_large(struct wyn_session *session, uint64_t size)
{
	uint64_t limit = session->server.argument_bytes_max;

	if (limit > session->bytes_window) {
		limit = session->bytes_window;
	}
	if (size <= limit) {
		return 0;
	}
	return wyn_session_fail(session, -E2BIG, WYN_STATUS_INVALID_ARGUMENT,
		WYN_REASON_ARGUMENT_TOO_LARGE,
		"the argument has %llu bytes, the server takes at most %llu",
		(unsigned long long)size, (unsigned long long)limit);
}

/* What stands before the arguments: a function's name, or session->packed. */
static size_t submit_head_bytes(const struct wyn_session *session, bool command)
{
	return SUBMIT_HEAD_BYTES +
	       (command ? session->packed.bytes : session->name_bytes);
}

/* How many tasks may go into one Submit. Quiet ones take no place. */
static size_t submit_run(struct wyn_session *session, size_t n, bool quiet)
{
	uint64_t credit = session->tasks_granted - session->tasks_used;

	if (n > WYN_SESSION_BATCH_MAX) {
		n = WYN_SESSION_BATCH_MAX;
	}
	if (n > session->server.batch_max) {
		n = (size_t)session->server.batch_max;
	}
	if (n > credit) {
		n = (size_t)credit;
	}
	return quiet ? n : wyn_table_run(&session->table, n);
}

/* Cuts the run to what frame and byte credit hold. Sets up session->args. */
static size_t submit_fit(struct wyn_session *session,
	const struct wyn_bytes *arguments, size_t n, uint64_t *ret_bytes)
{
	uint64_t credit = session->bytes_granted - session->bytes_used;
	uint64_t frame = session->server.frame_bytes_max - SUBMIT_HEAD_BYTES -
			 session->name_bytes;
	uint64_t used = 0;
	uint64_t bytes = 0;
	size_t fits = 0;

	for (; fits < n; fits++) {
		size_t size = arguments[fits].size;

		if (size + ARGUMENT_HEAD_BYTES > frame - used ||
			size > credit - bytes) {
			break;
		}
		used += size + ARGUMENT_HEAD_BYTES;
		bytes += size;
		session->args[fits] =
			(struct wyn_slice){arguments[fits].data, size};
	}
	*ret_bytes = bytes;
	return fits;
}

/* Field by field: copying it once more would wait for the bytes just written
 * to be read as words. */
static void submit_head(const struct wyn_session *session,
	const struct wyn_client_options *options, struct wyn_submit *submit)
{
	submit->first_seq = session->table.next_seq;
	submit->function.data = (const uint8_t *)session->name;
	submit->function.len = session->name_bytes;
	submit->options.timeout_ms = options->timeout_ms;
	submit->options.deadline_ms = options->deadline_ms;
	submit->options.priority = (uint8_t)options->priority;
	submit->options.on_disconnect =
		options->keep ? WYN__V1__ON_DISCONNECT__ON_DISCONNECT_KEEP : 0;
	submit->options.stream = options->stream;
	submit->options.accept = options->accept;
	submit->options.quiet = options->quiet;
	submit->options.label = (struct wyn_slice){NULL, 0};
	if (WYN_UNLIKELY(options->label != NULL)) {
		submit->options.label = wyn_slice_of(options->label);
	}
	submit->arg_sizes = NULL;
	submit->arg_sizes_count = 0;
	submit->command = NULL;
}

static int submit_no_memory(struct wyn_session *session)
{
	return wyn_session_fail(session, -ENOMEM, WYN_STATUS_RESOURCE_EXHAUSTED,
		WYN_REASON_CLIENT_NO_MEMORY, "no memory for a task");
}

/* Encodes what has been decided, and only then counts it. */
static int submit_commit(struct wyn_session *session,
	const struct wyn_submit *submit, size_t n, size_t tasks, uint64_t bytes,
	uint64_t tag)
{
	/* At most, so that its size is summed once, by the encoder. */
	uint8_t *room = wyn_outbox_reserve(&session->outbox,
		submit_head_bytes(session, submit->command != NULL) +
			(n > 0 ? n * ARGUMENT_HEAD_BYTES + bytes : 0));

	if (room == NULL) {
		return submit_no_memory(session);
	}
	wyn_outbox_commit(&session->outbox,
		wyn_submit_encode(submit, session->args, n, room));
	session->tasks_used += tasks;
	session->bytes_used += bytes;
	if (submit->options.quiet) {
		session->quiet += tasks;
		session->table.next_seq += tasks;
	} else {
		(void)wyn_table_claim(&session->table, tasks, tag);
	}
	return 0;
}

/* Why not even one task could be taken: for want of room, or of credit. */
static int submit_refuse(struct wyn_session *session)
{
	if (session->table.in_use == session->table.in_use_max) {
		return wyn_session_fail(session, -ENOBUFS,
			WYN_STATUS_RESOURCE_EXHAUSTED, WYN_REASON_IN_FLIGHT,
			"%u tasks are in flight, or their results not taken: "
			"take some first",
			session->table.in_use_max);
	}
	return -EAGAIN;
}

int wyn_session_submit(struct wyn_session *session, const char *function,
	const struct wyn_bytes *arguments, size_t n,
	const struct wyn_client_options *options, uint64_t *ret_first,
	size_t *ret_count)
{
	struct wyn_submit submit;
	uint64_t bytes;
	size_t run;
	int err = submit_check(session, function, options);

	if (err != 0) {
		return err;
	}
	wyn_assert(n > 0);
	err = submit_too_large(session, arguments[0].size);
	if (err != 0) {
		return err;
	}
	if (arguments[0].size + ARGUMENT_HEAD_BYTES + SUBMIT_HEAD_BYTES +
			session->name_bytes >
		session->server.frame_bytes_max) {
		return wyn_session_fail(session, -EMSGSIZE,
			WYN_STATUS_INVALID_ARGUMENT,
			WYN_REASON_ARGUMENT_TOO_LARGE,
			"the argument is larger than a frame: submit it as a "
			"source");
	}
	if (wyn_outbox_full(&session->outbox)) {
		return -EAGAIN;
	}
	run = submit_run(session, n, options->quiet);
	run = submit_fit(session, arguments, run, &bytes);
	if (run == 0) {
		return submit_refuse(session);
	}
	submit_head(session, options, &submit);
	err = submit_commit(session, &submit, run, run, bytes, options->tag);
	if (err == 0) {
		*ret_first = submit.first_seq;
		*ret_count = run;
	}
	return err;
}

/* One task whose argument follows in chunks. The head is ready but for that. */
static int submit_source(struct wyn_session *session, struct wyn_submit *submit,
	const struct wyn_client_source *source, uint64_t tag)
{
	struct wyn_table_slot *slot;
	bool empty = source->size == 0;
	int err;

	/* With the room there, nothing fails after the source is taken. */
	if (wyn_outbox_reserve(&session->outbox,
		    submit_head_bytes(session, submit->command != NULL) +
			    ARGUMENT_HEAD_BYTES) == NULL) {
		return submit_no_memory(session);
	}
	session->args[0] = (struct wyn_slice){NULL, 0};
	if (!empty) {
		submit->arg_sizes = &source->size;
		submit->arg_sizes_count = 1;
		err = wyn_uploads_add(
			&session->uploads, submit->first_seq, source);
		if (err != 0) {
			return submit_no_memory(session);
		}
	} else if (source->release != NULL) {
		source->release(source->context);
	}
	err = submit_commit(
		session, submit, empty ? 1 : 0, 1, source->size, tag);
	wyn_assert(err == 0);
	slot = wyn_table_find(&session->table, submit->first_seq);
	if (slot != NULL) {
		slot->uploading = !empty;
	}
	return 0;
}

/* Whether there is room for one task of so many bytes, and an upload. */
static int submit_one_fits(
	struct wyn_session *session, uint64_t size, bool uploads, bool quiet)
{
	if (wyn_outbox_full(&session->outbox) ||
		(uploads && session->uploads.count >= WYN_UPLOADS_MAX) ||
		size > session->bytes_granted - session->bytes_used) {
		return -EAGAIN;
	}
	return submit_run(session, 1, quiet) == 0 ? submit_refuse(session) : 0;
}

int wyn_session_submit_source(struct wyn_session *session, const char *function,
	const struct wyn_client_source *source,
	const struct wyn_client_options *options, uint64_t *ret_seq)
{
	struct wyn_submit submit;
	int err = submit_check(session, function, options);

	if (err == 0) {
		err = submit_too_large(session, source->size);
	}
	if (err == 0) {
		err = submit_one_fits(
			session, source->size, true, options->quiet);
	}
	if (err != 0) {
		return err;
	}
	submit_head(session, options, &submit);
	err = submit_source(session, &submit, source, options->tag);
	if (err == 0) {
		*ret_seq = submit.first_seq;
	}
	return err;
}

/*
 * Before the Welcome the first task goes without knowing limits and credit, as
 * no server grants less than a task and a frame of WYN_FRAME_BYTES_LEAST.
 */
static bool submit_is_early(const struct wyn_session *session,
	uint64_t input_bytes, const struct wyn_client_options *options)
{
	return session->state == WYN_SESSION_NEW && session->announces &&
	       session->tasks_used == 0 && session->table.in_use == 0 &&
	       !options->quiet && input_bytes == 0 &&
	       submit_head_bytes(session, true) + ARGUMENT_HEAD_BYTES <=
		       WYN_FRAME_BYTES_LEAST;
}

/* Whether session->packed can be submitted at all, in any room. */
static int submit_command_check(struct wyn_session *session,
	const struct wyn_client_options *options, uint64_t input_bytes)
{
	size_t frame = submit_head_bytes(session, true) + ARGUMENT_HEAD_BYTES;

	if (session->packed.message.input_stream && options->quiet) {
		return wyn_session_fail(session, -EINVAL,
			WYN_STATUS_INVALID_ARGUMENT, WYN_REASON_COMMAND_INVALID,
			"a quiet command takes no input beyond its argument");
	}
	if (options->label != NULL) {
		int err = submit_label(session, options->label);

		if (err != 0) {
			return err;
		}
	}
	if (submit_is_early(session, input_bytes, options)) {
		return 0;
	}
	if (session->state != WYN_SESSION_OPEN || session->finishing ||
		session->going_away) {
		return submit_closed(session);
	}
	if (frame > session->server.frame_bytes_max) {
		return wyn_session_fail(session, -E2BIG,
			WYN_STATUS_INVALID_ARGUMENT,
			WYN_REASON_COMMAND_TOO_LARGE,
			"the command's arguments and environment are larger "
			"than a frame of %llu bytes",
			(unsigned long long)session->server.frame_bytes_max);
	}
	return submit_too_large(session, input_bytes);
}

/* The task is in the outbox: its input may follow. */
static int submit_input(struct wyn_session *session, uint64_t seq)
{
	struct wyn_table_slot *slot = wyn_table_find(&session->table, seq);

	if (wyn_inputs_add(&session->inputs, seq) != 0) {
		return wyn_session_no_memory(session, "the input of a command");
	}
	slot->input = true;
	return 0;
}

int wyn_session_submit_command(struct wyn_session *session,
	const struct wyn_client_command *command, struct wyn_bytes input,
	const struct wyn_client_source *source,
	const struct wyn_client_options *options, uint64_t *ret_seq)
{
	struct wyn_submit submit;
	size_t frame;
	int err = wyn_session_pack_command(session, command);

	if (err == 0) {
		err = submit_command_check(session, options, input.size);
	}
	if (err == 0 && session->state != WYN_SESSION_NEW) {
		err = submit_one_fits(
			session, input.size, source != NULL, options->quiet);
	}
	if (err != 0) {
		return err;
	}
	frame = submit_head_bytes(session, true) + ARGUMENT_HEAD_BYTES;
	if (source == NULL &&
		input.size > session->server.frame_bytes_max - frame) {
		return -EMSGSIZE;
	}
	(void)wyn_table_run(&session->table, 1);
	submit_head(session, options, &submit);
	submit.function = (struct wyn_slice){NULL, 0};
	submit.command = &session->packed.message;
	if (source != NULL) {
		err = submit_source(session, &submit, source, options->tag);
	} else {
		session->args[0] = (struct wyn_slice){input.data, input.size};
		err = submit_commit(
			session, &submit, 1, 1, input.size, options->tag);
	}
	if (err == 0 && command->input_stream) {
		err = submit_input(session, submit.first_seq);
	}
	if (err == 0) {
		*ret_seq = submit.first_seq;
	}
	return err;
}
