// SPDX-License-Identifier: MIT
/*
 * test_bench_config.c - which options of bench go together.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "client/wynctl/bench_config.h"

#define WORDS_MAX 16

static struct wyn_bench_config config;
static char why[WYN_ARGUMENTS_WHY_BYTES];

static int configure(const char *line)
{
	static char words[256];
	static char *argv[WORDS_MAX + 1];
	struct wyn_arguments arguments;
	char *rest = words;
	char *word;
	int argc = 0;
	int err;

	(void)snprintf(words, sizeof(words), "wynctl bench %s", line);
	while ((word = strsep(&rest, " ")) != NULL) {
		assert_true(argc < WORDS_MAX);
		argv[argc++] = word;
	}
	argv[argc] = NULL;
	why[0] = '\0';
	err = wyn_arguments_parse(argc, argv, NULL, &arguments, why);
	return err != 0 ? err : wyn_bench_configure(&arguments, &config, why);
}

static void assert_refused(const char *line, const char *because)
{
	assert_int_equal(-EINVAL, configure(line));
	assert_string_equal(because, why);
}

static void config_is_a_closed_loop_when_nothing_is_said(void **state)
{
	(void)state;
	assert_int_equal(0, configure("echo"));
	assert_string_equal("echo", config.function);
	assert_false(config.open);
	assert_int_equal(4096, config.in_flight);
	assert_int_equal(1, config.connections);
	assert_int_equal(1, config.batch);
	assert_int_equal(16, config.size);
	assert_null(config.text);
	assert_int_equal(0, config.count);
	assert_int_equal(10 * WYN_NS_PER_S, config.duration_ns);
	assert_int_equal(WYN_NS_PER_S, config.warmup_ns);
}

static void config_takes_all_when_all_is_given(void **state)
{
	(void)state;
	assert_int_equal(
		0, configure("echo --connections 3 --batch 7 --size 64K "
			     "--duration 500ms --warmup 0 --in-flight 21"));
	assert_int_equal(3, config.connections);
	assert_int_equal(7, config.batch);
	assert_int_equal(65536, config.size);
	assert_int_equal(500 * WYN_NS_PER_MS, config.duration_ns);
	assert_int_equal(0, config.warmup_ns);
	assert_int_equal(21, config.in_flight);
}

static void config_is_an_open_loop_when_a_rate_is_given(void **state)
{
	(void)state;
	assert_int_equal(0, configure("echo --rate 1000 --connections 5000"));
	assert_true(config.open);
	assert_int_equal(1000, config.rate);
	assert_int_equal(0, config.in_flight);
}

static void config_has_no_warmup_when_a_count_is_given(void **state)
{
	(void)state;
	assert_int_equal(0, configure("echo -n 12"));
	assert_int_equal(12, config.count);
	assert_int_equal(0, config.duration_ns);
	assert_int_equal(0, config.warmup_ns);
	assert_int_equal(0, configure("echo -n 12 --warmup 2s"));
	assert_int_equal(2 * WYN_NS_PER_S, config.warmup_ns);
}

static void config_has_the_argument_when_one_is_given(void **state)
{
	(void)state;
	assert_int_equal(0, configure("sleep_ms 250"));
	assert_string_equal("250", config.text);
	assert_int_equal(3, config.size);
	assert_int_equal(0, configure("echo --size 0"));
	assert_null(config.text);
	assert_int_equal(0, config.size);
}

static void config_has_a_batch_for_each_when_connections_are_many(void **state)
{
	(void)state;
	assert_int_equal(0, configure("echo --connections 5000 --batch 2"));
	assert_int_equal(10000, config.in_flight);
}

static void config_is_refused_when_options_contradict(void **state)
{
	(void)state;
	assert_refused("echo --rate 5 --in-flight 6",
		"--rate makes an open loop, --in-flight bounds a closed one: "
		"give one of them");
	assert_refused("echo --rate 5 -j 6",
		"--rate makes an open loop, --in-flight bounds a closed one: "
		"give one of them");
	assert_refused("echo --count 5 --duration 1s",
		"--count and --duration both say when to end: give one of "
		"them");
	assert_refused("echo x --size 5",
		"--size makes an argument, and there is one already: give one "
		"of them");
	assert_refused("echo --connections 10 --batch 2 --in-flight 19",
		"--in-flight 19 is less than one batch on each connection "
		"(10 x 2)");
}

static void config_is_refused_when_a_number_is_out_of_range(void **state)
{
	(void)state;
	assert_refused("echo --batch 1025", "--batch 1025: must be 1 to 1024");
	assert_refused("echo --rate 0", "--rate 0: must be 1 to 1000000000");
	assert_refused("echo --size x",
		"--size x: must be a size such as 4096, 64K, 1M or 2G");
	assert_refused(
		"echo --connections 0", "--connections 0: must be 1 to 65536");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(config_is_a_closed_loop_when_nothing_is_said),
		cmocka_unit_test(config_takes_all_when_all_is_given),
		cmocka_unit_test(config_is_an_open_loop_when_a_rate_is_given),
		cmocka_unit_test(config_has_no_warmup_when_a_count_is_given),
		cmocka_unit_test(config_has_the_argument_when_one_is_given),
		cmocka_unit_test(
			config_has_a_batch_for_each_when_connections_are_many),
		cmocka_unit_test(config_is_refused_when_options_contradict),
		cmocka_unit_test(
			config_is_refused_when_a_number_is_out_of_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
