// SPDX-License-Identifier: MIT
/*
 * test_program.c - the list of programs: what is on it runs, and nothing else,
 * by whatever name.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "spawner/program.h"
#include "tests/support/spawner_rig.h"

#define PROGRAM	 WYN__SPAWN__V1__STAGE__STAGE_PROGRAM
#define PROGRAMS WYN__SPAWN__V1__STAGE__STAGE_PROGRAMS

static char directory[64];
static char paths[4][256];

static const char *path_of(unsigned i, const char *name)
{
	(void)snprintf(paths[i], sizeof(paths[i]), "%s/%s", directory, name);
	return paths[i];
}

static void make_script(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0700);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void list(struct spawner_rig *rig, const char *first, const char *second)
{
	ProtobufCBinaryData programs[] = {
		{strlen(first), (uint8_t *)first},
		{second ? strlen(second) : 0, (uint8_t *)second},
	};

	rig->configure.programs = programs;
	rig->configure.n_programs = second ? 2 : 1;
	assert_string_equal(spawner_rig_configure(rig)->problem, "");
}

static int set_up(void **state)
{
	strcpy(directory, "/tmp/test_program.XXXXXX");
	assert_non_null(mkdtemp(directory));
	return spawner_rig_set_up(state);
}

static int tear_down(void **state)
{
	char command[128];

	spawner_rig_tear_down(state);
	(void)snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

static void program_runs_when_it_is_listed_by_another_name(void **state)
{
	struct spawner_rig *rig = *state;
	const char *link = path_of(0, "link");

	assert_int_equal(symlink("/bin/echo", link), 0);
	list(rig, "/no/such/program", link);
	assert_string_equal(
		spawner_rig_output(rig,
			(struct spawner_command){
				.argv = (const char *const[]){"echo", "hello",
					NULL}}),
		"hello\n");
	assert_string_equal(spawner_rig_output(rig,
				    (struct spawner_command){
					    .argv = (const char *const[]){link,
						    "hello", NULL}}),
		"hello\n");
}

static void program_is_refused_when_it_is_not_listed(void **state)
{
	struct spawner_rig *rig = *state;
	const char *const refused[] = {"/bin/true", "true", "/no/such",
		"no-such", "/tmp", "/bin/../bin/true"};

	list(rig, "/bin/echo", NULL);
	for (size_t i = 0; i < WYN_COUNT_OF(refused); i++) {
		const char *const argv[] = {refused[i], NULL};

		spawner_rig_start(
			rig, 1, &(struct spawner_command){.argv = argv});
		spawner_rig_refused(rig, 1, PROGRAMS, EACCES, refused[i]);
	}
}

static void program_that_is_not_listed_hides_none_that_is(void **state)
{
	struct spawner_rig *rig = *state;
	char search[128];
	const char *const env[] = {search, NULL};
	const char *const argv[] = {"echo", "the real one", NULL};

	make_script(path_of(0, "echo"), "#!/bin/sh\necho another\n");
	(void)snprintf(search, sizeof(search), "PATH=%s:/bin", directory);
	list(rig, "/bin/echo", NULL);
	assert_string_equal(
		spawner_rig_output(rig,
			(struct spawner_command){.argv = argv, .env = env}),
		"the real one\n");
}

static void program_runs_when_it_was_replaced_by_a_new_version(void **state)
{
	struct spawner_rig *rig = *state;
	const char *path = path_of(0, "prog");
	const char *next = path_of(1, "next");
	const char *const argv[] = {path, NULL};

	make_script(path, "#!/bin/sh\necho old\n");
	list(rig, path, NULL);
	assert_string_equal(
		spawner_rig_output(rig, (struct spawner_command){.argv = argv}),
		"old\n");
	make_script(next, "#!/bin/sh\necho new\n");
	assert_int_equal(rename(next, path), 0);
	assert_string_equal(
		spawner_rig_output(rig, (struct spawner_command){.argv = argv}),
		"new\n");
	assert_int_equal(unlink(path), 0);
	spawner_rig_start(rig, 1, &(struct spawner_command){.argv = argv});
	spawner_rig_refused(rig, 1, PROGRAMS, EACCES, path);
}

static void script_runs_in_its_directory_when_it_is_listed(void **state)
{
	struct spawner_rig *rig = *state;
	const char *path = path_of(0, "script");
	const char *const argv[] = {"./script", "a", "b", NULL};

	make_script(path, "#!/bin/sh\npwd; echo $# $1 $2\n");
	list(rig, path, "/bin/sh");
	(void)snprintf(paths[1], sizeof(paths[1]), "%s\n2 a b\n", directory);
	assert_string_equal(spawner_rig_output(rig,
				    (struct spawner_command){
					    .argv = argv,
					    .cwd = directory,
				    }),
		paths[1]);
	assert_string_equal(
		spawner_rig_output(rig,
			(struct spawner_command){
				.argv = (const char *const[]){"/bin/sh", "-c",
					"ls /proc/self/fd", NULL}}),
		"0\n1\n2\n3\n");
}

static void listed_script_names_its_interpreter_when_that_is_missing(
	void **state)
{
	struct spawner_rig *rig = *state;
	const char *path = path_of(0, "script");
	const char *const argv[] = {path, NULL};

	make_script(path, "#!/no/such/interpreter\n");
	list(rig, path, NULL);
	spawner_rig_start(rig, 1, &(struct spawner_command){.argv = argv});
	spawner_rig_refused(rig, 1, WYN__SPAWN__V1__STAGE__STAGE_INTERPRETER,
		ENOENT, "/no/such/interpreter");
}

/* What is below a directory that he may not enter is no way to the list. */
static void program_is_refused_when_its_user_could_not_find_it(void **state)
{
	struct spawner_rig *rig = *state;
	const char *const names[] = {path_of(0, "in/../../../bin/true"),
		path_of(1, "no/../../../bin/true"), "/bin/true"};
	char search[128];
	const char *const env[] = {search, NULL};

	if (geteuid() != 0) {
		skip();
	}
	assert_int_equal(mkdir(path_of(2, "in"), 0700), 0);
	(void)snprintf(
		search, sizeof(search), "PATH=%s/in/../../../bin", directory);
	list(rig, "/bin/true", NULL);
	for (unsigned i = 0; i < WYN_COUNT_OF(names); i++) {
		const char *const argv[] = {names[i], NULL};

		spawner_rig_start(rig, 1,
			&(struct spawner_command){
				.argv = argv, .uid = 65534, .gid = 65534});
		if (i < 2) {
			spawner_rig_refused(rig, 1, PROGRAMS, EACCES, names[i]);
		} else {
			spawner_rig_exited(rig, 1, 0);
		}
	}
	spawner_rig_start(rig, 1,
		&(struct spawner_command){
			.argv = (const char *const[]){"true", NULL},
			.env = env,
			.uid = 65534,
			.gid = 65534});
	spawner_rig_refused(rig, 1, PROGRAMS, EACCES, "true");
}

/* Each of them is looked into while nobody else is served. */
static void program_is_refused_when_its_path_has_too_many_directories(
	void **state)
{
	struct spawner_rig *rig = *state;
	static char search[8 * WYN_PROGRAM_PATHS_MAX + 16];
	const char *const env[] = {search, NULL};
	const char *const argv[] = {"true", NULL};
	const struct spawner_command command = {.argv = argv, .env = env};
	size_t at = (size_t)snprintf(search, sizeof(search), "PATH=/bin");

	(void)spawner_rig_configure(rig);
	for (unsigned i = 1; i < WYN_PROGRAM_PATHS_MAX; i++) {
		at += (size_t)snprintf(
			search + at, sizeof(search) - at, ":/etc");
	}
	spawner_rig_start(rig, 1, &command);
	spawner_rig_exited(rig, 1, 0);
	(void)snprintf(search + at, sizeof(search) - at, ":/etc");
	spawner_rig_start(rig, 1, &command);
	spawner_rig_refused(rig, 1, PROGRAM, E2BIG, "true");
	list(rig, "/bin/true", NULL);
	spawner_rig_start(rig, 1, &command);
	spawner_rig_refused(rig, 1, PROGRAM, E2BIG, "true");
}

static void every_program_runs_again_when_the_list_was_taken_away(void **state)
{
	struct spawner_rig *rig = *state;
	const char *const argv[] = {"/bin/true", NULL};

	list(rig, "/bin/echo", NULL);
	rig->configure.n_programs = 0;
	assert_string_equal(spawner_rig_configure(rig)->problem, "");
	spawner_rig_start(rig, 1, &(struct spawner_command){.argv = argv});
	spawner_rig_exited(rig, 1, 0);
}

static void link_closes_when_a_listed_path_is_not_absolute(void **state)
{
	struct spawner_rig *rig = *state;
	ProtobufCBinaryData program = {4, (uint8_t *)"echo"};
	Wyn__Spawn__V1__Request request = WYN__SPAWN__V1__REQUEST__INIT;

	rig->configure.programs = &program;
	rig->configure.n_programs = 1;
	request.what_case = WYN__SPAWN__V1__REQUEST__WHAT_CONFIGURE;
	request.configure = &rig->configure;
	spawner_rig_send(rig, &request, NULL, 0);
	assert_null(spawner_rig_event(rig));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(program_runs_when_it_is_listed_by_another_name),
		CASE(program_is_refused_when_it_is_not_listed),
		CASE(program_that_is_not_listed_hides_none_that_is),
		CASE(program_runs_when_it_was_replaced_by_a_new_version),
		CASE(script_runs_in_its_directory_when_it_is_listed),
		CASE(listed_script_names_its_interpreter_when_that_is_missing),
		CASE(program_is_refused_when_its_user_could_not_find_it),
		CASE(program_is_refused_when_its_path_has_too_many_directories),
		CASE(every_program_runs_again_when_the_list_was_taken_away),
		CASE(link_closes_when_a_listed_path_is_not_absolute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
