// SPDX-License-Identifier: MIT
/*
 * spawn.c - see spawn.h.
 */
#include "proto/spawn.h"

#include <errno.h>

#include "base/assert.h"
#include "proto/field.h"
#include "proto/unpack.h"

/* Of spawn.proto; tests/proto/test_spawn.c decodes what is written by them. */
#define TAG_REQUEST_START WYN_TAG_BYTES(2)
#define TAG_START_ID	  WYN_TAG_VARINT(1)
#define TAG_START_COMMAND WYN_TAG_BYTES(2)
#define TAG_START_UID	  WYN_TAG_VARINT(3)
#define TAG_START_GID	  WYN_TAG_VARINT(4)
#define TAG_START_INPUT	  WYN_TAG_VARINT(5)
#define TAG_START_OUTPUT  WYN_TAG_VARINT(6)
#define TAG_START_ERROR	  WYN_TAG_VARINT(7)

int wyn_spawn_request_decode(struct wyn_slice bytes, struct wyn_arena *arena,
	const Wyn__Spawn__V1__Request **ret_request)
{
	ProtobufCMessage *message;
	const Wyn__Spawn__V1__Request *request;
	int err = wyn_unpack_any(
		&wyn__spawn__v1__request__descriptor, bytes, arena, &message);

	if (err) {
		return err;
	}
	request = (const Wyn__Spawn__V1__Request *)message;
	if (request->what_case == WYN__SPAWN__V1__REQUEST__WHAT__NOT_SET) {
		return -EBADMSG;
	}
	*ret_request = request;
	return 0;
}

int wyn_spawn_event_decode(struct wyn_slice bytes, struct wyn_arena *arena,
	const Wyn__Spawn__V1__Event **ret_event)
{
	ProtobufCMessage *message;
	const Wyn__Spawn__V1__Event *event;
	int err = wyn_unpack_any(
		&wyn__spawn__v1__event__descriptor, bytes, arena, &message);

	if (err) {
		return err;
	}
	event = (const Wyn__Spawn__V1__Event *)message;
	if (event->what_case == WYN__SPAWN__V1__EVENT__WHAT__NOT_SET) {
		return -EBADMSG;
	}
	*ret_event = event;
	return 0;
}

int wyn_spawn_command_decode(struct wyn_slice bytes, struct wyn_arena *arena,
	const Wyn__V1__Command **ret_command)
{
	ProtobufCMessage *message;
	int err = wyn_unpack_any(
		&wyn__v1__command__descriptor, bytes, arena, &message);

	if (err) {
		return err;
	}
	*ret_command = (const Wyn__V1__Command *)message;
	return 0;
}

size_t wyn_spawn_start_head(const Wyn__Spawn__V1__Start *start,
	size_t command_bytes, uint8_t out[WYN_SPAWN_START_HEAD_BYTES])
{
	uint8_t fields[WYN_SPAWN_START_HEAD_BYTES];
	uint8_t *at = fields;
	uint8_t *head;

	at = wyn_field_put_u64(at, TAG_START_ID, start->id);
	at = wyn_field_put_u64(at, TAG_START_UID, start->uid);
	at = wyn_field_put_u64(at, TAG_START_GID, start->gid);
	at = wyn_field_put_u64(at, TAG_START_INPUT, start->input ? 1 : 0);
	at = wyn_field_put_u64(at, TAG_START_OUTPUT, start->output ? 1 : 0);
	at = wyn_field_put_u64(at, TAG_START_ERROR, start->error ? 1 : 0);
	/* Last, so that its bytes come last. */
	at = wyn_field_put_len(at, TAG_START_COMMAND, command_bytes);
	head = wyn_field_put_len(
		out, TAG_REQUEST_START, (size_t)(at - fields) + command_bytes);
	memcpy(head, fields, (size_t)(at - fields));
	head += at - fields;
	wyn_assert(head - out <= (ptrdiff_t)WYN_SPAWN_START_HEAD_BYTES);
	return (size_t)(head - out);
}

size_t wyn_spawn_command_bytes(const Wyn__V1__Command *command)
{
	return wyn__v1__command__get_packed_size(command);
}

size_t wyn_spawn_command_encode(const Wyn__V1__Command *command, uint8_t *out)
{
	return wyn__v1__command__pack(command, out);
}

size_t wyn_spawn_request_bytes(const Wyn__Spawn__V1__Request *request)
{
	return wyn__spawn__v1__request__get_packed_size(request);
}

size_t wyn_spawn_request_encode(
	const Wyn__Spawn__V1__Request *request, uint8_t *out)
{
	return wyn__spawn__v1__request__pack(request, out);
}

size_t wyn_spawn_event_bytes(const Wyn__Spawn__V1__Event *event)
{
	return wyn__spawn__v1__event__get_packed_size(event);
}

size_t wyn_spawn_event_encode(const Wyn__Spawn__V1__Event *event, uint8_t *out)
{
	return wyn__spawn__v1__event__pack(event, out);
}
