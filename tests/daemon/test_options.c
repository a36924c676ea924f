// SPDX-License-Identifier: MIT
/*
 * test_options.c - what a command line becomes, and what a wrong one is told.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/options.h"

#define ARGUMENTS_MAX 64

/* Parses "wynd" and the words, which end with NULL. */
static int parse(struct wyn_options *ret, struct wyn_fault *fault,
	const char *const *words)
{
	const char *argv[ARGUMENTS_MAX] = {"wynd"};
	int argc = 1;

	for (; words[argc - 1]; argc++) {
		assert_true(argc + 1 < ARGUMENTS_MAX);
		argv[argc] = words[argc - 1];
	}
	return wyn_options_parse(argc, (char **)(uintptr_t)argv, ret, fault);
}

static struct wyn_fault parse_fault;

static void assert_refused(
	enum wyn_exit_code code, const char *line, const char *const *words)
{
	struct wyn_options never;

	assert_int_equal(parse(&never, &parse_fault, words), -EINVAL);
	assert_int_equal(parse_fault.exit_code, code);
	assert_string_equal(parse_fault.text, line);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

#define PARSE(options, ...) \
	assert_int_equal(parse(options, &parse_fault, WORDS(__VA_ARGS__)), 0)

#define REFUSED(code, line, ...) assert_refused(code, line, WORDS(__VA_ARGS__))

static void options_have_defaults_when_nothing_is_said(void **state)
{
	struct wyn_endpoint addresses[WYN_LISTEN_MAX];
	struct wyn_options options;

	(void)state;
	PARSE(&options, NULL);
	assert_int_equal(
		wyn_settings_addresses(&options.settings, false, addresses), 1);
	assert_int_equal(addresses[0].kind, WYN_ENDPOINT_UNIX);
	assert_string_equal(addresses[0].path, "/run/wynd/wynd.sock");
	assert_int_equal(options.settings.workers, 0);
	assert_int_equal(options.settings.loops, 1);
	assert_int_equal(options.ready_fd, -1);
	assert_int_equal(options.settings.socket_mode, 0660);
	assert_int_equal(options.settings.limits.frame_bytes_max, 1 << 20);
	assert_int_equal(options.settings.limits.drain_ms, 30000);
	assert_string_equal(options.settings.modules, WYN_MODULES_DIR);
}

static void options_listen_nowhere_when_sockets_were_passed_alone(void **state)
{
	struct wyn_endpoint addresses[WYN_LISTEN_MAX];
	struct wyn_options options;

	(void)state;
	PARSE(&options, NULL);
	assert_int_equal(
		wyn_settings_addresses(&options.settings, true, addresses), 0);
	PARSE(&options, "--listen", "tcp:127.0.0.1:7000");
	assert_int_equal(
		wyn_settings_addresses(&options.settings, true, addresses), 1);
}

static void options_look_no_further_when_a_module_is_checked(void **state)
{
	struct wyn_options options;

	(void)state;
	PARSE(&options, NULL);
	assert_null(options.check_module);
	PARSE(&options, "--check-module", "m.so", "--no-such-flag");
	assert_string_equal(options.check_module, "m.so");
}

static void options_take_every_kind_of_flag(void **state)
{
	struct wyn_options options;

	(void)state;
	PARSE(&options, "--listen", "unix:/a", "--listen=tcp:[::1]:0",
		"--workers=3", "--loops", "2", "--modules", "/m", "--ready-fd",
		"5", "--allow-plaintext", "--socket-mode=600", "--socket-group",
		"g", "--log-level=debug", "--log-format=json", "--max-frame=2M",
		"--drain-timeout=1500ms", "--keepalive=7");
	assert_int_equal(options.settings.listen_count, 2);
	assert_int_equal(options.settings.listen[1].kind, WYN_ENDPOINT_TCP);
	assert_int_equal(options.settings.workers, 3);
	assert_int_equal(options.settings.loops, 2);
	assert_string_equal(options.settings.modules, "/m");
	assert_int_equal(options.ready_fd, 5);
	assert_true(options.settings.allow_plaintext);
	assert_int_equal(options.settings.socket_mode, 0600);
	assert_string_equal(options.settings.socket_group, "g");
	assert_int_equal(options.settings.log_level, WYN_LOG_DEBUG);
	assert_int_equal(options.settings.log_form, WYN_LOG_JSON);
	assert_int_equal(options.settings.limits.frame_bytes_max, 2 << 20);
	assert_int_equal(options.settings.limits.drain_ms, 1500);
	assert_int_equal(options.settings.limits.keepalive_ms, 7000);
}

static void options_take_the_last_when_a_flag_comes_twice(void **state)
{
	struct wyn_options options;

	(void)state;
	PARSE(&options, "--loops=2", "--loops=4");
	assert_int_equal(options.settings.loops, 4);
}

static void options_stop_at_help_when_more_follows(void **state)
{
	struct wyn_options options;

	(void)state;
	PARSE(&options, "--help", "--no-such-flag");
	assert_true(options.help);
	PARSE(&options, "--version", "--no-such-flag");
	assert_true(options.version);
}

static void options_name_the_nearest_when_a_flag_is_unknown(void **state)
{
	(void)state;
	REFUSED(WYN_EXIT_USAGE,
		"there is no flag --wokers; did you mean --workers?",
		"--wokers=2");
	REFUSED(WYN_EXIT_USAGE,
		"there is no flag --zzzzzzzzzzzz; wynd --help lists them",
		"--zzzzzzzzzzzz");
	REFUSED(WYN_EXIT_USAGE, "there is no flag -w; wynd --help lists them",
		"-w");
}

static void options_say_so_when_a_flag_is_cut_short(void **state)
{
	(void)state;
	REFUSED(WYN_EXIT_USAGE,
		"--max is the beginning of several flags; write it out",
		"--max=1");
}

static void options_name_the_range_when_a_value_is_outside(void **state)
{
	(void)state;
	REFUSED(WYN_EXIT_USAGE, "--loops 65: must be 1 to 64", "--loops=65");
	REFUSED(WYN_EXIT_USAGE, "--max-frame 1: must be 4K to 16M",
		"--max-frame", "1");
}

static void options_say_what_is_right_when_a_value_is_malformed(void **state)
{
	(void)state;
	REFUSED(WYN_EXIT_USAGE,
		"--socket-mode 999: must be octal permissions up to 0777, "
		"such as 0660",
		"--socket-mode=999");
	REFUSED(WYN_EXIT_USAGE,
		"--log-level loud: must be error, warning, info or debug",
		"--log-level=loud");
	REFUSED(WYN_EXIT_USAGE,
		"--log-format xml: must be auto, text, journal or json",
		"--log-format=xml");
	REFUSED(WYN_EXIT_USAGE,
		"--hello-timeout x: must be a duration such as 500ms, 30s, 5m "
		"or 2h",
		"--hello-timeout=x");
	REFUSED(WYN_EXIT_USAGE,
		"--ready-fd 2: the log is written there; choose another",
		"--ready-fd=2");
}

static void options_say_so_when_a_value_is_missing_or_too_much(void **state)
{
	(void)state;
	REFUSED(WYN_EXIT_USAGE, "--loops needs a value; wynd --help says which",
		"--loops");
	REFUSED(WYN_EXIT_USAGE, "--help takes no value; leave it out",
		"--help=yes");
	REFUSED(WYN_EXIT_USAGE,
		"start: wynd takes flags only; wynd --help lists them",
		"start");
}

static void options_refuse_an_address_when_it_is_none(void **state)
{
	(void)state;
	REFUSED(WYN_EXIT_USAGE,
		"--listen /s: write it as unix:PATH, tcp:HOST:PORT or "
		"tcp:[IPV6]:PORT",
		"--listen=/s");
}

static void options_refuse_a_path_when_it_is_too_long(void **state)
{
	char flag[160] = "--listen=unix:";
	struct wyn_options options;

	(void)state;
	memset(flag + strlen(flag), 'p', 108);
	assert_int_equal(parse(&options, &parse_fault,
				 (const char *const[]){flag, NULL}),
		-EINVAL);
	assert_int_equal(parse_fault.exit_code, WYN_EXIT_CONFIGURATION);
	assert_non_null(strstr(parse_fault.text, "unix:ppp"));
	assert_non_null(strstr(parse_fault.text, "at most 107 bytes"));
}

static void options_refuse_bounds_when_they_contradict_each_other(void **state)
{
	(void)state;
	REFUSED(WYN_EXIT_CONFIGURATION,
		"credit-bytes must be at least max-argument, or the "
		"largest argument could never be sent",
		"--credit-bytes=63M");
	REFUSED(WYN_EXIT_CONFIGURATION,
		"max-bytes must be at least twice max-value, or the "
		"largest value could never be held",
		"--max-bytes=127M", "--max-value=64M");
}

static void options_refuse_the_seventeenth_listener(void **state)
{
	const char *words[WYN_LISTEN_MAX + 2] = {NULL};
	struct wyn_options options;

	(void)state;
	for (size_t i = 0; i <= WYN_LISTEN_MAX; i++) {
		words[i] = "--listen=unix:/s";
	}
	assert_int_equal(parse(&options, &parse_fault, words), -EINVAL);
	assert_string_equal(parse_fault.text,
		"--listen unix:/s: is the address after the last: at most 16");
}

static void options_help_names_every_bound_with_its_range(void **state)
{
	char *text;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	(void)state;
	assert_non_null(out);
	wyn_options_help(out);
	fclose(out);
#define NAMED(field, flag, ...) assert_non_null(strstr(text, "--" flag " "));
	WYN_LIMIT_TABLE(NAMED)
	assert_non_null(strstr(
		text, "--max-frame BYTES (default 1M; 4K to 16M; restart)"));
	assert_non_null(strstr(text, "--drain-timeout TIME (default 30s;"));
	assert_non_null(strstr(text, "--workers COUNT (1 to 512; restart)"));
	assert_non_null(
		strstr(text, "--loops COUNT (default 1; 1 to 64; restart)"));
	assert_non_null(strstr(text, "--listen ADDR (reload)"));
	assert_non_null(strstr(text, "--allow-plaintext (reload)"));
	assert_non_null(strstr(text, "-h, --help\n"));
	free(text);
}

static void options_take_the_letters_of_help_and_version(void **state)
{
	struct wyn_options options;

	(void)state;
	PARSE(&options, "-h");
	assert_true(options.help);
	PARSE(&options, "--loops=2", "-V");
	assert_true(options.version);
	REFUSED(WYN_EXIT_USAGE, "there is no flag -x; wynd --help lists them",
		"-x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_have_defaults_when_nothing_is_said),
		cmocka_unit_test(
			options_listen_nowhere_when_sockets_were_passed_alone),
		cmocka_unit_test(
			options_look_no_further_when_a_module_is_checked),
		cmocka_unit_test(options_take_every_kind_of_flag),
		cmocka_unit_test(options_take_the_last_when_a_flag_comes_twice),
		cmocka_unit_test(options_stop_at_help_when_more_follows),
		cmocka_unit_test(
			options_name_the_nearest_when_a_flag_is_unknown),
		cmocka_unit_test(options_say_so_when_a_flag_is_cut_short),
		cmocka_unit_test(
			options_name_the_range_when_a_value_is_outside),
		cmocka_unit_test(
			options_say_what_is_right_when_a_value_is_malformed),
		cmocka_unit_test(
			options_say_so_when_a_value_is_missing_or_too_much),
		cmocka_unit_test(options_refuse_an_address_when_it_is_none),
		cmocka_unit_test(options_refuse_a_path_when_it_is_too_long),
		cmocka_unit_test(
			options_refuse_bounds_when_they_contradict_each_other),
		cmocka_unit_test(options_refuse_the_seventeenth_listener),
		cmocka_unit_test(options_take_the_letters_of_help_and_version),
		cmocka_unit_test(options_help_names_every_bound_with_its_range),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
