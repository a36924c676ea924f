// SPDX-License-Identifier: MIT
/*
 * fuzz_main.c - runs a fuzz target as a plain test.
 *
 *	fuzz_x [--seed N] [--mutations N] PATH...
 *
 * Each file given, or in a directory given, is one test; then so many mutations
 * of them, made by a seeded generator, are one more. Prints TAP; a target that
 * finds something aborts, and its test is the one without a line. libFuzzer's
 * own main takes this one's place in the fuzz variant.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/prng.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILES_MAX	  4096
#define INPUT_BYTES_MAX	  (64u << 10)
#define SEED_DEFAULT	  1
#define MUTATIONS_DEFAULT 5000

struct input {
	char *path;
	uint8_t *data;
	size_t size;
};

static struct input inputs[FILES_MAX];
static size_t inputs_count;

static _Noreturn void fail(const char *path, const char *why)
{
	fprintf(stderr, "%s: %s\n", path, why);
	exit(EXIT_FAILURE);
}

static void input_load(const char *path)
{
	uint8_t *data = malloc(INPUT_BYTES_MAX);
	FILE *file = fopen(path, "rb");
	size_t size;

	if (file == NULL || data == NULL) {
		fail(path, strerror(errno));
	}
	if (inputs_count == FILES_MAX) {
		fail(path, "more files than this runs");
	}
	size = fread(data, 1, INPUT_BYTES_MAX, file);
	if (ferror(file)) {
		fail(path, strerror(errno));
	}
	if (getc(file) != EOF) {
		fail(path, "larger than a seed should be");
	}
	fclose(file);
	inputs[inputs_count++] = (struct input){strdup(path), data, size};
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* In the order of names, for the mutations depend on it. */
static void directory_load(const char *path)
{
	struct dirent **entries = NULL;
	int n = scandir(path, &entries, is_visible, alphasort);

	if (n < 0) {
		fail(path, strerror(errno));
	}
	for (int i = 0; i < n; i++) {
		char *name = NULL;

		if (asprintf(&name, "%s/%s", path, entries[i]->d_name) < 0) {
			fail(path, "out of memory");
		}
		input_load(name);
		free(name);
		free(entries[i]);
	}
	free(entries);
}

static void path_load(const char *path)
{
	struct stat status;

	if (stat(path, &status)) {
		fail(path, strerror(errno));
	}
	if (S_ISDIR(status.st_mode)) {
		directory_load(path);
	} else {
		input_load(path);
	}
}

/* In memory of exactly its size, so that a sanitizer sees a read past it. */
static void input_run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL) {
		fail("input", "out of memory");
	}
	memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static size_t bytes_remove(struct wyn_prng *prng, uint8_t *data, size_t size)
{
	size_t at = wyn_prng_below(prng, size);
	size_t n = 1 + wyn_prng_below(prng, size - at);

	memmove(data + at, data + at + n, size - at - n);
	return size - n;
}

/* Puts a piece of some input at some place of this one. */
static size_t bytes_splice(struct wyn_prng *prng, uint8_t *data, size_t size)
{
	const struct input *from = &inputs[wyn_prng_below(prng, inputs_count)];
	size_t at = wyn_prng_below(prng, size + 1);
	size_t start;
	size_t n;

	if (from->size == 0) {
		return size;
	}
	start = wyn_prng_below(prng, from->size);
	n = 1 + wyn_prng_below(prng, from->size - start);
	if (n > INPUT_BYTES_MAX - size) {
		return size;
	}
	memmove(data + at + n, data + at, size - at);
	memcpy(data + at, from->data + start, n);
	return size + n;
}

static size_t mutate(struct wyn_prng *prng, uint8_t *data, size_t size)
{
	static const uint8_t edges[] = {
		0x00, 0x01, 0x02, 0x7f, 0x80, 0x81, 0xfe, 0xff};
	size_t at;

	if (size == 0) {
		return bytes_splice(prng, data, size);
	}
	at = wyn_prng_below(prng, size);
	switch (wyn_prng_below(prng, 5)) {
	case 0:
		data[at] ^= (uint8_t)(1u << wyn_prng_below(prng, 8));
		return size;
	case 1:
		data[at] = edges[wyn_prng_below(prng, sizeof(edges))];
		return size;
	case 2:
		data[at] = (uint8_t)(data[at] + wyn_prng_below(prng, 9) - 4);
		return size;
	case 3:
		return bytes_remove(prng, data, size);
	default:
		return bytes_splice(prng, data, size);
	}
}

static void mutations_run(uint64_t seed, uint64_t mutations)
{
	uint8_t *data = malloc(INPUT_BYTES_MAX);
	struct wyn_prng prng;

	if (data == NULL) {
		fail("mutations", "out of memory");
	}
	wyn_prng_init(&prng, seed);
	for (uint64_t i = 0; i < mutations; i++) {
		const struct input *from =
			&inputs[wyn_prng_below(&prng, inputs_count)];
		size_t size = from->size;

		memcpy(data, from->data, size);
		for (uint64_t n = 1 + wyn_prng_below(&prng, 4); n > 0; n--) {
			size = mutate(&prng, data, size);
		}
		input_run(data, size);
	}
	free(data);
}

static uint64_t number_of(const char *text)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || end == text || *end != '\0') {
		fail(text, "not a number");
	}
	return value;
}

int main(int argc, char **argv)
{
	uint64_t seed = SEED_DEFAULT;
	uint64_t mutations = MUTATIONS_DEFAULT;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--seed") && i + 1 < argc) {
			seed = number_of(argv[++i]);
		} else if (!strcmp(argv[i], "--mutations") && i + 1 < argc) {
			mutations = number_of(argv[++i]);
		} else {
			path_load(argv[i]);
		}
	}
	if (inputs_count == 0) {
		fail(argv[0], "no seed files, so nothing was tested");
	}
	/* An abort must not take the lines before it along. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%zu\n", inputs_count + 1);
	for (size_t i = 0; i < inputs_count; i++) {
		input_run(inputs[i].data, inputs[i].size);
		printf("ok %zu - %s\n", i + 1, inputs[i].path);
	}
	printf("# %ju mutations, seed %ju\n", (uintmax_t)mutations,
		(uintmax_t)seed);
	mutations_run(seed, mutations);
	printf("ok %zu - mutations\n", inputs_count + 1);
	for (size_t i = 0; i < inputs_count; i++) {
		free(inputs[i].data);
		free(inputs[i].path);
	}
	return EXIT_SUCCESS;
}
