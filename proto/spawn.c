// SPDX-License-Identifier: MIT
/*
 * spawn.c - see spawn.h.
 */
#include "proto/spawn.h"

#include <errno.h>

#include "proto/unpack.h"

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
