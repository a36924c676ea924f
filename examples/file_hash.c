// SPDX-License-Identifier: MIT
/*
 * file_hash.c - hashes files in parallel and prints them in order.
 *
 *	file_hash FILE...
 *
 * Each file is a task with a value. The futures are awaited in the order of
 * the arguments, so the output does not depend on which file is done first.
 * The hash is FNV-1a with 64 bits: quick, short, and no use against forgery.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wyn/future.h>

#define FNV_BASIS UINT64_C(14695981039346656037)
#define FNV_PRIME UINT64_C(1099511628211)

static int hash_stream(FILE *stream, uint64_t *ret_hash)
{
	unsigned char buffer[16384];
	uint64_t hash = FNV_BASIS;
	size_t n;

	while ((n = fread(buffer, 1, sizeof(buffer), stream)) > 0) {
		for (size_t i = 0; i < n; i++) {
			hash = (hash ^ buffer[i]) * FNV_PRIME;
		}
	}
	if (ferror(stream)) {
		return -EIO;
	}
	*ret_hash = hash;
	return 0;
}

/* The task. Its argument is borrowed: it outlives the await. */
static int hash_file(void *arg, struct wyn_value *ret_value)
{
	const char *name = arg;
	FILE *stream = fopen(name, "rbe");
	int r;

	if (stream == NULL) {
		return -errno;
	}
	r = hash_stream(stream, &ret_value->u64[0]);
	(void)fclose(stream);
	return r;
}

/* Returns: whether the file could be hashed. */
static bool report(struct wyn_future *future, const char *name)
{
	struct wyn_value value;
	int r = wyn_future_await(future, &value);

	if (r < 0) {
		(void)fprintf(
			stderr, "file_hash: %s: %s\n", name, strerror(-r));
		return false;
	}
	(void)printf("%016" PRIx64 "  %s\n", value.u64[0], name);
	return true;
}

/* Spawns all before it awaits the first. Returns: 0 or -errno of a spawn. */
static int hash_all(
	struct wyn_pool *pool, char **names, size_t n, bool *ret_good)
{
	struct wyn_future **futures = calloc(n, sizeof(struct wyn_future *));
	size_t spawned = 0;
	bool good = true;
	int r = futures == NULL ? -ENOMEM : 0;

	while (r == 0 && spawned < n) {
		r = wyn_pool_spawn(pool, hash_file, names[spawned], NULL,
			&futures[spawned]);
		spawned += r == 0;
	}
	for (size_t i = 0; i < spawned; i++) {
		good = report(futures[i], names[i]) && good;
		wyn_future_drop(futures[i]);
	}
	free(futures);
	*ret_good = good;
	return r;
}

int main(int argc, char **argv)
{
	struct wyn_pool *pool = NULL;
	bool good = true;
	int r;

	if (argc < 2) {
		(void)fprintf(stderr, "usage: file_hash FILE...\n");
		return EXIT_FAILURE;
	}
	r = wyn_pool_create(NULL, &pool);
	if (r == 0) {
		r = wyn_pool_start(pool);
	}
	if (r == 0) {
		r = hash_all(pool, argv + 1, (size_t)argc - 1, &good);
	}
	wyn_pool_destroy(pool);
	if (r < 0) {
		(void)fprintf(stderr, "file_hash: %s\n", strerror(-r));
	}
	return r == 0 && good ? EXIT_SUCCESS : EXIT_FAILURE;
}
