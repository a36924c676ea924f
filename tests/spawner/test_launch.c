// SPDX-License-Identifier: MIT
/*
 * test_launch.c - what a command begins with, and why it does not begin.
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
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/spawner_rig.h"

#define NOBODY 65534u

static char directory[64];

static int set_up(void **state)
{
	struct spawner_rig *rig;

	/* As posix_spawn(3) of the libc starts it, whose own this one is. */
	const unsigned long ignored[4] = {(unsigned long)SIG_IGN};

	assert_int_equal(syscall(SYS_rt_sigaction, 32, ignored, NULL, 8), 0);
	strcpy(directory, "/tmp/test_launch.XXXXXX");
	assert_non_null(mkdtemp(directory));
	/* What other tests' commands inherit of us must not be seen here. */
	spawner_rig_set_up(state);
	rig = *state;
	rig->configure.umask = 027;
	assert_string_equal(spawner_rig_configure(rig)->problem, "");
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	spawner_rig_tear_down(state);
	(void)snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

static const char *in_directory(const char *name)
{
	static char path[2][256];
	static unsigned turn;
	char *at = path[turn++ % 2];

	(void)snprintf(at, sizeof(path[0]), "%s/%s", directory, name);
	return at;
}

static const char *make_file(const char *name, const char *text, mode_t mode)
{
	const char *path = in_directory(name);
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0700);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	return path;
}

static const char *output_of_shell(struct spawner_rig *rig, const char *script)
{
	const char *const argv[] = {"/bin/sh", "-c", script, NULL};

	return spawner_rig_output(rig, (struct spawner_command){.argv = argv});
}

static void refused(struct spawner_rig *rig, const char *const *argv,
	unsigned stage, int error, const char *where)
{
	spawner_rig_start(rig, 1, &(struct spawner_command){.argv = argv});
	spawner_rig_refused(rig, 1, stage, error, where);
}

#define PROGRAM	    WYN__SPAWN__V1__STAGE__STAGE_PROGRAM
#define INTERPRETER WYN__SPAWN__V1__STAGE__STAGE_INTERPRETER

static void launch_says_enoent_when_there_is_no_such_program(void **state)
{
	refused(*state, (const char *const[]){"no-such-program", NULL}, PROGRAM,
		ENOENT, "no-such-program");
	refused(*state, (const char *const[]){"/no/such/program", NULL},
		PROGRAM, ENOENT, "/no/such/program");
	refused(*state, (const char *const[]){"", NULL}, PROGRAM, ENOENT, "");
}

static void launch_says_eacces_when_it_is_not_executable(void **state)
{
	const char *path = make_file("plain", "#!/bin/sh\n", 0644);

	refused(*state, (const char *const[]){path, NULL}, PROGRAM, EACCES,
		path);
}

static void launch_says_eacces_when_it_is_a_directory(void **state)
{
	refused(*state, (const char *const[]){directory, NULL}, PROGRAM, EACCES,
		directory);
}

static void launch_says_enoexec_when_it_is_no_program(void **state)
{
	const char *path = make_file("text", "echo never\n", 0755);

	refused(*state, (const char *const[]){path, NULL}, PROGRAM, ENOEXEC,
		path);
}

static void launch_names_the_interpreter_when_that_is_missing(void **state)
{
	const char *path =
		make_file("of-none", "#! /no/such/interpreter -x\n", 0755);
	char search[128];
	const char *env[] = {search, NULL};
	const char *const argv[] = {"of-none", NULL};

	refused(*state, (const char *const[]){path, NULL}, INTERPRETER, ENOENT,
		"/no/such/interpreter");
	(void)snprintf(
		search, sizeof(search), "PATH=/bin:%s:/usr/bin", directory);
	spawner_rig_start(
		*state, 1, &(struct spawner_command){.argv = argv, .env = env});
	spawner_rig_refused(
		*state, 1, INTERPRETER, ENOENT, "/no/such/interpreter");
}

static void launch_names_the_interpreter_when_it_may_not_run(void **state)
{
	char text[128];
	const char *path = make_file("plain", "", 0644);

	(void)snprintf(text, sizeof(text), "#!%s\n", path);
	refused(*state,
		(const char *const[]){make_file("script", text, 0755), NULL},
		INTERPRETER, EACCES, path);
}

static void launch_searches_the_path_of_the_command_when_it_is_a_name(
	void **state)
{
	char search[256];
	const char *env[] = {"OTHER=1", search, "PATH=/bin", NULL};
	const char *const argv[] = {"prog", NULL};

	assert_int_equal(mkdir(in_directory("a"), 0755), 0);
	assert_int_equal(mkdir(in_directory("b"), 0755), 0);
	(void)make_file("a/prog", "#!/bin/sh\necho a\n", 0644);
	(void)make_file("b/prog", "#!/bin/sh\necho b\n", 0755);
	(void)snprintf(search, sizeof(search), "PATH=%s/none:%s/a:%s/b",
		directory, directory, directory);
	assert_string_equal(spawner_rig_output(*state,
				    (struct spawner_command){
					    .argv = argv,
					    .env = env,
				    }),
		"b\n");
	(void)snprintf(search, sizeof(search), "PATH=%s/none:%s/a", directory,
		directory);
	spawner_rig_start(
		*state, 1, &(struct spawner_command){.argv = argv, .env = env});
	spawner_rig_refused(*state, 1, PROGRAM, EACCES, in_directory("a/prog"));
}

static void launch_has_a_path_when_the_command_has_none(void **state)
{
	const char *const env[] = {"A=1", NULL};
	const char *const argv[] = {"sh", "-c", "echo $A", NULL};

	assert_string_equal(spawner_rig_output(*state,
				    (struct spawner_command){
					    .argv = argv,
					    .env = env,
				    }),
		"1\n");
}

static void launch_takes_relative_names_from_the_directory(void **state)
{
	const char *const argv[] = {"./prog", NULL};
	const char *const name[] = {"prog", NULL};
	const char *const env[] = {"PATH=/bin::/usr/bin", NULL};

	(void)make_file("prog", "#!/bin/sh\npwd\n", 0755);
	assert_non_null(strstr(spawner_rig_output(*state,
				       (struct spawner_command){
					       .argv = argv,
					       .cwd = directory,
				       }),
		directory));
	assert_non_null(strstr(spawner_rig_output(*state,
				       (struct spawner_command){
					       .argv = name,
					       .env = env,
					       .cwd = directory,
				       }),
		directory));
}

static void launch_names_the_directory_when_it_is_gone(void **state)
{
	const char *const argv[] = {"/bin/true", NULL};
	struct spawner_command command = {
		.argv = argv, .cwd = in_directory("gone")};

	spawner_rig_start(*state, 1, &command);
	spawner_rig_refused(*state, 1, WYN__SPAWN__V1__STAGE__STAGE_DIRECTORY,
		ENOENT, command.cwd);
	command.cwd = make_file("file", "", 0644);
	spawner_rig_start(*state, 1, &command);
	spawner_rig_refused(*state, 1, WYN__SPAWN__V1__STAGE__STAGE_DIRECTORY,
		ENOTDIR, command.cwd);
	command.cwd = "relative";
	spawner_rig_start(*state, 1, &command);
	spawner_rig_refused(*state, 1, WYN__SPAWN__V1__STAGE__STAGE_DIRECTORY,
		EINVAL, "relative");
}

static void launch_says_e2big_when_an_argument_is_too_long(void **state)
{
	size_t bytes = 200u << 10;
	char *argument = malloc(bytes + 1);
	const char *const argv[] = {"/bin/true", argument, NULL};

	assert_non_null(argument);
	memset(argument, 'a', bytes);
	argument[bytes] = '\0';
	refused(*state, argv, PROGRAM, E2BIG, "/bin/true");
	free(argument);
}

static void launch_says_e2big_when_there_are_too_many(void **state)
{
	enum {
		N = 30,
		BYTES = 120 << 10
	};
	char *argument = malloc(BYTES);
	const char *argv[N + 2] = {"/bin/true"};

	assert_non_null(argument);
	memset(argument, 'a', BYTES);
	argument[BYTES - 1] = '\0';
	for (int i = 1; i <= N; i++) {
		argv[i] = argument;
	}
	refused(*state, argv, PROGRAM, E2BIG, "/bin/true");
	free(argument);
}

static void command_gets_all_arguments_when_they_fill_many_packets(void **state)
{
	enum {
		N = 60000
	};
	static const char *argv[N + 5] = {"/bin/sh", "-c", "echo $#", "sh"};
	static char numbers[N][16];
	char want[16];

	for (int i = 0; i < N; i++) {
		(void)snprintf(numbers[i], sizeof(numbers[i]), "n%d", i);
		argv[i + 4] = numbers[i];
	}
	(void)snprintf(want, sizeof(want), "%d\n", N);
	assert_string_equal(spawner_rig_output(*state,
				    (struct spawner_command){.argv = argv}),
		want);
}

static void command_has_the_environment_that_it_was_given_and_a_mark(
	void **state)
{
	const char *const argv[] = {"/usr/bin/env", NULL};
	const char *const env[] = {
		"B=2", "WYND_TASK=forged", "A=", "B=3", NULL};
	const char *output =
		spawner_rig_output(*state, (struct spawner_command){
						   .argv = argv,
						   .env = env,
					   });

	assert_int_equal(strncmp(output, "WYND_TASK=", 10), 0);
	assert_string_equal(strchr(output, '\n'), "\nB=2\nA=\nB=3\n");
	assert_null(strstr(output, "forged"));
}

static void command_has_its_descriptors_alone_when_it_begins(void **state)
{
	/* ls has one more for the directory itself. */
	assert_string_equal(
		output_of_shell(*state, "ls /proc/self/fd"), "0\n1\n2\n3\n");
	assert_string_equal(output_of_shell(*state, "readlink /proc/self/fd/0"),
		"/dev/null\n");
}

static void command_has_its_errors_apart_when_it_is_given_where_to(void **state)
{
	struct spawner_rig *rig = *state;
	const char *const argv[] = {"/bin/sh", "-c",
		"read line; echo out $line; echo err >&2", NULL};
	int in[2];
	int out[2];
	int err[2];

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	spawner_rig_start(rig, 1,
		&(struct spawner_command){.argv = argv,
			.input = in[0],
			.output = out[1],
			.error = err[1]});
	close(in[0]);
	close(out[1]);
	close(err[1]);
	assert_int_equal(write(in[1], "in\n", 3), 3);
	assert_string_equal(spawner_rig_read(out[0]), "out in\n");
	assert_string_equal(spawner_rig_read(err[0]), "err\n");
	close(in[1]);
	spawner_rig_exited(rig, 1, 0);
	assert_string_equal(output_of_shell(rig, "echo err >&2"), "err\n");
}

static void command_has_no_signal_blocked_or_ignored_when_it_begins(
	void **state)
{
	assert_string_equal(
		output_of_shell(*state, "grep -E '^Sig(Blk|Ign)|^ShdPnd' "
					"/proc/self/status"),
		"ShdPnd:\t0000000000000000\n"
		"SigBlk:\t0000000000000000\n"
		"SigIgn:\t0000000000000000\n");
}

static void command_leads_a_session_when_it_begins(void **state)
{
	const char *output = output_of_shell(*state,
		"cut -d' ' -f1,5,6 /proc/$$/stat; umask; "
		"grep NoNewPrivs /proc/$$/status; pwd");
	int pid;
	int group;
	int session;
	char rest[100];

	assert_int_equal(sscanf(output, "%d %d %d\n%99[^$]", &pid, &group,
				 &session, rest),
		4);
	assert_int_equal(pid, group);
	assert_int_equal(pid, session);
	assert_string_equal(rest, "0027\nNoNewPrivs:\t1\n/\n");
}

static void command_is_limited_when_there_is_no_cgroup(void **state)
{
	const char *const argv[] = {"/bin/sh", "-c",
		"ulimit -v; ulimit -p 2>/dev/null || grep -o 'Max proc.*' "
		"/proc/$$/limits",
		NULL};
	const char *output =
		spawner_rig_output(*state, (struct spawner_command){
						   .argv = argv,
						   .memory_bytes = 1u << 30,
						   .processes = 5000,
					   });

	assert_int_equal(strncmp(output, "1048576\n", 8), 0);
	assert_non_null(strstr(output, "5000"));
}

static void launch_refuses_a_limit_when_nothing_can_keep_it(void **state)
{
	const char *const argv[] = {"/bin/true", NULL};

	spawner_rig_start(*state, 1,
		&(struct spawner_command){.argv = argv, .cpu_percent = 50});
	spawner_rig_refused(*state, 1, WYN__SPAWN__V1__STAGE__STAGE_LIMITS,
		EOPNOTSUPP, "cpu_percent");
}

static void command_begins_with_the_limits_of_configure(void **state)
{
	struct spawner_rig *rig = *state;
	Wyn__Spawn__V1__Rlimit core = WYN__SPAWN__V1__RLIMIT__INIT;
	Wyn__Spawn__V1__Rlimit files = WYN__SPAWN__V1__RLIMIT__INIT;
	Wyn__Spawn__V1__Rlimit *limits[] = {&core, &files};

	core.resource = RLIMIT_CPU;
	core.soft = 100;
	core.hard = 200;
	files.resource = RLIMIT_NOFILE;
	files.soft = 77;
	files.hard = 99;
	rig->configure.rlimits = limits;
	rig->configure.n_rlimits = 2;
	assert_string_equal(spawner_rig_configure(rig)->problem, "");
	assert_string_equal(
		output_of_shell(rig, "ulimit -St; ulimit -Ht; ulimit -Sn; "
				     "ulimit -Hn"),
		"100\n200\n77\n99\n");
}

static void command_may_not_have_more_than_is_configured(void **state)
{
	struct spawner_rig *rig = *state;
	Wyn__Spawn__V1__Rlimit memory = WYN__SPAWN__V1__RLIMIT__INIT;
	Wyn__Spawn__V1__Rlimit *limits[] = {&memory};
	const char *const argv[] = {
		"/bin/sh", "-c", "ulimit -Sv; ulimit -Hv", NULL};

	memory.resource = RLIMIT_AS;
	memory.soft = 1u << 30;
	memory.hard = 2u << 30;
	rig->configure.rlimits = limits;
	rig->configure.n_rlimits = 1;
	assert_string_equal(spawner_rig_configure(rig)->problem, "");
	assert_string_equal(spawner_rig_output(rig,
				    (struct spawner_command){
					    .argv = argv,
					    .memory_bytes = 4ull << 30,
				    }),
		"1048576\n2097152\n");
	assert_string_equal(spawner_rig_output(rig,
				    (struct spawner_command){
					    .argv = argv,
					    .memory_bytes = 1u << 29,
				    }),
		"524288\n524288\n");
}

static void command_has_our_limit_of_descriptors_when_none_is_set(void **state)
{
	struct rlimit ours;
	char want[32];

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &ours), 0);
	(void)snprintf(want, sizeof(want), "%llu\n",
		(unsigned long long)ours.rlim_cur);
	assert_string_equal(output_of_shell(*state, "ulimit -Sn"), want);
}

static void command_is_another_user_when_we_are_root(void **state)
{
	const char *const argv[] = {"/bin/sh", "-c",
		"grep -E '^(Uid|Gid|Groups|CapEff)' /proc/self/status", NULL};
	const char *output;

	if (geteuid() != 0) {
		skip();
	}
	output = spawner_rig_output(
		*state, (struct spawner_command){
				.argv = argv, .uid = NOBODY, .gid = NOBODY});
	assert_string_equal(output, "Uid:\t65534\t65534\t65534\t65534\n"
				    "Gid:\t65534\t65534\t65534\t65534\n"
				    "Groups:\t65534 \n"
				    "CapEff:\t0000000000000000\n");
}

static void launch_says_eacces_when_the_user_may_not_enter(void **state)
{
	const char *const argv[] = {"/bin/true", NULL};

	if (geteuid() != 0) {
		skip();
	}
	spawner_rig_start(*state, 1,
		&(struct spawner_command){.argv = argv,
			.cwd = directory,
			.uid = NOBODY,
			.gid = NOBODY});
	spawner_rig_refused(*state, 1, WYN__SPAWN__V1__STAGE__STAGE_DIRECTORY,
		EACCES, directory);
}

static void launch_tells_the_environments_fault_when_it_has_a_nul(void **state)
{
	struct spawner_rig *rig = *state;
	uint8_t nul[] = "A=1\0x";
	uint8_t program[] = "/bin/true";
	ProtobufCBinaryData env = {sizeof(nul) - 1, nul};
	ProtobufCBinaryData argv = {sizeof(program) - 1, program};
	Wyn__V1__Command command = WYN__V1__COMMAND__INIT;
	Wyn__Spawn__V1__Start start = WYN__SPAWN__V1__START__INIT;
	Wyn__Spawn__V1__Request request = WYN__SPAWN__V1__REQUEST__INIT;
	uint8_t packed[64];

	command.argv = &argv;
	command.n_argv = 1;
	command.env = &env;
	command.n_env = 1;
	start.id = 1;
	start.uid = getuid();
	start.gid = getgid();
	start.command.data = packed;
	start.command.len = wyn__v1__command__pack(&command, packed);
	request.what_case = WYN__SPAWN__V1__REQUEST__WHAT_START;
	request.start = &start;
	spawner_rig_send(rig, &request, NULL, 0);
	spawner_rig_refused(
		rig, 1, WYN__SPAWN__V1__STAGE__STAGE_PROCESS, EINVAL, "");
	start.command.len = 0;
	spawner_rig_send(rig, &request, NULL, 0);
	spawner_rig_refused(rig, 1, PROGRAM, EINVAL, "");
}

static void command_has_a_tmp_of_its_own_when_that_is_configured(void **state)
{
	struct spawner_rig *rig = *state;
	struct stat file;

	if (!spawner_rig_may_mount()) {
		skip();
	}
	rig->configure.private_tmp = true;
	assert_string_equal(spawner_rig_configure(rig)->problem, "");
	assert_string_equal(
		output_of_shell(rig, "ls -A /tmp; touch /tmp/test_launch.mine; "
				     "ls /tmp"),
		"test_launch.mine\n");
	assert_int_equal(stat("/tmp/test_launch.mine", &file), -1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(launch_says_enoent_when_there_is_no_such_program),
		CASE(launch_says_eacces_when_it_is_not_executable),
		CASE(launch_says_eacces_when_it_is_a_directory),
		CASE(launch_says_enoexec_when_it_is_no_program),
		CASE(launch_names_the_interpreter_when_that_is_missing),
		CASE(launch_names_the_interpreter_when_it_may_not_run),
		CASE(launch_searches_the_path_of_the_command_when_it_is_a_name),
		CASE(launch_has_a_path_when_the_command_has_none),
		CASE(launch_takes_relative_names_from_the_directory),
		CASE(launch_names_the_directory_when_it_is_gone),
		CASE(launch_says_e2big_when_an_argument_is_too_long),
		CASE(launch_says_e2big_when_there_are_too_many),
		CASE(command_gets_all_arguments_when_they_fill_many_packets),
		CASE(command_has_the_environment_that_it_was_given_and_a_mark),
		CASE(command_has_its_descriptors_alone_when_it_begins),
		CASE(command_has_its_errors_apart_when_it_is_given_where_to),
		CASE(command_has_no_signal_blocked_or_ignored_when_it_begins),
		CASE(command_leads_a_session_when_it_begins),
		CASE(command_is_limited_when_there_is_no_cgroup),
		CASE(launch_refuses_a_limit_when_nothing_can_keep_it),
		CASE(command_begins_with_the_limits_of_configure),
		CASE(command_may_not_have_more_than_is_configured),
		CASE(command_has_our_limit_of_descriptors_when_none_is_set),
		CASE(command_is_another_user_when_we_are_root),
		CASE(launch_says_eacces_when_the_user_may_not_enter),
		CASE(launch_tells_the_environments_fault_when_it_has_a_nul),
		CASE(command_has_a_tmp_of_its_own_when_that_is_configured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
