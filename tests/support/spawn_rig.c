// SPDX-License-Identifier: MIT
/*
 * spawn_rig.c - see spawn_rig.h.
 */
#include "tests/support/spawn_rig.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/compiler.h"

#define ARENA_BYTES (8u << 20)
#define TURNS	    8

static void no_wake(struct wyn_stream *stream)
{
	(void)stream;
}

static void no_taken(struct wyn_input *input, size_t bytes)
{
	(void)input;
	(void)bytes;
}

static void listen_at(struct spawn_rig *rig)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(rig->directory, sizeof(rig->directory),
		"/tmp/wyn-spawn-XXXXXX");
	assert_non_null(mkdtemp(rig->directory));
	snprintf(rig->path, sizeof(rig->path), "%.40s/s", rig->directory);
	memcpy(address.sun_path, rig->path, strlen(rig->path));
	rig->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_true(rig->listener >= 0);
	assert_int_equal(bind(rig->listener, (const struct sockaddr *)&address,
				 sizeof(address)),
		0);
	assert_int_equal(listen(rig->listener, 16), 0);
}

void spawn_rig_init(struct spawn_rig *rig)
{
	*rig = (struct spawn_rig){.link = -1};
	signal(SIGPIPE, SIG_IGN);
	listen_at(rig);
	rig->arena_memory = malloc(ARENA_BYTES);
	rig->message = malloc(WYN_SPAWN_MESSAGE_BYTES_MAX);
	assert_non_null(rig->arena_memory);
	assert_non_null(rig->message);
	wyn_arena_init(&rig->arena, rig->arena_memory, ARENA_BYTES);
	assert_int_equal(uv_loop_init(&rig->uv), 0);
	assert_int_equal(wyn_stream_init(&rig->stream, no_wake), 0);
	rig->config = (struct wyn_command_config){
		.spawner = rig->path,
		.commands_max = 16,
		.drain_ms = SPAWN_RIG_HOUR_MS,
		.umask = 022,
		.cgroup = "none",
		.ledger = "",
	};
}

void spawn_rig_executor(struct spawn_rig *rig)
{
	assert_int_equal(
		wyn_spawn_executor_create(&rig->uv, &rig->executor), 0);
	rig->executor->ops->configure(rig->executor, &rig->config);
}

void spawn_rig_close(struct spawn_rig *rig)
{
	wyn_spawn_executor_close(rig->executor);
	spawn_rig_turn(rig);
}

void spawn_rig_fini(struct spawn_rig *rig)
{
	spawn_rig_close(rig);
	wyn_spawn_executor_destroy(rig->executor);
	spawn_rig_hang_up(rig);
	close(rig->listener);
	unlink(rig->path);
	rmdir(rig->directory);
	wyn_stream_fini(&rig->stream);
	assert_int_equal(uv_loop_close(&rig->uv), 0);
	free(rig->arena_memory);
	free(rig->message);
}

struct spawn_rig_task *spawn_rig_task(
	struct spawn_rig *rig, size_t bytes, struct wyn_slice argument)
{
	struct spawn_rig_task *task = calloc(1, sizeof(*task));
	struct wyn_command *command = calloc(1, sizeof(*command) + bytes);

	assert_non_null(task);
	assert_non_null(command);
	command->uid = 7;
	command->gid = 8;
	command->packed_bytes = bytes;
	for (size_t i = 0; i < bytes; i++) {
		command->packed[i] = (uint8_t)(i * 7 + i / 251);
	}
	task->batch.command = command;
	task->task.batch = &task->batch;
	task->task.element.argument = argument;
	task->task.stream = &rig->stream;
	task->task.partial_bytes_max = 64u << 10;
	task->task.partial_unsent_max = 256u << 10;
	task->task.owner = 1;
	task->task.grace_ms = 5;
	return task;
}

void spawn_rig_stream(struct spawn_rig_task *task)
{
	task->batch.command->input_stream = true;
	task->batch.input = &task->input;
	wyn_input_init(&task->input, no_taken);
}

void spawn_rig_task_free(struct spawn_rig_task *task)
{
	if (task->batch.input != NULL) {
		wyn_input_fini(&task->input);
	}
	wyn_outcome_clear(&task->task.outcome);
	free(task->batch.command);
	free(task->output);
	free(task->error);
	free(task);
}

void spawn_rig_start(struct spawn_rig *rig, struct spawn_rig_task *task)
{
	struct wyn_job *job = &task->task.job;

	assert_int_equal(rig->executor->ops->start(rig->executor, &job, 1), 0);
}

static struct spawn_rig_task *of(struct wyn_task *task)
{
	return WYN_CONTAINER_OF(task, struct spawn_rig_task, task);
}

static void append(
	uint8_t **data, size_t *bytes, const struct wyn_partial *partial)
{
	*data = realloc(*data, *bytes + partial->bytes + 1);
	assert_non_null(*data);
	memcpy(*data + *bytes, partial->data, partial->bytes);
	*bytes += partial->bytes;
}

static void take_output(struct spawn_rig *rig)
{
	struct wyn_partial *partial = wyn_stream_take(&rig->stream);

	while (partial != NULL) {
		struct wyn_partial *next = partial->next;
		struct spawn_rig_task *task = of(partial->task);

		assert_false(task->back && task->task.process != NULL);
		if (partial->stream == WYN__V1__STREAM__STREAM_OUTPUT) {
			append(&task->output, &task->output_bytes, partial);
		} else {
			append(&task->error, &task->error_bytes, partial);
		}
		task->partials++;
		wyn_stream_sent(&rig->stream, partial);
		rig->executor->ops->sent(rig->executor, &task->task);
		partial = next;
	}
}

static void take_done(struct spawn_rig *rig)
{
	struct wyn_job *job = rig->executor->ops->done(rig->executor);

	while (job != NULL) {
		struct wyn_job *next = job->next;
		struct spawn_rig_task *task =
			of(WYN_CONTAINER_OF(job, struct wyn_task, job));

		assert_false(task->back);
		assert_null(task->task.process);
		task->back = true;
		job = next;
	}
}

void spawn_rig_turn_slow(struct spawn_rig *rig)
{
	for (int i = 0; i < TURNS; i++) {
		uv_run(&rig->uv, UV_RUN_NOWAIT);
		take_done(rig);
	}
}

void spawn_rig_turn(struct spawn_rig *rig)
{
	for (int i = 0; i < TURNS; i++) {
		uv_run(&rig->uv, UV_RUN_NOWAIT);
		take_done(rig);
		take_output(rig);
	}
}

void spawn_rig_wait(struct spawn_rig *rig, struct spawn_rig_task *task)
{
	take_output(rig);
	while (!task->back) {
		uv_run(&rig->uv, UV_RUN_ONCE);
		take_done(rig);
		take_output(rig);
	}
}

void spawn_rig_accept(struct spawn_rig *rig)
{
	struct spawn_rig_request request;

	rig->link = accept4(rig->listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(rig->link >= 0);
	spawn_rig_receive(rig, &request);
	assert_int_equal(request.message->what_case,
		WYN__SPAWN__V1__REQUEST__WHAT_CONFIGURE);
	assert_int_equal(
		request.message->configure->version, WYN_SPAWN_VERSION);
}

void spawn_rig_ready(struct spawn_rig *rig)
{
	Wyn__Spawn__V1__Ready ready = WYN__SPAWN__V1__READY__INIT;
	Wyn__Spawn__V1__Event event = WYN__SPAWN__V1__EVENT__INIT;

	ready.version = WYN_SPAWN_VERSION;
	ready.pid = (uint32_t)getpid();
	event.what_case = WYN__SPAWN__V1__EVENT__WHAT_READY;
	event.ready = &ready;
	spawn_rig_send(rig, &event);
}

void spawn_rig_begin(struct spawn_rig *rig)
{
	struct pollfd asked = {.fd = rig->listener, .events = POLLIN};

	/* A link that broke is opened again by a timer. */
	spawn_rig_turn(rig);
	while (poll(&asked, 1, 0) == 0) {
		uv_run(&rig->uv, UV_RUN_ONCE);
	}
	spawn_rig_accept(rig);
	spawn_rig_ready(rig);
	spawn_rig_turn(rig);
}

void spawn_rig_hang_up(struct spawn_rig *rig)
{
	if (rig->link >= 0) {
		close(rig->link);
		rig->link = -1;
	}
}

static void take_fds(struct msghdr *head, struct spawn_rig_request *request)
{
	const struct cmsghdr *control = CMSG_FIRSTHDR(head);

	if (control == NULL) {
		return;
	}
	assert_int_equal(control->cmsg_type, SCM_RIGHTS);
	request->fds_count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	assert_true(request->fds_count <= WYN_SPAWN_FDS_MAX);
	memcpy(request->fds, CMSG_DATA(control),
		request->fds_count * sizeof(int));
}

/* Returns: whether the message goes on. */
static bool receive_packet(
	struct spawn_rig *rig, struct spawn_rig_request *request, size_t *bytes)
{
	_Alignas(struct cmsghdr)
		uint8_t control[CMSG_SPACE(sizeof(int) * WYN_SPAWN_FDS_MAX)];
	uint8_t flags;
	struct iovec parts[] = {
		{&flags, 1},
		{rig->message + *bytes, WYN_SPAWN_MESSAGE_BYTES_MAX - *bytes},
	};
	struct msghdr head = {
		.msg_iov = parts,
		.msg_iovlen = 2,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t got =
		recvmsg(rig->link, &head, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	assert_true(got > 0);
	assert_true(got <= (ssize_t)WYN_SPAWN_PACKET_BYTES_MAX);
	take_fds(&head, request);
	request->packets++;
	*bytes += (size_t)got - 1;
	return (flags & WYN_SPAWN_PACKET_MORE) != 0;
}

void spawn_rig_receive(
	struct spawn_rig *rig, struct spawn_rig_request *ret_request)
{
	size_t bytes = 0;

	*ret_request = (struct spawn_rig_request){.fds_count = 0};
	while (receive_packet(rig, ret_request, &bytes)) {
		uv_run(&rig->uv, UV_RUN_NOWAIT);
	}
	wyn_arena_reset(&rig->arena);
	assert_int_equal(wyn_spawn_request_decode(
				 (struct wyn_slice){rig->message, bytes},
				 &rig->arena, &ret_request->message),
		0);
}

bool spawn_rig_is_silent(struct spawn_rig *rig)
{
	uint8_t byte;

	return recv(rig->link, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0;
}

uint64_t spawn_rig_receive_start(
	struct spawn_rig *rig, int fds[WYN_SPAWN_FDS_MAX])
{
	struct spawn_rig_request request;
	const Wyn__Spawn__V1__Start *start;
	size_t at = 0;

	spawn_rig_receive(rig, &request);
	assert_int_equal(request.message->what_case,
		WYN__SPAWN__V1__REQUEST__WHAT_START);
	start = request.message->start;
	fds[0] = start->input ? request.fds[at++] : -1;
	fds[1] = start->output ? request.fds[at++] : -1;
	fds[2] = start->error ? request.fds[at++] : -1;
	assert_int_equal(at, request.fds_count);
	return start->id;
}

struct spawn_rig_task *spawn_rig_run(
	struct spawn_rig *rig, uint64_t *ret_id, int fds[WYN_SPAWN_FDS_MAX])
{
	struct spawn_rig_task *task = spawn_rig_task(rig, 100, SPAWN_RIG_NO);

	spawn_rig_start(rig, task);
	if (rig->link < 0) {
		spawn_rig_begin(rig);
	}
	*ret_id = spawn_rig_receive_start(rig, fds);
	return task;
}

void spawn_rig_close_outputs(const int fds[WYN_SPAWN_FDS_MAX])
{
	close(fds[1]);
	close(fds[2]);
}

void spawn_rig_end(struct spawn_rig *rig, struct spawn_rig_task *task,
	uint64_t id, const int fds[WYN_SPAWN_FDS_MAX])
{
	spawn_rig_close_outputs(fds);
	spawn_rig_exited(rig, id, 0, false);
	spawn_rig_turn(rig);
	assert_true(task->back);
}

void spawn_rig_send_packet(
	struct spawn_rig *rig, const void *packet, size_t bytes)
{
	assert_int_equal(send(rig->link, packet, bytes, MSG_NOSIGNAL), bytes);
}

void spawn_rig_send(struct spawn_rig *rig, const Wyn__Spawn__V1__Event *event)
{
	size_t bytes = wyn_spawn_event_bytes(event);
	uint8_t *packet = malloc(bytes + 1);

	assert_non_null(packet);
	packet[0] = 0;
	(void)wyn_spawn_event_encode(event, packet + 1);
	spawn_rig_send_packet(rig, packet, bytes + 1);
	free(packet);
}

void spawn_rig_ended(struct spawn_rig *rig, const Wyn__Spawn__V1__Ended *ended)
{
	Wyn__Spawn__V1__Ended copy = *ended;
	Wyn__Spawn__V1__Event event = WYN__SPAWN__V1__EVENT__INIT;

	event.what_case = WYN__SPAWN__V1__EVENT__WHAT_ENDED;
	event.ended = &copy;
	spawn_rig_send(rig, &event);
}

void spawn_rig_exited(
	struct spawn_rig *rig, uint64_t id, uint32_t status, bool left)
{
	Wyn__Spawn__V1__Ended ended = WYN__SPAWN__V1__ENDED__INIT;
	Wyn__V1__Usage usage = WYN__V1__USAGE__INIT;

	usage.wall_ns = 5;
	ended.id = id;
	ended.how = WYN__SPAWN__V1__HOW__HOW_EXITED;
	ended.status = status;
	ended.left = left;
	ended.usage = &usage;
	spawn_rig_ended(rig, &ended);
}
