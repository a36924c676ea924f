// SPDX-License-Identifier: MIT
/*
 * test_spawn.c - messages between wynd and wynd-spawner.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/spawn.h"

static _Alignas(16) uint8_t memory[4096];
static struct wyn_arena arena;
static uint8_t packed[512];
static uint8_t command_bytes[256];

static int setup(void **state)
{
	(void)state;
	wyn_arena_init(&arena, memory, sizeof(memory));
	return 0;
}

static size_t start_encode(char *program)
{
	ProtobufCBinaryData argv[] = {
		{strlen(program), (uint8_t *)program},
	};
	Wyn__V1__Command command = WYN__V1__COMMAND__INIT;
	Wyn__Spawn__V1__Start start = WYN__SPAWN__V1__START__INIT;
	Wyn__Spawn__V1__Request request = WYN__SPAWN__V1__REQUEST__INIT;

	command.n_argv = 1;
	command.argv = argv;
	start.id = 7;
	start.command.len = wyn__v1__command__pack(&command, command_bytes);
	start.command.data = command_bytes;
	start.output = true;
	request.what_case = WYN__SPAWN__V1__REQUEST__WHAT_START;
	request.start = &start;
	assert_true(wyn_spawn_request_bytes(&request) <= sizeof(packed));
	return wyn_spawn_request_encode(&request, packed);
}

static void spawn_request_comes_out_when_encoded(void **state)
{
	char program[] = "/bin/true";
	size_t bytes = start_encode(program);
	const Wyn__Spawn__V1__Request *request;
	const Wyn__V1__Command *command;

	(void)state;
	assert_int_equal(
		wyn_spawn_request_decode(
			(struct wyn_slice){packed, bytes}, &arena, &request),
		0);
	assert_int_equal(
		request->what_case, WYN__SPAWN__V1__REQUEST__WHAT_START);
	assert_int_equal(request->start->id, 7);
	assert_true(request->start->output);
	assert_false(request->start->input);
	assert_int_equal(
		wyn_spawn_command_decode(
			(struct wyn_slice){request->start->command.data,
				request->start->command.len},
			&arena, &command),
		0);
	assert_int_equal(command->n_argv, 1);
	assert_memory_equal(command->argv[0].data, program, strlen(program));
}

static void spawn_request_is_refused_when_cut(void **state)
{
	char program[] = "/bin/true";
	size_t bytes = start_encode(program);
	const Wyn__Spawn__V1__Request *request;

	(void)state;
	for (size_t cut = 0; cut < bytes; cut++) {
		wyn_arena_reset(&arena);
		assert_int_equal(wyn_spawn_request_decode(
					 (struct wyn_slice){packed, cut},
					 &arena, &request),
			-EBADMSG);
	}
}

static void spawn_request_is_refused_when_the_arena_is_small(void **state)
{
	char program[] = "/bin/true";
	size_t bytes = start_encode(program);
	const Wyn__Spawn__V1__Request *request;

	(void)state;
	wyn_arena_init(&arena, memory, 64);
	assert_int_equal(
		wyn_spawn_request_decode(
			(struct wyn_slice){packed, bytes}, &arena, &request),
		-ENOBUFS);
}

static void spawn_start_comes_out_when_put_in_two_parts(void **state)
{
	Wyn__Spawn__V1__Start start = WYN__SPAWN__V1__START__INIT;
	const Wyn__Spawn__V1__Request *request;
	size_t head;

	(void)state;
	start.id = UINT64_MAX;
	start.uid = UINT32_MAX;
	start.gid = UINT32_MAX - 1;
	start.input = true;
	start.output = true;
	start.error = true;
	head = wyn_spawn_start_head(&start, 300, packed);
	assert_true(head <= WYN_SPAWN_START_HEAD_BYTES);
	memset(packed + head, 'c', 300);
	assert_int_equal(
		wyn_spawn_request_decode((struct wyn_slice){packed, head + 300},
			&arena, &request),
		0);
	assert_true(request->start->id == UINT64_MAX);
	assert_true(request->start->uid == UINT32_MAX);
	assert_true(request->start->gid == UINT32_MAX - 1);
	assert_true(request->start->input);
	assert_true(request->start->output);
	assert_true(request->start->error);
	assert_int_equal(request->start->command.len, 300);
	assert_memory_equal(request->start->command.data, packed + head, 300);
}

static void spawn_event_comes_out_when_encoded(void **state)
{
	Wyn__V1__Usage usage = WYN__V1__USAGE__INIT;
	Wyn__Spawn__V1__Ended ended = WYN__SPAWN__V1__ENDED__INIT;
	Wyn__Spawn__V1__Event event = WYN__SPAWN__V1__EVENT__INIT;
	const Wyn__Spawn__V1__Event *again;
	size_t bytes;

	(void)state;
	usage.wall_ns = 5;
	ended.id = 9;
	ended.how = WYN__SPAWN__V1__HOW__HOW_SIGNALLED;
	ended.status = 15;
	ended.usage = &usage;
	event.what_case = WYN__SPAWN__V1__EVENT__WHAT_ENDED;
	event.ended = &ended;
	bytes = wyn_spawn_event_encode(&event, packed);
	assert_int_equal(bytes, wyn_spawn_event_bytes(&event));
	assert_int_equal(
		wyn_spawn_event_decode(
			(struct wyn_slice){packed, bytes}, &arena, &again),
		0);
	assert_int_equal(again->ended->id, 9);
	assert_int_equal(again->ended->status, 15);
	assert_int_equal(again->ended->usage->wall_ns, 5);
}

static void spawn_event_is_refused_when_empty(void **state)
{
	const Wyn__Spawn__V1__Event *event;

	(void)state;
	assert_int_equal(wyn_spawn_event_decode(
				 (struct wyn_slice){packed, 0}, &arena, &event),
		-EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			spawn_request_comes_out_when_encoded, setup),
		cmocka_unit_test_setup(
			spawn_request_is_refused_when_cut, setup),
		cmocka_unit_test_setup(
			spawn_request_is_refused_when_the_arena_is_small,
			setup),
		cmocka_unit_test_setup(
			spawn_start_comes_out_when_put_in_two_parts, setup),
		cmocka_unit_test_setup(
			spawn_event_comes_out_when_encoded, setup),
		cmocka_unit_test_setup(
			spawn_event_is_refused_when_empty, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
