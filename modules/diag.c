// SPDX-License-Identifier: MIT
/*
 * diag.c - functions to try wynd with, and to test it with.
 *
 * Each shows one thing that a task can do: return a value, fail, take its
 * time, notice that it was cancelled, stream partial values, call others.
 * Arguments are text; what is not exactly as described is INVALID_ARGUMENT.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <wyn/module.h>

#define MS_MAX	  UINT64_C(86400000) /* a day */
#define US_MAX	  (MS_MAX * 1000)
#define COUNT_MAX UINT64_C(1000000000)
#define VALUE_MAX (UINT64_C(1) << 40) /* the daemon's limit is lower */
#define FIB_MAX	  UINT64_C(30)
#define POLL_MS	  10 /* between two looks at the flag */
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_US UINT64_C(1000)
#define NS_PER_S  UINT64_C(1000000000)

/* What is left of an argument. */
struct text {
	const char *at;
	size_t left;
};

static struct text text_of(const void *argument, size_t argument_bytes)
{
	return (struct text){argument, argument_bytes};
}

/*
 * Takes decimal digits off the front: no sign, no blank. Returns: false when
 * there are none or the number is over max.
 */
static bool take_number(struct text *text, uint64_t max, uint64_t *ret_number)
{
	uint64_t number = 0;
	size_t digits = 0;

	while (digits < text->left && text->at[digits] >= '0' &&
		text->at[digits] <= '9') {
		uint64_t digit = (uint64_t)(text->at[digits] - '0');

		if (number > (max - digit) / 10) {
			return false;
		}
		number = number * 10 + digit;
		digits++;
	}
	if (digits == 0) {
		return false;
	}
	text->at += digits;
	text->left -= digits;
	*ret_number = number;
	return true;
}

/* Takes `word` when it is all that is left. */
static bool take_rest(struct text *text, const char *word)
{
	size_t len = strlen(word);

	if (text->left != len || memcmp(text->at, word, len) != 0) {
		return false;
	}
	text->at += len;
	text->left = 0;
	return true;
}

static int bad_argument(struct wyn_context *context, const char *usage)
{
	return wyn_fail(context, WYN_STATUS_INVALID_ARGUMENT,
		"the argument must be %s", usage);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static int cancelled_after(
	struct wyn_context *context, uint64_t start_ns, const char *what)
{
	return wyn_fail(context, WYN_STATUS_CANCELLED,
		"cancelled after %s for %" PRIu64 " ms", what,
		(now_ns() - start_ns) / NS_PER_MS);
}

static int echo(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	return wyn_value_set(context, argument, argument_bytes);
}

static int noop(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	(void)context;
	(void)argument;
	(void)argument_bytes;
	return WYN_STATUS_OK;
}

/* The one function here that sleeps: that is what it is for. */
static int sleep_ms(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	struct text text = text_of(argument, argument_bytes);
	uint64_t start_ns = now_ns();
	uint64_t end_ns;
	uint64_t ms;

	if (!take_number(&text, MS_MAX, &ms) || text.left > 0) {
		return bad_argument(
			context, "a number of milliseconds, at most a day");
	}
	end_ns = start_ns + ms * NS_PER_MS;
	for (uint64_t at = start_ns; at < end_ns; at = now_ns()) {
		struct timespec pause = {0};
		uint64_t left_ns = end_ns - at;

		if (wyn_cancelled(context)) {
			return cancelled_after(context, start_ns, "sleeping");
		}
		pause.tv_nsec = left_ns < POLL_MS * NS_PER_MS
					? (long)left_ns
					: (long)(POLL_MS * NS_PER_MS);
		(void)nanosleep(&pause, NULL);
	}
	return WYN_STATUS_OK;
}

/* "N" ends when it is cancelled; "N deaf" spins on, past any deadline. */
static int spin_us(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	struct text text = text_of(argument, argument_bytes);
	uint64_t start_ns = now_ns();
	uint64_t us;
	bool deaf;

	if (!take_number(&text, US_MAX, &us)) {
		us = US_MAX + 1;
	}
	deaf = take_rest(&text, " deaf");
	if (us > US_MAX || text.left > 0) {
		return bad_argument(context,
			"a number of microseconds, at most a day, with or "
			"without the word deaf behind it");
	}
	while (now_ns() - start_ns < us * NS_PER_US) {
		if (!deaf && wyn_cancelled(context)) {
			return cancelled_after(context, start_ns, "spinning");
		}
	}
	return WYN_STATUS_OK;
}

static int fail(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	struct text text = text_of(argument, argument_bytes);
	size_t message_bytes;
	uint64_t code;

	if (!take_number(&text, WYN_STATUS_COUNT - 1, &code) || code == 0 ||
		(text.left > 0 && text.at[0] != ' ')) {
		return bad_argument(context,
			"a status code from 1 to 16, and perhaps a blank and a "
			"message");
	}
	if (text.left == 0) {
		return (int)code;
	}
	message_bytes = text.left - 1;
	if (message_bytes > WYN_MODULE_MESSAGE_BYTES_MAX) {
		message_bytes = WYN_MODULE_MESSAGE_BYTES_MAX;
	}
	return wyn_fail(
		context, (int)code, "%.*s", (int)message_bytes, text.at + 1);
}

static int count(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	struct text text = text_of(argument, argument_bytes);
	char number[24] = "0";
	uint64_t n;
	int len = 1;

	if (!take_number(&text, COUNT_MAX, &n) || text.left > 0) {
		return bad_argument(
			context, "a number of partial values, at most 10^9");
	}
	for (uint64_t i = 1; i <= n; i++) {
		int rc;

		len = snprintf(number, sizeof(number), "%" PRIu64, i);
		rc = wyn_emit(context, number, (size_t)len);
		if (rc == -ECANCELED) {
			return wyn_fail(context, WYN_STATUS_CANCELLED,
				"cancelled after %" PRIu64 " of %" PRIu64,
				i - 1, n);
		}
		if (rc < 0) {
			return wyn_fail(context, WYN_STATUS_RESOURCE_EXHAUSTED,
				"partial value %" PRIu64 " was refused: %s", i,
				strerror(-rc));
		}
	}
	return wyn_value_set(context, number, (size_t)len);
}

/* Byte i of the value is 'a' + i % 26. */
static int size(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	struct text text = text_of(argument, argument_bytes);
	char *value;
	uint64_t n;

	if (!take_number(&text, VALUE_MAX, &n) || text.left > 0) {
		return bad_argument(context, "a number of bytes, at most 2^40");
	}
	value = wyn_value_reserve(context, (size_t)n);
	if (value == NULL) {
		return WYN_STATUS_RESOURCE_EXHAUSTED;
	}
	for (uint64_t i = 0; i < n; i++) {
		value[i] = (char)('a' + i % 26);
	}
	return WYN_STATUS_OK;
}

/* Its two parts by nested calls of itself, side by side. */
static int fib(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	struct text text = text_of(argument, argument_bytes);
	struct wyn_spawned *spawned[2];
	uint64_t sum = 0;
	char number[24];
	uint64_t n;
	int code = WYN_STATUS_OK;

	if (!take_number(&text, FIB_MAX, &n) || text.left > 0) {
		return bad_argument(context, "a number, at most 30");
	}
	if (wyn_cancelled(context)) {
		return WYN_STATUS_CANCELLED;
	}
	for (unsigned i = 0; n > 1 && i < 2; i++) {
		int len =
			snprintf(number, sizeof(number), "%" PRIu64, n - 1 - i);

		code = wyn_spawn(
			context, "fib", number, (size_t)len, &spawned[i]);
		if (code != WYN_STATUS_OK) {
			return code;
		}
	}
	for (unsigned i = 0; n > 1 && i < 2; i++) {
		struct text part = {NULL, 0};
		uint64_t value = 0;
		const void *data;

		code = wyn_await(context, spawned[i], &data, &part.left);
		if (code != WYN_STATUS_OK) {
			return code;
		}
		part.at = data;
		(void)take_number(&part, UINT64_MAX, &value);
		sum += value;
	}
	return wyn_value_set(context, number,
		(size_t)snprintf(
			number, sizeof(number), "%" PRIu64, n > 1 ? sum : n));
}

static const struct wyn_function functions[] = {
	{"echo", "the value is the argument", echo, 0},
	{"noop", "does nothing", noop, WYN_FUNCTION_SHORT},
	{"sleep_ms", "N: sleeps N milliseconds, unless cancelled", sleep_ms, 0},
	{"spin_us",
		"N [deaf]: is busy for N microseconds; deaf = even if "
		"cancelled",
		spin_us, 0},
	{"nap_ms", "N: as sleep_ms, in a thread beside the workers", sleep_ms,
		WYN_FUNCTION_BLOCKING},
	{"fib", "N: the N-th Fibonacci number, by nested calls", fib, 0},
	{"fail", "CODE [MESSAGE]: fails with this status", fail, 0},
	{"count", "N: partial values 1 to N, then the value N", count, 0},
	{"size", "N: a value of N bytes, abc..z again and again", size, 0},
};

const struct wyn_module wyn_module = {
	.abi = WYN_MODULE_ABI,
	.size_bytes = sizeof(struct wyn_module),
	.name = "diag",
	.version = "2",
	.functions = functions,
	.functions_count = sizeof(functions) / sizeof(functions[0]),
};
