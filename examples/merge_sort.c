// SPDX-License-Identifier: MIT
/*
 * merge_sort.c - sorts numbers by forking and joining inside of tasks.
 *
 *	merge_sort [COUNT]
 *
 * A task sorts the right half of its numbers in a task of its own and the left
 * half itself, awaits the other and merges. The await helps: it runs the right
 * half itself if no other worker has taken it, so no worker ever idles.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wyn/future.h>

/* Below this a task costs more than it brings. */
#define ALONE_MAX 4096

/* Numbers to sort, and as much room to merge into. */
struct range {
	struct wyn_pool *pool;
	uint32_t *numbers;
	uint32_t *room;
	size_t n;
};

static int compare(const void *left, const void *right)
{
	const uint32_t *a = left;
	const uint32_t *b = right;

	return (*a > *b) - (*a < *b);
}

static void merge(const struct range *range, size_t middle)
{
	uint32_t *numbers = range->numbers;
	size_t left = 0;
	size_t right = middle;

	for (size_t i = 0; i < range->n; i++) {
		bool from_left =
			right == range->n ||
			(left < middle && numbers[left] <= numbers[right]);

		range->room[i] = numbers[from_left ? left++ : right++];
	}
	memcpy(numbers, range->room, range->n * sizeof(*numbers));
}

/* -EDEADLK says that it runs elsewhere and no thread can stand in meanwhile:
 * ask again, because the task must not outlive what it borrows. */
static void join(struct wyn_future *future)
{
	int r;

	do {
		r = wyn_future_await(future, NULL);
	} while (r < 0 && !wyn_future_ready(future));
	wyn_future_drop(future);
}

/* The task. What it spawns borrows from its stack. It never fails. */
static int sort(void *arg, struct wyn_value *ret_value)
{
	const struct range *whole = arg;
	size_t middle = whole->n / 2;
	struct range left = *whole;
	struct range right = *whole;
	struct wyn_future *future;

	if (whole->n <= ALONE_MAX) {
		qsort(whole->numbers, whole->n, sizeof(uint32_t), compare);
		return 0;
	}
	left.n = middle;
	right.n -= middle;
	right.numbers += middle;
	right.room += middle;
	if (wyn_pool_spawn(whole->pool, sort, &right, NULL, &future) == 0) {
		(void)sort(&left, ret_value);
		join(future);
	} else {
		/* No memory for one more task: this one does it all. */
		(void)sort(&left, ret_value);
		(void)sort(&right, ret_value);
	}
	merge(whole, middle);
	return 0;
}

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
	uint32_t *numbers = calloc(n, 2 * sizeof(*numbers));
	struct range range = {.numbers = numbers, .n = n};
	struct wyn_future *future = NULL;
	bool good = numbers != NULL;

	for (size_t i = 0; good && i < n; i++) {
		numbers[i] = (uint32_t)((i + 1) * UINT64_C(2654435761));
	}
	range.room = good ? numbers + n : NULL;
	good = good && wyn_pool_create(NULL, &range.pool) == 0 &&
	       wyn_pool_start(range.pool) == 0 &&
	       wyn_pool_spawn(range.pool, sort, &range, NULL, &future) == 0 &&
	       wyn_future_await(future, NULL) == 0;
	wyn_future_drop(future);
	wyn_pool_destroy(range.pool);
	for (size_t i = 1; good && i < n; i++) {
		good = numbers[i - 1] <= numbers[i];
	}
	free(numbers);
	(void)printf("%zu numbers %s\n", n, good ? "sorted" : "not sorted");
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
