// SPDX-License-Identifier: MIT
/*
 * test_strip.c - what a worker makes of a strip, and what a loop may do to it
 * meanwhile.
 */
#include "daemon/run/strip.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/run/account.h"
#include "daemon/modules/registry.h"
#include "proto/codec.h"
#include "tests/support/bytes.h"
#include "tests/support/rig_functions.h"

#define HELD_MAX 4096u

static struct wyn_strip strip;
static _Atomic uint64_t values_held;
static struct wyn_account account = {
	.all_held = &values_held, .all_max = HELD_MAX, .holders = 1};
static uint8_t frame_bytes[8192];
static _Alignas(16) uint8_t arena_memory[4096];
/* What happens when an argument is "now". */
static void (*meanwhile)(void);

static int play(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	const struct wyn_function *tiny =
		&rig_module.functions[rig_module.functions_count - 1];

	if (argument_bytes == 3 && memcmp(argument, "now", 3) == 0) {
		meanwhile();
	}
	return tiny->run(context, argument, argument_bytes);
}

static const struct wyn_function_entry entry = {.name = "play", .run = play};

static int setup(void **state)
{
	(void)state;
	memset(&strip, 0, sizeof(strip));
	strip.function = &entry;
	strip.now.account = &account;
	strip.now.value_bytes_max = 1000;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < WYN_STRIP_TASKS_MAX; i++) {
		if (strip.odd[i] != NULL) {
			wyn_outcome_clear(strip.odd[i]);
			free(strip.odd[i]);
		}
	}
	return atomic_load_explicit(&values_held, memory_order_relaxed) != 0;
}

/* Those that ended plainly, a bit for each of the first `count`. */
static uint32_t plain(uint32_t count)
{
	uint32_t mask = 0;

	for (uint32_t i = 0; i < count; i++) {
		mask |= (uint32_t)(strip.ends[i] == WYN_STRIP_PLAIN) << i;
	}
	return mask;
}

/* The arguments as they stand in a frame; then all are run. */
static void run(const struct wyn_slice *arguments, uint32_t count)
{
	const struct wyn_submit submit = {
		.first_seq = 1, .function = BYTES("f")};
	struct wyn_message message;
	struct wyn_arena arena;
	struct wyn_frame frame;
	const char *reason;
	size_t n = wyn_submit_encode(&submit, arguments, count, frame_bytes);

	wyn_arena_init(&arena, arena_memory, sizeof(arena_memory));
	assert_int_equal(wyn_frame_next((struct wyn_slice){frame_bytes, n},
				 sizeof(frame_bytes), &frame, &n),
		WYN_FRAME_READY);
	assert_int_equal(
		wyn_codec_decode(&frame, &arena, &message, &reason), 0);
	strip.args = message.submit.args;
	strip.count = count;
	strip.kept = count;
	wyn_strip_run(&strip.job);
}

static void strip_keeps_small_values_behind_one_another(void **state)
{
	const struct wyn_slice arguments[] = {
		BYTES("a"), BYTES(""), BYTES("seventeen letters"), BYTES("d")};

	(void)state;
	run(arguments, 4);
	assert_int_equal(plain(4), 0xf);
	assert_int_equal(strip.runs, 4);
	assert_int_equal(strip.lengths[1], 0);
	assert_int_equal(strip.lengths[2], 17);
	assert_int_equal(strip.value_bytes, 16 + 0 + 32 + 16);
	assert_memory_equal(strip.values, "a", 1);
	assert_memory_equal(strip.values + 16, "seventeen letters", 17);
	assert_memory_equal(strip.values + 48, "d", 1);
	assert_int_equal(strip.odds, 0);
}

static void strip_has_room_when_every_value_is_as_large_as_may_be(void **state)
{
	static uint8_t bytes[WYN_INLINE_VALUE_BYTES] = {'x'};
	struct wyn_slice arguments[WYN_STRIP_TASKS_MAX];

	(void)state;
	for (size_t i = 0; i < WYN_STRIP_TASKS_MAX; i++) {
		arguments[i] = (struct wyn_slice){bytes, sizeof(bytes)};
	}
	run(arguments, WYN_STRIP_TASKS_MAX);
	assert_int_equal(plain(WYN_STRIP_TASKS_MAX), UINT32_MAX);
	assert_int_equal(strip.value_bytes, sizeof(strip.values));
}

static void strip_notes_what_is_odd_when_tasks_fail(void **state)
{
	const struct wyn_slice arguments[] = {
		BYTES("a"), BYTES("!why"), BYTES("+500"), BYTES("d")};

	(void)state;
	run(arguments, 4);
	assert_int_equal(plain(4), 0x9);
	assert_int_equal(strip.odds, 2);
	assert_int_equal(strip.value_bytes, 32);
	assert_int_equal(strip.odd[2]->value_bytes, 500);
	assert_int_equal(strip.odd[2]->value[499], rig_big_byte(499));
	assert_int_equal(strip.odd[1]->code, WYN_STATUS_ABORTED);
	assert_string_equal(strip.odd[1]->message, "why");
}

static void strip_notes_that_a_value_is_too_large(void **state)
{
	const struct wyn_slice arguments[] = {BYTES("+1001"), BYTES("b")};

	(void)state;
	run(arguments, 2);
	assert_int_equal(plain(2), 0x2);
	assert_int_equal(strip.odd[0]->refusal, WYN_REFUSAL_VALUE_TOO_LARGE);
	assert_null(strip.odd[0]->value);
}

static void strip_drops_what_is_unwanted_before_it_begins(void **state)
{
	const struct wyn_slice arguments[] = {
		BYTES("a"), BYTES("b"), BYTES("c")};

	(void)state;
	wyn_strip_unwant(&strip, 0x2);
	run(arguments, 3);
	assert_int_equal(plain(3), 0x5);
	assert_int_equal(strip.ends[1], WYN_STRIP_DROPPED);
	assert_int_equal(strip.runs, 2);
	assert_memory_equal(strip.values + 16, "c", 1);
}

static void unwant_second(void)
{
	wyn_strip_unwant(&strip, 0x2);
}

static void strip_tells_the_one_that_runs_when_it_is_unwanted(void **state)
{
	const struct wyn_slice arguments[] = {
		BYTES("?"), BYTES("now"), BYTES("?")};

	(void)state;
	meanwhile = unwant_second;
	run(arguments, 3);
	assert_int_equal(plain(3), 0x7);
}

static void unwant_itself(void)
{
	wyn_strip_unwant(&strip, 0x1);
}

static int ask_later(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	(void)argument;
	(void)argument_bytes;
	unwant_itself();
	assert_true(wyn_cancelled(context));
	assert_int_equal(wyn_emit(context, "x", 1), -ECANCELED);
	return WYN_STATUS_CANCELLED;
}

static void strip_says_who_cancelled_when_the_one_that_runs_obeys(void **state)
{
	const struct wyn_function_entry asking = {
		.name = "ask", .run = ask_later};
	const struct wyn_slice arguments[] = {BYTES("a")};

	(void)state;
	strip.function = &asking;
	run(arguments, 1);
	assert_int_equal(strip.ends[0], WYN_STRIP_ODD);
	assert_int_equal(strip.odd[0]->code, WYN_STATUS_CANCELLED);
	assert_int_equal(
		strip.odd[0]->refusal, WYN_REFUSAL_CANCELLED_BY_CLIENT);
}

static uint32_t begun;
static uint32_t kept;

static void take_back(void)
{
	begun = wyn_strip_begun(&strip);
	kept = wyn_strip_take_back(&strip);
}

static void strip_stops_when_the_rest_is_taken_back(void **state)
{
	const struct wyn_slice arguments[] = {
		BYTES("a"), BYTES("now"), BYTES("c"), BYTES("d")};

	(void)state;
	meanwhile = take_back;
	run(arguments, 4);
	assert_int_equal(begun, 2);
	assert_int_equal(kept, 2);
	assert_int_equal(plain(2), 0x3);
	assert_int_equal(strip.runs, 2);
}

static void strip_runs_nothing_when_all_is_taken_back(void **state)
{
	const struct wyn_slice arguments[] = {BYTES("a"), BYTES("b")};

	(void)state;
	strip.count = 2;
	strip.kept = 2;
	assert_int_equal(wyn_strip_take_back(&strip), 0);
	run(arguments, 2);
	assert_int_equal(strip.runs, 0);
	assert_int_equal(strip.value_bytes, 0);
}

static uint32_t ended;

static void count_ended(void)
{
	ended = wyn_strip_ended(&strip);
}

static void strip_has_ended_still_when_nothing_is_left_to_take(void **state)
{
	const struct wyn_slice arguments[] = {BYTES("a"), BYTES("b")};

	(void)state;
	run(arguments, 2);
	assert_int_equal(wyn_strip_ended(&strip), 2);
	assert_int_equal(wyn_strip_take_back(&strip), 2);
	assert_int_equal(wyn_strip_ended(&strip), 2);
}

static void strip_tells_what_has_ended_while_it_runs(void **state)
{
	const struct wyn_slice arguments[] = {
		BYTES("a"), BYTES("b"), BYTES("now"), BYTES("d")};

	(void)state;
	assert_int_equal(wyn_strip_ended(&strip), 0);
	meanwhile = count_ended;
	strip.kept = 4;
	run(arguments, 4);
	assert_int_equal(ended, 2);
	assert_int_equal(wyn_strip_ended(&strip), 4);
}

static void strip_runs_those_after_it_in_the_same_job(void **state)
{
	static struct wyn_strip second;
	const struct wyn_slice arguments[] = {BYTES("a"), BYTES("b")};

	(void)state;
	memset(&second, 0, sizeof(second));
	second.function = &entry;
	second.now.account = &account;
	second.now.value_bytes_max = 1000;
	/* It has the same arguments, once they are there. */
	run(arguments, 2);
	second.args = strip.args;
	second.count = 2;
	second.kept = 2;
	setup(NULL);
	strip.after = &second;
	run(arguments, 2);
	assert_int_equal(plain(2), 0x3);
	assert_int_equal(second.runs, 2);
	assert_memory_equal(second.values + 16, "b", 1);
}

static void strip_measures_when_it_is_asked_to(void **state)
{
	const struct wyn_slice arguments[] = {BYTES("a"), BYTES("b")};

	(void)state;
	strip.measured = true;
	run(arguments, 2);
	assert_true(strip.run_ns > 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(strip_keeps_small_values_behind_one_another),
		TEST(strip_has_room_when_every_value_is_as_large_as_may_be),
		TEST(strip_notes_what_is_odd_when_tasks_fail),
		TEST(strip_notes_that_a_value_is_too_large),
		TEST(strip_drops_what_is_unwanted_before_it_begins),
		TEST(strip_tells_the_one_that_runs_when_it_is_unwanted),
		TEST(strip_says_who_cancelled_when_the_one_that_runs_obeys),
		TEST(strip_stops_when_the_rest_is_taken_back),
		TEST(strip_runs_nothing_when_all_is_taken_back),
		TEST(strip_has_ended_still_when_nothing_is_left_to_take),
		TEST(strip_tells_what_has_ended_while_it_runs),
		TEST(strip_runs_those_after_it_in_the_same_job),
		TEST(strip_measures_when_it_is_asked_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
