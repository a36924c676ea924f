// SPDX-License-Identifier: MIT
/*
 * test_config.c - files of settings, good ones and all kinds of bad ones.
 */
#include "daemon/config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/options.h"

#define PATH_BYTES 128u

static char directory[64];
static char main_path[PATH_BYTES];
static struct wyn_settings settings;
static struct wyn_fault fault;

static int begin(void **state)
{
	(void)state;
	(void)snprintf(directory, sizeof(directory), "/tmp/wynd-test-XXXXXX");
	if (mkdtemp(directory) == NULL) {
		return -1;
	}
	(void)snprintf(main_path, sizeof(main_path), "%s/wynd.conf", directory);
	wyn_settings_init(&settings);
	return 0;
}

static int end(void **state)
{
	char command[PATH_BYTES + 16];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

static void file_write(const char *path, const char *bytes, size_t n)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, n, file), n);
	assert_int_equal(fchmod(fileno(file), 0644), 0);
	assert_int_equal(fclose(file), 0);
}

static int file_read(const char *text)
{
	file_write(main_path, text, strlen(text));
	return wyn_config_read(main_path, false, &settings, &fault);
}

static void drop_in_write(const char *name, const char *text)
{
	char path[2 * PATH_BYTES];

	(void)snprintf(path, sizeof(path), "%s.d", main_path);
	(void)mkdir(path, 0755);
	(void)snprintf(path, sizeof(path), "%s.d/%s", main_path, name);
	file_write(path, text, strlen(text));
}

/* Refused in that line of the main file; and the next file is read well. */
static void refused(const char *text, unsigned line, const char *why)
{
	char begin_text[2 * PATH_BYTES];
	const char *found;

	assert_int_not_equal(file_read(text), 0);
	assert_int_equal(fault.exit_code, WYN_EXIT_CONFIGURATION);
	(void)snprintf(
		begin_text, sizeof(begin_text), "%s:%u: ", main_path, line);
	assert_memory_equal(fault.text, begin_text, strlen(begin_text));
	found = fault.text + strlen(begin_text);
	assert_memory_equal(found, why, strlen(why));
	assert_int_equal(file_read("max_tasks = 77\n"), 0);
	assert_int_equal(settings.limits.daemon_tasks_max, 77);
}

static void config_takes_every_kind_of_value(void **state)
{
	(void)state;
	assert_int_equal(file_read("# all of them\n"
				   "listen = {\"unix:/a b\", tcp:[::1]:7}\n"
				   "allow_plaintext = yes // really\n"
				   "socket_mode = 0600\n"
				   "modules = '/m'\n"
				   "/* two\n   lines */ workers = 3\n"
				   "log_level = debug\n"
				   "max_bytes = 2G\n"
				   "keepalive = 5m"),
		0);
	assert_int_equal(settings.listen_count, 2);
	assert_string_equal(settings.listen[0].path, "/a b");
	assert_int_equal(settings.listen[1].port, 7);
	assert_true(settings.allow_plaintext);
	assert_int_equal(settings.socket_mode, 0600);
	assert_string_equal(settings.modules, "/m");
	assert_int_equal(settings.workers, 3);
	assert_int_equal(settings.log_level, WYN_LOG_DEBUG);
	assert_int_equal(settings.limits.daemon_bytes_max, 2 * WYN_GIB);
	assert_int_equal(settings.limits.keepalive_ms, 300000);
}

static void config_takes_the_later_file_and_then_the_flag(void **state)
{
	char *argv[] = {"wynd", "--config", main_path, "--max-tasks=4", NULL};
	struct wyn_options options;

	(void)state;
	drop_in_write("20.conf", "max_bytes = 2G\nlisten = unix:/late\n");
	drop_in_write("10.conf", "max_bytes = 3G\nmax_uploads = 10\n");
	drop_in_write("30.conf~", "max_uploads = 99\n");
	drop_in_write(".40.conf", "max_uploads = 99\n");
	assert_int_equal(file_read("max_tasks = 1\nmax_uploads = 2\n"
				   "listen = {unix:/a, unix:/b}\n"),
		0);
	assert_int_equal(wyn_options_parse(4, argv, &options, &fault), 0);
	assert_int_equal(options.settings.limits.daemon_tasks_max, 4);
	assert_int_equal(options.settings.limits.daemon_bytes_max, 2 * WYN_GIB);
	assert_int_equal(options.settings.limits.uploads_max, 10);
	assert_int_equal(options.settings.listen_count, 1);
	assert_string_equal(options.settings.listen[0].path, "/late");
}

static void config_takes_what_the_environment_says(void **state)
{
	(void)state;
	assert_int_equal(setenv("WYND_TEST", "/e", 1), 0);
	assert_int_equal(file_read("modules = \"${WYND_TEST}/m\"\n"
				   "socket_group = '${X\"'\n"
				   "listen = \"unix:${WYND_TEST}\"\n"),
		0);
	assert_string_equal(settings.modules, "/e/m");
	assert_string_equal(settings.socket_group, "${X\"");
	assert_string_equal(settings.listen[0].path, "/e");
}

static void config_names_the_line_and_the_range(void **state)
{
	(void)state;
	refused("# a\n\n/* b\n */\nmax_tasks = 0\n", 5,
		"max_tasks = 0: must be 1 to 1073741824");
	refused("max_bytes = lots\n", 1, "max_bytes = lots: must be a ");
	refused("keepalive = 3\nlisten = {unix:/a,\n /b}\n", 3,
		"listen = /b: write it as unix:PATH");
	refused("allow_plaintext = perhaps\n", 1,
		"allow_plaintext = perhaps: must be yes or no");
	refused("modules = \"\"\n", 1, "modules = : must not be empty");
	refused("socket_group = "
		"a-group-whose-name-is-longer-than-any-may-be\n",
		1, "socket_group = ");
}

static void config_names_the_nearest_when_a_key_is_unknown(void **state)
{
	(void)state;
	refused("\nmax_taks = 3\n", 2,
		"there is no key max_taks; did you mean max_tasks?");
	refused("max-tasks = 3\n", 1,
		"there is no key max-tasks; did you mean max_tasks?");
	refused("ready_fd = 3\n", 1, "there is no key ready_fd; ");
	refused("include(\"/etc/passwd\")\n", 1, "there is no key include; ");
}

static void config_refuses_a_star_that_would_be_lost(void **state)
{
	(void)state;
	refused("\ncommand_env = {LC_*}\n", 2,
		"a value with * is written in quotes");
	refused("modules = /a/*b\n", 1, "a value with * is written in quotes");
	assert_int_equal(
		file_read("command_env = {'A*', \"B*\"} /* C* */\n"), 0);
	assert_string_equal(settings.command_env.words, "A*");
}

static void config_refuses_what_is_set_twice(void **state)
{
	(void)state;
	refused("max_tasks = 3\nmax_tasks = 3\n", 2,
		"max_tasks is set a second time in this file; keep one");
	refused("listen = {unix:/a, unix:/b}\nlisten = {unix:/a}\n", 2,
		"listen is set a second time in this file; keep one");
}

static void config_refuses_what_has_no_form(void **state)
{
	(void)state;
	refused("max_tasks 3\n", 1, "missing equal sign");
	refused("max_tasks = {3, 4}\n", 1, "unexpected token '{'");
	refused("max_tasks =\n", 2, "premature end of file");
	refused("}\n", 1, "unexpected closing brace");
	refused("max_tasks = 1\n/* begun\n", 2, "this comment has no end");
	refused("modules = \"/a\nmax_tasks = 1\n", 1,
		"a quoted text does not end on its line");
	refused("modules = 'a\\", 1, "a quoted text does not end");
	refused("modules = \"/a${X\"\nmax_tasks = 5\nsocket_group = \"b}\"\n",
		1, "a ${NAME} has no } behind its name");
	refused("\nmodules = ${X\nmax_tasks = 5\n}\n", 2,
		"a ${NAME} has no } behind its name");
	refused("modules = /a/*b\"\n", 1, "a value with * is written in");
}

static void config_refuses_bytes_that_are_no_text(void **state)
{
	static const char nul[] = "max_tasks = 1\n\0max_bytes = 1";
	static char large[WYN_CONFIG_BYTES_MAX + 2];

	(void)state;
	file_write(main_path, nul, sizeof(nul));
	assert_int_equal(
		wyn_config_read(main_path, false, &settings, &fault), -EINVAL);
	assert_non_null(strstr(fault.text, "wynd.conf:2: has a NUL byte"));
	memset(large, 'x', sizeof(large) - 1);
	assert_int_equal(file_read(large), -EFBIG);
	assert_non_null(strstr(fault.text, "is larger than 262144 bytes"));
	large[WYN_CONFIG_BYTES_MAX] = '\0';
	refused(large, 1, "there is no key xxxx");
}

static void config_refuses_what_is_no_file(void **state)
{
	(void)state;
	assert_int_equal(
		wyn_config_read(directory, false, &settings, &fault), -EINVAL);
	assert_non_null(strstr(fault.text, "is no regular file"));
	assert_int_equal(
		wyn_config_read(main_path, false, &settings, &fault), -ENOENT);
	assert_int_equal(fault.exit_code, WYN_EXIT_CONFIGURATION);
	assert_int_equal(
		wyn_config_read(main_path, true, &settings, &fault), 0);
	assert_int_equal(mkfifo(main_path, 0600), 0);
	assert_int_equal(
		wyn_config_read(main_path, true, &settings, &fault), -EINVAL);
}

static void config_refuses_too_many_files(void **state)
{
	char name[32];

	(void)state;
	for (unsigned i = 0; i <= WYN_CONFIG_FILES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "%u.conf", i);
		drop_in_write(name, "");
	}
	assert_int_equal(file_read(""), -E2BIG);
	assert_non_null(strstr(fault.text, "has 65 files, and may have 64"));
}

/* What --check-config prints says the same again when it is read. */
static void settings_are_a_file_when_they_are_printed(void **state)
{
	struct wyn_settings again;
	char *text;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	(void)state;
	assert_int_equal(file_read("listen = {\"unix:/a b\", \"tcp:h:7\"}\n"
				   "modules = \"/m\"\nmax_bytes = 3G\n"
				   "socket_mode = 640\nkeepalive = 90\n"
				   "allow_plaintext = on\nworkers = 7\n"),
		0);
	assert_non_null(out);
	wyn_settings_print(&settings, out);
	assert_int_equal(fclose(out), 0);
	again = settings;
	wyn_settings_init(&settings);
	assert_int_equal(file_read(text), 0);
	free(text);
	memset(again.places, 0, sizeof(again.places));
	memset(settings.places, 0, sizeof(settings.places));
	assert_memory_equal(&settings, &again, sizeof(settings));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(config_takes_every_kind_of_value),
		TEST(config_takes_the_later_file_and_then_the_flag),
		TEST(config_takes_what_the_environment_says),
		TEST(config_names_the_line_and_the_range),
		TEST(config_names_the_nearest_when_a_key_is_unknown),
		TEST(config_refuses_what_is_set_twice),
		TEST(config_refuses_a_star_that_would_be_lost),
		TEST(config_refuses_what_has_no_form),
		TEST(config_refuses_bytes_that_are_no_text),
		TEST(config_refuses_what_is_no_file),
		TEST(config_refuses_too_many_files),
		TEST(settings_are_a_file_when_they_are_printed),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
