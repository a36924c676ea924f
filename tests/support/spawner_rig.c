// SPDX-License-Identifier: MIT
/*
 * spawner_rig.c - see spawner_rig.h.
 */
#include "tests/support/spawner_rig.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "spawner/loop.h"
#include "spawner/process.h"

#define WAIT_MS	      30000
#define TURNS_MAX     10000
#define STRINGS_MAX   70000
#define EVENT_BYTES   (64u << 10)
#define OUTPUT_BYTES  (1u << 20)
#define MESSAGE_BYTES (WYN_SPAWN_MESSAGE_BYTES_MAX + 4096u)

static void __attribute__((noreturn)) spawner_main(int fd)
{
	static struct wyn_loop loop;
	int error = wyn_loop_init(&loop);

	spawner_faults_install();
	if (!error) {
		error = wyn_loop_serve(&loop, fd);
	}
	if (!error) {
		error = wyn_loop_run(&loop);
	}
	wyn_loop_fini(&loop);
	exit(error ? 1 : 0);
}

void spawner_rig_arm_here(enum spawner_fault fault, unsigned n, int error)
{
	struct spawner_shared *shared = spawner_faults_share();

	spawner_faults_install();
	*shared = (struct spawner_shared){
		.fault = fault, .left = n, .error = error};
}

int spawner_rig_begin(enum spawner_fault fault, unsigned n, int error)
{
	int status = -1;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		static struct wyn_loop loop;
		struct spawner_shared *shared = spawner_faults_share();
		int failed;

		spawner_faults_install();
		*shared = (struct spawner_shared){.fault = fault,
			.skip = n - 1,
			.left = 1,
			.error = error};
		failed = wyn_loop_init(&loop);
		wyn_loop_fini(&loop);
		exit(-failed);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

int spawner_rig_set_up(void **state)
{
	struct spawner_rig *rig = calloc(1, sizeof(*rig));
	int sides[2];

	assert_non_null(rig);
	rig->shared = spawner_faults_share();
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sides),
		0);
	rig->link = sides[0];
	fflush(NULL);
	rig->pid = fork();
	assert_true(rig->pid >= 0);
	if (rig->pid == 0) {
		free(rig);
		close(sides[0]);
		spawner_main(sides[1]);
	}
	close(sides[1]);
	wyn__spawn__v1__configure__init(&rig->configure);
	rig->configure.version = WYN_SPAWN_VERSION;
	rig->configure.commands_max = 8;
	rig->configure.umask = 022;
	rig->configure.cgroup = (char *)"none";
	*state = rig;
	return 0;
}

int spawner_rig_set_up_ready(void **state)
{
	spawner_rig_set_up(state);
	assert_string_equal(spawner_rig_configure(*state)->problem, "");
	return 0;
}

int spawner_rig_end(struct spawner_rig *rig)
{
	int status = -1;

	if (rig->link >= 0) {
		close(rig->link);
		rig->link = -1;
	}
	assert_int_equal(waitpid(rig->pid, &status, 0), rig->pid);
	rig->pid = -1;
	return status;
}

int spawner_rig_tear_down(void **state)
{
	struct spawner_rig *rig = *state;
	int status = rig->pid > 0 ? spawner_rig_end(rig) : 0;

	munmap(rig->shared, sizeof(*rig->shared));
	free(rig);
	assert_int_equal(status, 0);
	return 0;
}

void spawner_rig_arm(struct spawner_rig *rig, enum spawner_fault fault,
	unsigned n, int error)
{
	*rig->shared = (struct spawner_shared){
		.fault = fault, .left = n, .error = error};
}

void spawner_rig_hold(struct spawner_rig *rig)
{
	rig->shared->held = 0;
	rig->shared->hold = true;
}

static bool is_stopped(int proc, pid_t pid)
{
	struct wyn_process process;

	assert_int_equal(wyn_process_read(proc, pid, &process), 0);
	return process.state == 'T';
}

pid_t spawner_rig_held(struct spawner_rig *rig)
{
	const struct timespec wait = {WAIT_MS / 1000, 0};
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t *held = &rig->shared->held;
	unsigned turns = 0;

	assert_true(proc >= 0);
	while (__atomic_load_n(held, __ATOMIC_ACQUIRE) == 0) {
		assert_true(
			syscall(SYS_futex, held, FUTEX_WAIT, 0, &wait) == 0 ||
			errno == EAGAIN);
	}
	while (!is_stopped(proc, *held)) {
		assert_true(turns++ < TURNS_MAX);
		sched_yield();
	}
	close(proc);
	return *held;
}

void spawner_rig_packet(struct spawner_rig *rig, uint8_t flags,
	struct wyn_slice bytes, const int *fds, size_t n)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} control = {0};
	struct iovec parts[] = {{&flags, 1}, {(void *)bytes.data, bytes.len}};
	struct msghdr head = {.msg_iov = parts, .msg_iovlen = 2};

	if (n > 0) {
		head.msg_control = &control;
		head.msg_controllen = CMSG_SPACE(n * sizeof(int));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(&control.head), fds, n * sizeof(int));
	}
	assert_int_equal(sendmsg(rig->link, &head, MSG_NOSIGNAL),
		(ssize_t)bytes.len + 1);
}

void spawner_rig_send(struct spawner_rig *rig,
	const Wyn__Spawn__V1__Request *request, const int *fds, size_t n)
{
	size_t left = wyn_spawn_request_bytes(request);
	uint8_t *bytes = malloc(left + 1);
	const uint8_t *at = bytes;

	assert_non_null(bytes);
	(void)wyn_spawn_request_encode(request, bytes);
	do {
		size_t most = WYN_SPAWN_PACKET_BYTES_MAX - 1;
		size_t piece = left < most ? left : most;

		left -= piece;
		spawner_rig_packet(rig, left > 0 ? WYN_SPAWN_PACKET_MORE : 0,
			(struct wyn_slice){at, piece}, fds, n);
		at += piece;
		n = 0;
	} while (left > 0);
	free(bytes);
}

const Wyn__Spawn__V1__Event *spawner_rig_event(struct spawner_rig *rig)
{
	static _Alignas(16) uint8_t memory[EVENT_BYTES];
	static uint8_t packet[WYN_SPAWN_PACKET_BYTES_MAX];
	struct pollfd wait = {.fd = rig->link, .events = POLLIN};
	const Wyn__Spawn__V1__Event *event;
	struct wyn_arena arena;
	ssize_t got;

	assert_int_equal(poll(&wait, 1, WAIT_MS), 1);
	got = recv(rig->link, packet, sizeof(packet), 0);
	if (got == 0 || (got < 0 && errno == ECONNRESET)) {
		return NULL;
	}
	assert_true(got > 1);
	assert_int_equal(packet[0], 0);
	wyn_arena_init(&arena, memory, sizeof(memory));
	assert_int_equal(wyn_spawn_event_decode((struct wyn_slice){packet + 1,
							(size_t)got - 1},
				 &arena, &event),
		0);
	return event;
}

const Wyn__Spawn__V1__Ready *spawner_rig_configure(struct spawner_rig *rig)
{
	Wyn__Spawn__V1__Request request = WYN__SPAWN__V1__REQUEST__INIT;
	const Wyn__Spawn__V1__Event *event;

	request.what_case = WYN__SPAWN__V1__REQUEST__WHAT_CONFIGURE;
	request.configure = &rig->configure;
	spawner_rig_send(rig, &request, NULL, 0);
	event = spawner_rig_event(rig);
	assert_non_null(event);
	assert_int_equal(event->what_case, WYN__SPAWN__V1__EVENT__WHAT_READY);
	return event->ready;
}

static size_t slices_of(
	const char *const *strings, ProtobufCBinaryData *ret_slices)
{
	size_t n = 0;

	for (; strings[n]; n++) {
		assert_true(n < STRINGS_MAX);
		ret_slices[n].data = (uint8_t *)strings[n];
		ret_slices[n].len = strlen(strings[n]);
	}
	return n;
}

void spawner_rig_start(struct spawner_rig *rig, uint64_t id,
	const struct spawner_command *command)
{
	static const char *const usual[] = {"PATH=/usr/bin:/bin", NULL};
	static ProtobufCBinaryData argv[STRINGS_MAX];
	static ProtobufCBinaryData env[STRINGS_MAX];
	static uint8_t packed[MESSAGE_BYTES];
	Wyn__V1__Command message = WYN__V1__COMMAND__INIT;
	Wyn__V1__CommandLimits limits = WYN__V1__COMMAND_LIMITS__INIT;
	Wyn__Spawn__V1__Request request = WYN__SPAWN__V1__REQUEST__INIT;
	Wyn__Spawn__V1__Start start = WYN__SPAWN__V1__START__INIT;
	int fds[3];
	size_t n = 0;

	message.argv = argv;
	message.n_argv = slices_of(command->argv, argv);
	message.env = env;
	message.n_env = slices_of(command->env ? command->env : usual, env);
	message.cwd.data = (uint8_t *)command->cwd;
	message.cwd.len = command->cwd ? strlen(command->cwd) : 0;
	limits.memory_bytes = command->memory_bytes;
	limits.processes = command->processes;
	limits.cpu_percent = command->cpu_percent;
	message.limits = &limits;
	assert_true(
		wyn__v1__command__get_packed_size(&message) <= sizeof(packed));
	start.command.len = wyn__v1__command__pack(&message, packed);
	start.command.data = packed;
	start.id = id;
	start.uid = command->uid ? command->uid : getuid();
	start.gid = command->gid ? command->gid : getgid();
	start.input = command->input > 0;
	start.output = command->output > 0;
	start.error = command->error > 0;
	if (start.input) {
		fds[n++] = command->input;
	}
	if (start.output) {
		fds[n++] = command->output;
	}
	if (start.error) {
		fds[n++] = command->error;
	}
	request.what_case = WYN__SPAWN__V1__REQUEST__WHAT_START;
	request.start = &start;
	spawner_rig_send(rig, &request, fds, n);
}

void spawner_rig_signal(struct spawner_rig *rig, uint64_t id, int number)
{
	Wyn__Spawn__V1__Request request = WYN__SPAWN__V1__REQUEST__INIT;
	Wyn__Spawn__V1__Signal message = WYN__SPAWN__V1__SIGNAL__INIT;

	message.id = id;
	message.number = (uint32_t)number;
	request.what_case = WYN__SPAWN__V1__REQUEST__WHAT_SIGNAL;
	request.signal = &message;
	spawner_rig_send(rig, &request, NULL, 0);
}

void spawner_rig_stop(struct spawner_rig *rig, uint64_t id, uint64_t grace_ms)
{
	Wyn__Spawn__V1__Request request = WYN__SPAWN__V1__REQUEST__INIT;
	Wyn__Spawn__V1__Stop message = WYN__SPAWN__V1__STOP__INIT;

	message.id = id;
	message.grace_ms = grace_ms;
	request.what_case = WYN__SPAWN__V1__REQUEST__WHAT_STOP;
	request.stop = &message;
	spawner_rig_send(rig, &request, NULL, 0);
}

void spawner_rig_reap(struct spawner_rig *rig, uint64_t id)
{
	Wyn__Spawn__V1__Request request = WYN__SPAWN__V1__REQUEST__INIT;
	Wyn__Spawn__V1__Reap message = WYN__SPAWN__V1__REAP__INIT;

	message.id = id;
	request.what_case = WYN__SPAWN__V1__REQUEST__WHAT_REAP;
	request.reap = &message;
	spawner_rig_send(rig, &request, NULL, 0);
}

int spawner_rig_shell(struct spawner_rig *rig, uint64_t id, const char *script)
{
	const char *const argv[] = {"/bin/sh", "-c", script, NULL};
	int sides[2];

	assert_int_equal(pipe2(sides, O_CLOEXEC), 0);
	spawner_rig_start(rig, id,
		&(struct spawner_command){.argv = argv, .output = sides[1]});
	close(sides[1]);
	return sides[0];
}

const Wyn__Spawn__V1__Ended *spawner_rig_ended(
	struct spawner_rig *rig, uint64_t id)
{
	const Wyn__Spawn__V1__Event *event = spawner_rig_event(rig);

	assert_non_null(event);
	assert_int_equal(event->what_case, WYN__SPAWN__V1__EVENT__WHAT_ENDED);
	assert_int_equal(event->ended->id, id);
	return event->ended;
}

void spawner_rig_exited(struct spawner_rig *rig, uint64_t id, unsigned status)
{
	const Wyn__Spawn__V1__Ended *ended = spawner_rig_ended(rig, id);

	assert_int_equal(ended->how, WYN__SPAWN__V1__HOW__HOW_EXITED);
	assert_int_equal(ended->status, status);
	assert_false(ended->left);
}

void spawner_rig_refused(struct spawner_rig *rig, uint64_t id, unsigned stage,
	int error, const char *where)
{
	const Wyn__Spawn__V1__Ended *ended = spawner_rig_ended(rig, id);

	assert_int_equal(ended->how, WYN__SPAWN__V1__HOW__HOW_NOT_STARTED);
	assert_int_equal(ended->stage, stage);
	assert_int_equal(ended->status, error);
	assert_int_equal(ended->where.len, strlen(where));
	assert_memory_equal(ended->where.data, where, strlen(where));
	assert_false(ended->left);
}

static size_t read_some(int fd, char *to, size_t room)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	ssize_t got;

	assert_int_equal(poll(&wait, 1, WAIT_MS), 1);
	got = read(fd, to, room);
	assert_true(got >= 0);
	return (size_t)got;
}

const char *spawner_rig_read(int fd)
{
	static char output[OUTPUT_BYTES];
	size_t n = 0;
	size_t got;

	do {
		assert_true(n < sizeof(output) - 1);
		got = read_some(fd, output + n, sizeof(output) - 1 - n);
		n += got;
	} while (got > 0);
	output[n] = '\0';
	close(fd);
	return output;
}

const char *spawner_rig_output(
	struct spawner_rig *rig, struct spawner_command command)
{
	int sides[2];
	const char *output;

	assert_int_equal(pipe2(sides, O_CLOEXEC), 0);
	command.output = sides[1];
	spawner_rig_start(rig, 1, &command);
	close(sides[1]);
	output = spawner_rig_read(sides[0]);
	spawner_rig_exited(rig, 1, 0);
	return output;
}

bool spawner_rig_may_mount(void)
{
	int status = -1;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		_exit(unshare(CLONE_NEWNS) ||
			mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status == 0;
}

void spawner_rig_await(int fd)
{
	char byte;

	assert_int_equal(read_some(fd, &byte, 1), 1);
}

unsigned spawner_rig_fds(const struct spawner_rig *rig)
{
	char path[64];
	unsigned n = 0;
	DIR *directory;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)rig->pid);
	directory = opendir(path);
	assert_non_null(directory);
	while (readdir(directory)) {
		n++;
	}
	closedir(directory);
	return n;
}

void spawner_rig_has_fds(struct spawner_rig *rig, unsigned fds)
{
	unsigned now = spawner_rig_fds(rig);

	for (int i = 0; i < TURNS_MAX && now != fds; i++) {
		(void)spawner_rig_configure(rig);
		now = spawner_rig_fds(rig);
	}
	assert_int_equal(now, fds);
}
