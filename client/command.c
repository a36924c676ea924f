// SPDX-License-Identifier: MIT
/*
 * command.c - commands in a session: their message, their input, signals.
 *
 * How much input is on its way is known by the credit that comes back, which
 * the server tells of soon. Where arguments of other tasks come back with it,
 * more may be on its way than the window; never more than the credit.
 */
#include "client/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "client/reason.h"
#include "proto/codec.h"

#define SIGNAL_MAX 64u
/* Of argv and env. A server may close over more; see docs/wire.md, 1.3. */
#define STRINGS_MAX 65000u

static size_t list_count(char *const *list)
{
	size_t count = 0;

	while (list != NULL && list[count] != NULL) {
		count++;
	}
	return count;
}

static void list_view(char *const *list, size_t count, ProtobufCBinaryData *out)
{
	for (size_t i = 0; i < count; i++) {
		out[i] = (ProtobufCBinaryData){
			.len = strlen(list[i]),
			.data = (uint8_t *)list[i],
		};
	}
}

/* Room for so many strings. Returns: NULL when there is no memory. */
static ProtobufCBinaryData *pack_room(struct wyn_packed *packed, size_t count)
{
	ProtobufCBinaryData *strings;

	if (count > packed->capacity) {
		strings = reallocarray(
			packed->strings, count, sizeof(*packed->strings));
		if (strings == NULL) {
			return NULL;
		}
		packed->strings = strings;
		packed->capacity = count;
	}
	return packed->strings;
}

static void pack_limits(
	struct wyn_packed *packed, const struct wyn_client_command *command)
{
	const Wyn__V1__CommandLimits none = WYN__V1__COMMAND_LIMITS__INIT;

	packed->message.limits = NULL;
	if ((command->memory_bytes | command->processes |
		    command->cpu_percent) != 0) {
		packed->limits = none;
		packed->limits.memory_bytes = command->memory_bytes;
		packed->limits.processes = command->processes;
		packed->limits.cpu_percent = command->cpu_percent;
		packed->message.limits = &packed->limits;
	}
}

int wyn_session_pack_command(
	struct wyn_session *session, const struct wyn_client_command *command)
{
	const Wyn__V1__Command empty = WYN__V1__COMMAND__INIT;
	struct wyn_packed *packed = &session->packed;
	Wyn__V1__Command *message = &packed->message;
	const char *run_as = command->run_as != NULL ? command->run_as : "";
	const char *cwd = command->cwd != NULL ? command->cwd : "";
	size_t argc = list_count(command->argv);
	size_t envc = list_count(command->env);

	/* Sent, a name that is not UTF-8 would cost the whole connection. */
	if (argc == 0 || !wyn_text_valid(wyn_slice_of(run_as))) {
		return wyn_session_fail(session, -EINVAL,
			WYN_STATUS_INVALID_ARGUMENT, WYN_REASON_COMMAND_INVALID,
			argc == 0 ? "a command has a program"
				  : "the name of a user is UTF-8");
	}
	if (argc + envc > STRINGS_MAX) {
		return wyn_session_fail(session, -E2BIG,
			WYN_STATUS_INVALID_ARGUMENT,
			WYN_REASON_COMMAND_TOO_LARGE,
			"the command has %zu arguments and variables, and may "
			"have %u",
			argc + envc, STRINGS_MAX);
	}
	if (pack_room(packed, argc + envc) == NULL) {
		return wyn_session_fail(session, -ENOMEM,
			WYN_STATUS_RESOURCE_EXHAUSTED,
			WYN_REASON_CLIENT_NO_MEMORY, "no memory for a command");
	}
	list_view(command->argv, argc, packed->strings);
	list_view(command->env, envc, packed->strings + argc);
	*message = empty;
	message->argv = packed->strings;
	message->n_argv = argc;
	message->env = packed->strings + argc;
	message->n_env = envc;
	message->cwd.data = (uint8_t *)wyn_message_text(cwd);
	message->cwd.len = strlen(cwd);
	message->run_as = wyn_message_text(run_as);
	message->input_stream = command->input_stream;
	message->merge_stderr = command->merge_stderr;
	pack_limits(packed, command);
	packed->bytes = wyn__v1__command__get_packed_size(message);
	return 0;
}

/* How much more input may be on its way. */
static uint64_t input_room(const struct wyn_session *session)
{
	uint64_t credit = session->bytes_granted - session->bytes_used;
	uint64_t window = WYN_CLIENT_INPUT_BYTES_MAX;
	uint64_t back = session->bytes_granted - session->bytes_window;
	uint64_t out =
		session->inputs.bytes > back ? session->inputs.bytes - back : 0;

	window = out < window ? window - out : 0;
	return credit < window ? credit : window;
}

static size_t input_piece(const struct wyn_session *session, size_t bytes)
{
	uint64_t most =
		session->server.frame_bytes_max - WYN_CHUNK_HEAD_BYTES_MAX;
	uint64_t room = input_room(session);

	most = most < WYN_UPLOAD_PIECE_BYTES ? most : WYN_UPLOAD_PIECE_BYTES;
	most = most < room ? most : room;
	return bytes < most ? bytes : (size_t)most;
}

/* One Chunk. Returns: 0, -ENOMEM. */
static int input_put(struct wyn_session *session,
	struct wyn_input_stream *input, const void *data, size_t size, bool eof)
{
	const struct wyn_chunk chunk = {
		.seq = input->seq,
		.stream = WYN__V1__STREAM__STREAM_INPUT,
		.offset = input->offset,
		.eof = eof,
		.data = {data, size},
	};
	uint8_t *room = wyn_outbox_reserve(
		&session->outbox, WYN_CHUNK_HEAD_BYTES_MAX + size);
	size_t head;

	if (room == NULL) {
		return wyn_session_fail(session, -ENOMEM,
			WYN_STATUS_RESOURCE_EXHAUSTED,
			WYN_REASON_CLIENT_NO_MEMORY, "no memory for input");
	}
	head = wyn_chunk_head_encode(&chunk, room);
	if (size > 0) {
		memcpy(room + head, data, size);
	}
	wyn_outbox_commit(&session->outbox, head + size);
	input->offset += size;
	session->inputs.bytes += size;
	session->bytes_used += size;
	return 0;
}

static void input_end(struct wyn_session *session, uint64_t seq)
{
	struct wyn_table_slot *slot = wyn_table_find(&session->table, seq);

	wyn_inputs_drop(&session->inputs, seq);
	if (slot != NULL) {
		slot->input = false;
	}
}

/* Why there is none of that seq. */
static int input_missing(struct wyn_session *session, uint64_t seq)
{
	if (session->state == WYN_SESSION_ENDED) {
		session->error = session->end;
		return session->end_error == -ENODATA ? -ESHUTDOWN
						      : session->end_error;
	}
	return wyn_session_fail(session, -ENOENT, WYN_STATUS_NOT_FOUND,
		WYN_REASON_NO_SUCH_TASK,
		"task %llu takes no input, or none any more",
		(unsigned long long)seq);
}

/* Whether Chunks may go now: the argument goes first, and before the Welcome
 * the limits are not known. */
static bool input_may_go(struct wyn_session *session, uint64_t seq)
{
	const struct wyn_table_slot *slot =
		wyn_table_find(&session->table, seq);

	return session->state == WYN_SESSION_OPEN &&
	       (slot == NULL || !slot->uploading) &&
	       !wyn_outbox_full(&session->outbox);
}

int wyn_session_input(struct wyn_session *session, uint64_t seq,
	struct wyn_bytes bytes, bool eof, size_t *ret_taken)
{
	struct wyn_input_stream *input = wyn_inputs_find(&session->inputs, seq);
	const uint8_t *data = bytes.data;
	size_t taken = 0;
	bool last = false;
	int err = 0;

	if (input == NULL) {
		return input_missing(session, seq);
	}
	while (err == 0 && !last && input_may_go(session, seq)) {
		size_t piece = input_piece(session, bytes.size - taken);

		last = eof && taken + piece == bytes.size;
		if (piece == 0 && !last) {
			break;
		}
		err = input_put(session, input, piece > 0 ? data + taken : NULL,
			piece, last);
		taken += err == 0 ? piece : 0;
	}
	if (last && err == 0) {
		input_end(session, seq);
	}
	if (taken > 0 || (err == 0 && bytes.size == 0 && (last || !eof))) {
		*ret_taken = taken;
		return 0;
	}
	return err != 0 ? err : -EAGAIN;
}

int wyn_session_signal(struct wyn_session *session, uint64_t first,
	uint64_t count, unsigned number)
{
	Wyn__V1__SeqRange range = WYN__V1__SEQ_RANGE__INIT;
	Wyn__V1__SeqRange *ranges[] = {&range};
	Wyn__V1__Signal signal = WYN__V1__SIGNAL__INIT;
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;

	if (session->state == WYN_SESSION_NEW) {
		return wyn_session_not_connected(session);
	}
	if (number == 0 || number > SIGNAL_MAX) {
		return wyn_session_fail(session, -EINVAL,
			WYN_STATUS_INVALID_ARGUMENT, WYN_REASON_COMMAND_INVALID,
			"a signal has a number from 1 to %u", SIGNAL_MAX);
	}
	range.first = first;
	range.count = count;
	signal.seqs = ranges;
	signal.n_seqs = 1;
	signal.number = number;
	frame.body_case = WYN__V1__FRAME__BODY_SIGNAL;
	frame.signal = &signal;
	return wyn_session_put(session, &frame);
}
