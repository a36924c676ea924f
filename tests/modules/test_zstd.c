// SPDX-License-Identifier: MIT
/*
 * test_zstd.c - there and back again, and what is no zstd frame.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/module_host.h"

#define LARGE_BYTES ((size_t)3 << 20)

static struct wyn_module_host host;

static int open_module(void **state)
{
	(void)state;
	return wyn_module_host_open(&host, "zstd") ? 0 : -1;
}

static int close_module(void **state)
{
	(void)state;
	wyn_module_host_close(&host);
	return 0;
}

static int begin(void **state)
{
	struct wyn_host_call *call = malloc(sizeof(*call));

	if (call == NULL) {
		return -1;
	}
	wyn_host_call_init(call);
	*state = call;
	return 0;
}

static int end(void **state)
{
	wyn_host_call_fini(*state);
	free(*state);
	return 0;
}

static void check_returns(const char *bytes, size_t count)
{
	struct wyn_host_call there;
	struct wyn_host_call back;

	wyn_host_call_init(&there);
	wyn_host_call_init(&back);
	assert_int_equal(wyn_module_host_call(
				 &host, &there, "zstd_compress", bytes, count),
		WYN_STATUS_OK);
	assert_int_equal(wyn_module_host_call(&host, &back, "zstd_decompress",
				 there.value, there.value_bytes),
		WYN_STATUS_OK);
	assert_int_equal(back.value_bytes, count);
	assert_true(count == 0 || memcmp(back.value, bytes, count) == 0);
	wyn_host_call_fini(&there);
	wyn_host_call_fini(&back);
}

static void zstd_gives_back_what_it_compressed(void **state)
{
	char *bytes = calloc(1, LARGE_BYTES);

	(void)state;
	assert_non_null(bytes);
	check_returns("", 0);
	check_returns("a", 1);
	check_returns(bytes, LARGE_BYTES);
	check_returns(bytes, LARGE_BYTES - 1);
	for (size_t i = 0; i < LARGE_BYTES; i++) {
		bytes[i] = (char)(i * i >> 3);
	}
	check_returns(bytes, LARGE_BYTES);
	check_returns(bytes, 1 << 18);
	check_returns(bytes, (1 << 18) + 1);
	free(bytes);
}

static void zstd_makes_many_zeros_few(void **state)
{
	struct wyn_host_call *call = *state;
	char *bytes = calloc(1, LARGE_BYTES);

	assert_non_null(bytes);
	assert_int_equal(wyn_module_host_call(&host, call, "zstd_compress",
				 bytes, LARGE_BYTES),
		WYN_STATUS_OK);
	free(bytes);

	assert_in_range(call->value_bytes, 1, 1000);
}

static void zstd_stops_when_its_value_is_over_the_limit(void **state)
{
	struct wyn_host_call *call = *state;
	struct wyn_host_call bomb;
	char *bytes = calloc(1, LARGE_BYTES);

	assert_non_null(bytes);
	wyn_host_call_init(&bomb);
	assert_int_equal(wyn_module_host_call(&host, &bomb, "zstd_compress",
				 bytes, LARGE_BYTES),
		WYN_STATUS_OK);
	free(bytes);
	call->value_bytes_max = LARGE_BYTES - 1;

	assert_int_equal(wyn_module_host_call(&host, call, "zstd_decompress",
				 bomb.value, bomb.value_bytes),
		WYN_STATUS_RESOURCE_EXHAUSTED);
	wyn_host_call_fini(&bomb);
}

static void zstd_stops_when_cancelled(void **state)
{
	struct wyn_host_call *call = *state;

	call->cancelled_after = 0;
	assert_int_equal(
		wyn_module_host_call(&host, call, "zstd_compress", "a", 1),
		WYN_STATUS_CANCELLED);
}

static void zstd_refuses_what_is_no_frame(void **state)
{
	struct wyn_host_call *call = *state;

	assert_int_equal(wyn_module_host_call(&host, call, "zstd_decompress",
				 "no such frame", 13),
		WYN_STATUS_INVALID_ARGUMENT);
	assert_string_not_equal(call->message, "");
	assert_int_equal(
		wyn_module_host_call(&host, call, "zstd_decompress", "", 0),
		WYN_STATUS_INVALID_ARGUMENT);
}

static void zstd_refuses_a_frame_when_it_is_cut_or_wrong(void **state)
{
	struct wyn_host_call *call = *state;
	struct wyn_host_call frame;

	wyn_host_call_init(&frame);
	assert_int_equal(wyn_module_host_call(&host, &frame, "zstd_compress",
				 "0123456789", 10),
		WYN_STATUS_OK);
	for (size_t n = 0; n < frame.value_bytes; n++) {
		wyn_host_call_fini(call);
		wyn_host_call_init(call);
		assert_int_equal(wyn_module_host_call(&host, call,
					 "zstd_decompress", frame.value, n),
			WYN_STATUS_INVALID_ARGUMENT);
		assert_string_equal(call->message,
			"the argument ends before its zstd frame does");
	}
	/* The checksum is at its end. */
	frame.value[frame.value_bytes - 1] ^= 1;
	assert_int_equal(wyn_module_host_call(&host, call, "zstd_decompress",
				 frame.value, frame.value_bytes),
		WYN_STATUS_INVALID_ARGUMENT);
	wyn_host_call_fini(&frame);
}

static void zstd_refuses_a_frame_when_its_window_is_too_large(void **state)
{
	/* Magic, no single segment, a window of 2^24 bytes. */
	static const char frame[] = "\x28\xb5\x2f\xfd\x00\x70\x01\x00\x00";
	struct wyn_host_call *call = *state;

	assert_int_equal(wyn_module_host_call(&host, call, "zstd_decompress",
				 frame, sizeof(frame) - 1),
		WYN_STATUS_INVALID_ARGUMENT);
	assert_non_null(strstr(call->message, "memory"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(zstd_gives_back_what_it_compressed),
		CASE(zstd_makes_many_zeros_few),
		CASE(zstd_stops_when_its_value_is_over_the_limit),
		CASE(zstd_stops_when_cancelled),
		CASE(zstd_refuses_what_is_no_frame),
		CASE(zstd_refuses_a_frame_when_it_is_cut_or_wrong),
		CASE(zstd_refuses_a_frame_when_its_window_is_too_large),
	};

	return cmocka_run_group_tests(tests, open_module, close_module);
}
