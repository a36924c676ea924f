// SPDX-License-Identifier: MIT
/*
 * test_spill.c - outputs that wait, in memory and in a file without a name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/wynctl/spill.h"

#define HELDS 3

static char directory[] = "/tmp/wynctl-spill-XXXXXX";
static struct wyn_spill spill;
static struct wyn_held helds[HELDS];

static int group_setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(directory));
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	return rmdir(directory);
}

static int setup(void **state)
{
	(void)state;
	assert_int_equal(0, setenv("TMPDIR", directory, 1));
	wyn_spill_init(&spill);
	for (int i = 0; i < HELDS; i++) {
		wyn_held_init(&helds[i]);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < HELDS; i++) {
		wyn_held_drop(&spill, &helds[i]);
	}
	assert_int_equal(0, spill.in_memory);
	wyn_spill_fini(&spill);
	return 0;
}

static uint8_t byte_at(int which, uint64_t offset)
{
	return (uint8_t)((offset * 31 + offset / 251) ^ (unsigned)which);
}

/* The next `size` bytes of the output, which had `*have`. */
static int put(int which, uint64_t *have, size_t size)
{
	uint8_t *data = malloc(size);
	int err;

	for (size_t i = 0; i < size; i++) {
		data[i] = byte_at(which, *have + i);
	}
	err = wyn_held_put(
		&spill, &helds[which], (struct wyn_slice){data, size});
	free(data);
	*have += size;
	return err;
}

/* Takes at most so many pieces, and checks them. */
static void take(int which, uint64_t *at, unsigned pieces)
{
	char room[WYN_SPILL_BLOCK_BYTES];
	struct wyn_slice piece;

	while (pieces-- > 0) {
		assert_int_equal(
			0, wyn_held_take(&spill, &helds[which], room, &piece));
		if (piece.len == 0) {
			return;
		}
		for (size_t i = 0; i < piece.len; i++) {
			assert_int_equal(
				byte_at(which, *at + i), piece.data[i]);
		}
		*at += piece.len;
	}
}

static void spill_needs_no_file_when_outputs_are_small(void **state)
{
	uint64_t have = 0;
	uint64_t at = 0;

	(void)state;
	assert_int_equal(0, put(0, &have, 5));
	assert_int_equal(0, put(0, &have, 1000));
	assert_int_equal(1005, wyn_held_bytes(&helds[0]));
	assert_int_equal(-1, spill.fd);
	take(0, &at, UINT32_MAX);
	assert_int_equal(1005, at);
	assert_int_equal(0, wyn_held_bytes(&helds[0]));
}

static void spill_gives_all_back_when_outputs_are_mixed(void **state)
{
	static const size_t sizes[] = {1, 70000, 16384, 3, 100000, 16383, 0, 9};
	uint64_t have[HELDS] = {0};
	uint64_t at[HELDS] = {0};

	(void)state;
	for (size_t n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++) {
		for (int i = 0; i < HELDS; i++) {
			assert_int_equal(
				0, put(i, &have[i], sizes[n] + (size_t)i));
		}
	}
	for (int i = 0; i < HELDS; i++) {
		assert_int_equal(have[i], wyn_held_bytes(&helds[i]));
		take(i, &at[i], UINT32_MAX);
		assert_int_equal(have[i], at[i]);
	}
}

static void spill_uses_blocks_again_when_they_were_taken(void **state)
{
	uint64_t have = 0;
	uint64_t at = 0;
	struct stat stat;

	(void)state;
	for (int round = 0; round < 200; round++) {
		assert_int_equal(0, put(0, &have, 50000));
		if (round >= 4) {
			take(0, &at, 4);
		}
	}
	assert_int_equal(0, fstat(spill.fd, &stat));
	assert_true(stat.st_size < 1 << 20);
	take(0, &at, UINT32_MAX);
	assert_int_equal(have, at);
	wyn_held_drop(&spill, &helds[0]);
	have = 0;
	assert_int_equal(0, put(1, &have, 200000));
	assert_int_equal(0, fstat(spill.fd, &stat));
	assert_true(stat.st_size < 1 << 20);
}

static void spill_leaves_no_name_when_it_has_a_file(void **state)
{
	uint64_t have = 0;
	struct dirent *entry;
	DIR *stream;

	(void)state;
	assert_int_equal(0, put(0, &have, WYN_SPILL_HELD_BYTES_MAX + 1));
	assert_true(spill.fd >= 0);
	stream = opendir(directory);
	while ((entry = readdir(stream)) != NULL) {
		assert_int_equal('.', entry->d_name[0]);
	}
	closedir(stream);
}

static void spill_bounds_memory_when_outputs_are_many(void **state)
{
	const int many = 1000;
	struct wyn_held *more = calloc(many, sizeof(*more));
	static const uint8_t data[40000];

	(void)state;
	for (int i = 0; i < many; i++) {
		wyn_held_init(&more[i]);
		assert_int_equal(
			0, wyn_held_put(&spill, &more[i],
				   (struct wyn_slice){data, sizeof(data)}));
		assert_true(spill.in_memory <= WYN_SPILL_TOTAL_BYTES_MAX);
	}
	assert_true(spill.fd >= 0);
	for (int i = 0; i < many; i++) {
		assert_int_equal(sizeof(data), wyn_held_bytes(&more[i]));
		wyn_held_drop(&spill, &more[i]);
	}
	free(more);
}

static void spill_says_why_when_there_is_no_place(void **state)
{
	uint64_t have = 0;

	(void)state;
	assert_int_equal(0, setenv("TMPDIR", "/nowhere/at/all", 1));
	assert_int_equal(0, put(0, &have, 1000));
	assert_int_equal(-ENOENT, put(0, &have, WYN_SPILL_HELD_BYTES_MAX));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(spill_needs_no_file_when_outputs_are_small),
		TEST(spill_gives_all_back_when_outputs_are_mixed),
		TEST(spill_uses_blocks_again_when_they_were_taken),
		TEST(spill_leaves_no_name_when_it_has_a_file),
		TEST(spill_bounds_memory_when_outputs_are_many),
		TEST(spill_says_why_when_there_is_no_place),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
