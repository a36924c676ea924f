// SPDX-License-Identifier: MIT
/*
 * test_link.c - packets and messages, good ones and others; who may have a
 * link, and what closes it.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "spawner/loop.h"
#include "tests/support/bytes.h"
#include "tests/support/spawner_rig.h"

static const char *const true_argv[] = {"/bin/true", NULL};

static void closed(struct spawner_rig *rig)
{
	assert_null(spawner_rig_event(rig));
	assert_int_equal(spawner_rig_end(rig), 0);
}

static void ready_tells_the_version_and_that_there_are_no_cgroups(void **state)
{
	struct spawner_rig *rig = *state;
	const Wyn__Spawn__V1__Ready *ready = spawner_rig_configure(rig);

	assert_int_equal(ready->version, WYN_SPAWN_VERSION);
	assert_int_equal(ready->pid, rig->pid);
	assert_string_equal(ready->cgroup, "");
	assert_int_equal(ready->n_controllers, 0);
	assert_int_equal(ready->killed, 0);
	assert_string_equal(ready->problem, "");
}

static void ready_tells_our_version_when_it_is_not_the_one_asked_for(
	void **state)
{
	struct spawner_rig *rig = *state;

	rig->configure.version = WYN_SPAWN_VERSION + 1;
	assert_int_equal(
		spawner_rig_configure(rig)->version, WYN_SPAWN_VERSION);
	closed(rig);
}

static void ready_tells_the_problem_when_the_cgroup_cannot_be_had(void **state)
{
	struct spawner_rig *rig = *state;

	rig->configure.cgroup = (char *)"/no/such/cgroup";
	assert_non_null(strstr(spawner_rig_configure(rig)->problem,
		"cgroup: No such file or directory"));
	spawner_rig_start(rig, 1, &(struct spawner_command){.argv = true_argv});
	spawner_rig_exited(rig, 1, 0);
}

static void link_closes_when_a_start_comes_before_configure(void **state)
{
	spawner_rig_start(
		*state, 1, &(struct spawner_command){.argv = true_argv});
	closed(*state);
}

static void link_closes_when_a_packet_has_unknown_flags(void **state)
{
	(void)spawner_rig_configure(*state);
	spawner_rig_packet(*state, 0x02, BYTES_OF("x"), NULL, 0);
	closed(*state);
}

static void link_closes_when_a_message_is_no_message(void **state)
{
	(void)spawner_rig_configure(*state);
	spawner_rig_packet(*state, 0, BYTES_OF("\xff\xff\xff"), NULL, 0);
	closed(*state);
}

static void link_closes_when_a_message_is_empty(void **state)
{
	(void)spawner_rig_configure(*state);
	spawner_rig_packet(*state, 0, BYTES_OF(""), NULL, 0);
	closed(*state);
}

static void link_closes_when_a_message_of_several_packets_is_empty(void **state)
{
	(void)spawner_rig_configure(*state);
	spawner_rig_packet(
		*state, WYN_SPAWN_PACKET_MORE, BYTES_OF(""), NULL, 0);
	spawner_rig_packet(*state, 0, BYTES_OF(""), NULL, 0);
	closed(*state);
}

static void link_closes_when_a_packet_is_too_long(void **state)
{
	static uint8_t bytes[WYN_SPAWN_PACKET_BYTES_MAX];

	(void)spawner_rig_configure(*state);
	spawner_rig_packet(
		*state, 0, (struct wyn_slice){bytes, sizeof(bytes)}, NULL, 0);
	closed(*state);
}

static void link_closes_when_a_message_is_too_long(void **state)
{
	static uint8_t bytes[WYN_SPAWN_PACKET_BYTES_MAX - 1];
	struct spawner_rig *rig = *state;
	size_t sent = 0;

	(void)spawner_rig_configure(rig);
	while (sent + sizeof(bytes) <= WYN_SPAWN_MESSAGE_BYTES_MAX) {
		spawner_rig_packet(rig, WYN_SPAWN_PACKET_MORE,
			(struct wyn_slice){bytes, sizeof(bytes)}, NULL, 0);
		sent += sizeof(bytes);
	}
	spawner_rig_packet(
		rig, 0, (struct wyn_slice){bytes, sizeof(bytes)}, NULL, 0);
	closed(rig);
}

static void send_start(
	struct spawner_rig *rig, uint8_t flags, bool output, size_t fds)
{
	uint8_t program[] = "/bin/true";
	ProtobufCBinaryData argv = {sizeof(program) - 1, program};
	Wyn__V1__Command command = WYN__V1__COMMAND__INIT;
	Wyn__Spawn__V1__Start start = WYN__SPAWN__V1__START__INIT;
	Wyn__Spawn__V1__Request request = WYN__SPAWN__V1__REQUEST__INIT;
	uint8_t packed[64];
	uint8_t bytes[128];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int passed[] = {null, null, null, null, null};

	command.argv = &argv;
	command.n_argv = 1;
	start.id = 1;
	start.uid = getuid();
	start.gid = getgid();
	start.output = output;
	start.command.data = packed;
	start.command.len = wyn__v1__command__pack(&command, packed);
	request.what_case = WYN__SPAWN__V1__REQUEST__WHAT_START;
	request.start = &start;
	spawner_rig_packet(rig, flags,
		(struct wyn_slice){
			bytes, wyn_spawn_request_encode(&request, bytes)},
		passed, fds);
	close(null);
}

static void link_closes_when_a_descriptor_is_missing(void **state)
{
	(void)spawner_rig_configure(*state);
	send_start(*state, 0, true, 0);
	closed(*state);
}

static void link_closes_when_a_descriptor_is_too_many(void **state)
{
	(void)spawner_rig_configure(*state);
	send_start(*state, 0, true, 2);
	closed(*state);
}

static void link_closes_when_four_descriptors_come(void **state)
{
	(void)spawner_rig_configure(*state);
	send_start(*state, 0, true, 4);
	closed(*state);
}

static void link_closes_when_five_descriptors_come(void **state)
{
	(void)spawner_rig_configure(*state);
	send_start(*state, 0, true, 5);
	closed(*state);
}

static void link_closes_when_descriptors_come_with_a_later_packet(void **state)
{
	(void)spawner_rig_configure(*state);
	send_start(*state, WYN_SPAWN_PACKET_MORE, true, 0);
	spawner_rig_packet(*state, 0, BYTES_OF("x"), (int[]){0}, 1);
	closed(*state);
}

static void link_closes_when_an_id_is_used_twice(void **state)
{
	struct spawner_rig *rig = *state;
	int first;

	(void)spawner_rig_configure(rig);
	first = spawner_rig_shell(rig, 1, "sleep 1000");
	close(spawner_rig_shell(rig, 1, "exit 0"));
	closed(rig);
	(void)spawner_rig_read(first);
}

static void link_closes_when_a_running_command_is_reaped(void **state)
{
	struct spawner_rig *rig = *state;

	(void)spawner_rig_configure(rig);
	close(spawner_rig_shell(rig, 1, "sleep 1000"));
	spawner_rig_reap(rig, 1);
	closed(rig);
}

static void link_closes_when_a_signal_has_no_such_number(void **state)
{
	struct spawner_rig *rig = *state;

	(void)spawner_rig_configure(rig);
	spawner_rig_signal(rig, 1, 0);
	closed(rig);
}

static void message_is_whole_when_it_came_in_small_pieces(void **state)
{
	struct spawner_rig *rig = *state;
	uint8_t bytes[128];
	Wyn__Spawn__V1__Request request = WYN__SPAWN__V1__REQUEST__INIT;
	size_t n;

	request.what_case = WYN__SPAWN__V1__REQUEST__WHAT_CONFIGURE;
	request.configure = &rig->configure;
	n = wyn_spawn_request_encode(&request, bytes);
	for (size_t i = 0; i < n; i++) {
		spawner_rig_packet(rig, i + 1 < n ? WYN_SPAWN_PACKET_MORE : 0,
			(struct wyn_slice){bytes + i, 1}, NULL, 0);
	}
	assert_int_equal(spawner_rig_event(rig)->what_case,
		WYN__SPAWN__V1__EVENT__WHAT_READY);
}

static void events_wait_when_nobody_reads_them(void **state)
{
	struct spawner_rig *rig = *state;
	enum {
		N = 2000
	};
	int flags = fcntl(rig->link, F_GETFL);
	unsigned sent = 0;

	(void)spawner_rig_configure(rig);
	/* Until the spawner reads no more, and its socket is full. A program
	 * without a name is refused at once, in order. */
	assert_int_equal(fcntl(rig->link, F_SETFL, flags | O_NONBLOCK), 0);
	for (; sent < N; sent++) {
		static uint8_t packed[64];
		uint8_t bytes[256] = {0};
		Wyn__V1__Command command = WYN__V1__COMMAND__INIT;
		Wyn__Spawn__V1__Start start = WYN__SPAWN__V1__START__INIT;
		Wyn__Spawn__V1__Request request = WYN__SPAWN__V1__REQUEST__INIT;
		ProtobufCBinaryData program = {0, NULL};

		command.argv = &program;
		command.n_argv = 1;
		start.id = sent;
		start.uid = getuid();
		start.gid = getgid();
		start.command.data = packed;
		start.command.len = wyn__v1__command__pack(&command, packed);
		request.what_case = WYN__SPAWN__V1__REQUEST__WHAT_START;
		request.start = &start;
		if (send(rig->link, bytes,
			    1 + wyn_spawn_request_encode(&request, bytes + 1),
			    MSG_NOSIGNAL) < 0) {
			assert_int_equal(errno, EAGAIN);
			break;
		}
	}
	assert_int_equal(fcntl(rig->link, F_SETFL, flags), 0);
	for (unsigned i = 0; i < sent; i++) {
		spawner_rig_refused(rig, i,
			WYN__SPAWN__V1__STAGE__STAGE_PROGRAM, ENOENT, "");
	}
}

/* ---- a socket that listens ----------------------------------------------- */

static struct sockaddr_un address;

static pid_t listen_for(uid_t peer, unsigned faults)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	pid_t pid;

	address.sun_family = AF_UNIX;
	(void)snprintf(address.sun_path, sizeof(address.sun_path),
		"/tmp/test_link.%d", (int)getpid());
	unlink(address.sun_path);
	assert_int_equal(
		bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(chmod(address.sun_path, 0666), 0);
	assert_int_equal(listen(fd, 8), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		static struct wyn_loop loop;
		int error = wyn_loop_init(&loop);

		spawner_rig_arm_here(SPAWNER_FAULT_ACCEPT, faults, EMFILE);
		if (!error) {
			error = wyn_loop_listen(&loop, fd, peer);
		}
		if (!error) {
			error = wyn_loop_run(&loop);
		}
		wyn_loop_fini(&loop);
		exit(error ? 1 : 0);
	}
	close(fd);
	return pid;
}

static void connect_to(struct spawner_rig *rig)
{
	rig->link = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(rig->link, (struct sockaddr *)&address,
				 sizeof(address)),
		0);
	wyn__spawn__v1__configure__init(&rig->configure);
	rig->configure.version = WYN_SPAWN_VERSION;
	rig->configure.commands_max = 8;
	rig->configure.cgroup = (char *)"none";
}

static void ends_by_sigterm(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	unlink(address.sun_path);
}

static void links_are_apart_when_there_are_several(void **state)
{
	pid_t pid = listen_for(geteuid(), 0);
	struct spawner_rig first = {.pid = pid};
	struct spawner_rig second = {.pid = pid};
	int pipes[2];

	(void)state;
	connect_to(&first);
	connect_to(&second);
	(void)spawner_rig_configure(&first);
	(void)spawner_rig_configure(&second);
	pipes[0] = spawner_rig_shell(&first, 1, "echo; sleep 1000");
	pipes[1] = spawner_rig_shell(&second, 1,
		"echo; read x </dev/null; "
		"exec sleep 1000");
	spawner_rig_await(pipes[0]);
	spawner_rig_await(pipes[1]);
	close(first.link);
	(void)spawner_rig_read(pipes[0]);
	spawner_rig_stop(&second, 1, 0);
	assert_int_equal(spawner_rig_ended(&second, 1)->how,
		WYN__SPAWN__V1__HOW__HOW_SIGNALLED);
	(void)spawner_rig_read(pipes[1]);
	ends_by_sigterm(pid);
	close(second.link);
}

static void link_comes_later_when_it_cannot_be_accepted(void **state)
{
	pid_t pid = listen_for(geteuid(), 3);
	struct spawner_rig rig = {.pid = pid};

	(void)state;
	connect_to(&rig);
	assert_int_equal(spawner_rig_configure(&rig)->pid, pid);
	ends_by_sigterm(pid);
	close(rig.link);
}

/* They come with a packet of no bytes, too, which is how a link ends. */
static void descriptors_are_closed_when_they_come_with_nothing(void **state)
{
	pid_t pid = listen_for(geteuid(), 0);
	struct spawner_rig rig = {.pid = pid};
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.head = {.cmsg_len = CMSG_LEN(sizeof(int)),
			     .cmsg_level = SOL_SOCKET,
			     .cmsg_type = SCM_RIGHTS}};
	struct msghdr head = {
		.msg_control = &control, .msg_controllen = sizeof(control)};
	int sides[2];

	(void)state;
	connect_to(&rig);
	(void)spawner_rig_configure(&rig);
	assert_int_equal(pipe2(sides, O_CLOEXEC), 0);
	memcpy(CMSG_DATA(&control.head), &sides[1], sizeof(int));
	assert_int_equal(sendmsg(rig.link, &head, MSG_NOSIGNAL), 0);
	close(sides[1]);
	assert_null(spawner_rig_event(&rig));
	assert_string_equal(spawner_rig_read(sides[0]), "");
	ends_by_sigterm(pid);
}

static void everything_dies_when_the_service_manager_ends_it(void **state)
{
	pid_t pid = listen_for(geteuid(), 0);
	struct spawner_rig rig = {.pid = pid};
	int pipe;

	(void)state;
	connect_to(&rig);
	(void)spawner_rig_configure(&rig);
	pipe = spawner_rig_shell(
		&rig, 1, "trap '' TERM; echo; while :; do sleep 1000; done");
	spawner_rig_await(pipe);
	ends_by_sigterm(pid);
	(void)spawner_rig_read(pipe);
	close(rig.link);
}

static void link_is_refused_when_its_user_is_not_the_one(void **state)
{
	pid_t pid;
	pid_t stranger;
	int status;

	(void)state;
	if (geteuid() != 0) {
		skip();
	}
	pid = listen_for(1234, 0);
	stranger = fork();
	assert_true(stranger >= 0);
	if (stranger == 0) {
		struct spawner_rig rig = {.pid = pid};
		char byte;

		if (setuid(1235)) {
			_exit(2);
		}
		connect_to(&rig);
		_exit(recv(rig.link, &byte, 1, 0) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(stranger, &status, 0), stranger);
	assert_int_equal(status, 0);
	ends_by_sigterm(pid);
}

#define CASE(name)                       \
	cmocka_unit_test_setup_teardown( \
		name, spawner_rig_set_up, spawner_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(ready_tells_the_version_and_that_there_are_no_cgroups),
		CASE(ready_tells_our_version_when_it_is_not_the_one_asked_for),
		CASE(ready_tells_the_problem_when_the_cgroup_cannot_be_had),
		CASE(link_closes_when_a_start_comes_before_configure),
		CASE(link_closes_when_a_packet_has_unknown_flags),
		CASE(link_closes_when_a_message_is_no_message),
		CASE(link_closes_when_a_message_is_empty),
		CASE(link_closes_when_a_message_of_several_packets_is_empty),
		CASE(link_closes_when_a_packet_is_too_long),
		CASE(link_closes_when_a_message_is_too_long),
		CASE(link_closes_when_a_descriptor_is_missing),
		CASE(link_closes_when_a_descriptor_is_too_many),
		CASE(link_closes_when_four_descriptors_come),
		CASE(link_closes_when_five_descriptors_come),
		CASE(link_closes_when_descriptors_come_with_a_later_packet),
		CASE(link_closes_when_an_id_is_used_twice),
		CASE(link_closes_when_a_running_command_is_reaped),
		CASE(link_closes_when_a_signal_has_no_such_number),
		CASE(message_is_whole_when_it_came_in_small_pieces),
		CASE(events_wait_when_nobody_reads_them),
		cmocka_unit_test(links_are_apart_when_there_are_several),
		cmocka_unit_test(link_comes_later_when_it_cannot_be_accepted),
		cmocka_unit_test(
			descriptors_are_closed_when_they_come_with_nothing),
		cmocka_unit_test(
			everything_dies_when_the_service_manager_ends_it),
		cmocka_unit_test(link_is_refused_when_its_user_is_not_the_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
