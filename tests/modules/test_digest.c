// SPDX-License-Identifier: MIT
/*
 * test_digest.c - the functions of module digest against known answers.
 *
 * The answers for "" and "abc" are those of FIPS 180-4 and RFC 7693 (and of
 * coreutils' sha256sum, sha512sum and b2sum), as are the rest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "tests/support/module_host.h"

/* More than three pieces, and not a multiple of one. */
#define LARGE_BYTES ((size_t)3 * 1024 * 1024 + 17)

struct vector {
	const char *function;
	const char *empty;
	const char *abc;
	const char *large;
};

static const struct vector vectors[] = {
	{"sha256",
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b"
		"7852b855",
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61"
		"f20015ad",
		"af0420698203db612d2363019e5daab6c288a059aad9a9ee0270be2c"
		"d0f5bd4d"},
	{"sha512",
		"cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921"
		"d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81"
		"a538327af927da3e",
		"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee6"
		"4b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e"
		"2a9ac94fa54ca49f",
		"e77e7faa32f0410634ecb91445140958bf0a5c33d254b6a0b5048fdc"
		"c473d2728a865d10b9f5cf259f8c08ce1b26fe03ce32675cc8133a87"
		"9d32e035e53d7542"},
	{"blake2b512",
		"786a02f742015903c6c6fd852552d272912f4740e15847618a86e217"
		"f71f5419d25e1031afee585313896444934eb04b903a685b1448b755"
		"d56f701afe9be2ce",
		"ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6f"
		"dbffa2d17d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925a"
		"b92386edd4009923",
		"860361258c16bc3ee4ec6a1e4cc89255d04cc48bb8b66e6e46a2ca77"
		"a24c36c936105b8125f2bbeb17413da02485bb0a00cce779bd422d85"
		"5b56ced630bb5ebc"},
};

static struct wyn_module_host host;
static unsigned char *large;

static int open_module(void **state)
{
	(void)state;
	large = malloc(LARGE_BYTES);
	if (large == NULL || !wyn_module_host_open(&host, "digest")) {
		return -1;
	}
	for (size_t i = 0; i < LARGE_BYTES; i++) {
		large[i] = (unsigned char)(i * 7 + 3);
	}
	return 0;
}

static int close_module(void **state)
{
	(void)state;
	wyn_module_host_close(&host);
	free(large);
	return 0;
}

static void check_value(const char *function, const void *argument,
	size_t argument_bytes, const char *expected)
{
	struct wyn_host_call call;

	wyn_host_call_init(&call);
	assert_int_equal(wyn_module_host_call(&host, &call, function, argument,
				 argument_bytes),
		WYN_STATUS_OK);
	assert_int_equal(call.value_bytes, strlen(expected));
	assert_string_equal(call.value, expected);
	wyn_host_call_fini(&call);
}

static void digests_are_known_when_the_argument_is_empty(void **state)
{
	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(vectors); i++) {
		check_value(vectors[i].function, NULL, 0, vectors[i].empty);
	}
}

static void digests_are_known_when_the_argument_is_abc(void **state)
{
	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(vectors); i++) {
		check_value(vectors[i].function, "abc", 3, vectors[i].abc);
	}
}

static void digests_are_known_when_the_argument_is_many_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(vectors); i++) {
		check_value(vectors[i].function, large, LARGE_BYTES,
			vectors[i].large);
	}
}

static void digests_begin_anew_when_a_call_before_was_cancelled(void **state)
{
	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(vectors); i++) {
		struct wyn_host_call call;

		wyn_host_call_init(&call);
		call.cancelled_after = 1;
		assert_int_equal(
			wyn_module_host_call(&host, &call, vectors[i].function,
				large, LARGE_BYTES),
			WYN_STATUS_CANCELLED);
		wyn_host_call_fini(&call);

		check_value(vectors[i].function, "abc", 3, vectors[i].abc);
	}
}

static void digests_are_exhausted_when_there_is_no_room_for_them(void **state)
{
	struct wyn_host_call call;

	(void)state;
	wyn_host_call_init(&call);
	call.value_bytes_max = 63;

	assert_int_equal(wyn_module_host_call(&host, &call, "sha256", "abc", 3),
		WYN_STATUS_RESOURCE_EXHAUSTED);

	wyn_host_call_fini(&call);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_are_known_when_the_argument_is_empty),
		cmocka_unit_test(digests_are_known_when_the_argument_is_abc),
		cmocka_unit_test(
			digests_are_known_when_the_argument_is_many_pieces),
		cmocka_unit_test(
			digests_begin_anew_when_a_call_before_was_cancelled),
		cmocka_unit_test(
			digests_are_exhausted_when_there_is_no_room_for_them),
	};

	return cmocka_run_group_tests(tests, open_module, close_module);
}
