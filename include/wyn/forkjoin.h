// SPDX-License-Identifier: MIT
/*
 * wyn/forkjoin.h - tasks on the C stack of the task that waits for them.
 *
 * wyn_fork offers a piece of the caller's work to other workers, wyn_join has
 * it done: nearly always by running it itself, because nobody took it, and
 * then the two cost a few nanoseconds together. Nothing is allocated. Forks
 * are joined in the reverse of their order, each once, before the function that
 * forked them returns; a fork must not await its ancestors, as a task (see
 * wyn/future.h). C and C++; the functions are inline, what they use of the
 * library is not for anybody else.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <wyn/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WYN_FORK_SLOTS 1024 /* forks of one worker that wait; a power of two */

#define WYN_FORK_NOWHERE_ INT64_C(-2)

struct wyn_fork;
struct wyn_forker;

/* The body. forker is the one of the worker that it runs on.
 * Thread: the one that forked, or another worker. May block. */
typedef void wyn_fork_fn(struct wyn_forker *forker, struct wyn_fork *fork);

/* The first member of the caller's own struct, which holds arguments and
 * results. Plain words; only the functions below touch them, atomically. */
struct wyn_fork {
	wyn_fork_fn *fn;
	int64_t index;		/* its place in the deque that it was put in */
	struct wyn_fork *outer; /* that the thief runs this one in */
	int64_t floor;		/* the thief's deque when it began */
	uint32_t where;		/* the thief's seat + 1; 0 = not known */
	uint32_t state;
};

/* The beginning of a worker's deque; its mechanism is in scheduler/deque.h. */
struct wyn_fork_deque {
	int64_t bottom;
	int64_t taken_seen;
	char pad_owner[48];
	int64_t claim;
	int64_t taken;
	uint32_t lock;
	char pad_thief[44];
	struct {
		void (*fn)(void *arg);
		void *arg;
	} slots[WYN_FORK_SLOTS];
};

struct wyn_forker {
	struct wyn_fork_deque *deque; /* NULL: forks run at once */
	const uint64_t *park_word;
	uint64_t searching_mask; /* of the word: somebody searches */
	uint64_t parked_mask;	 /* of the word: somebody is parked */
	int full_fence;		 /* the kernel has no membarrier(2) */
};

/* What the inline functions call when the easy way is not open. */
void wyn_fork_run_(void *arg);
void wyn_fork_full_fence_(void);
void wyn_fork_notify_(struct wyn_forker *forker);
void wyn_fork_slow_(struct wyn_forker *forker, struct wyn_fork *fork);
void wyn_join_slow_(struct wyn_forker *forker, struct wyn_fork *fork);

/*
 * wyn_forker_self - the calling thread's.
 *
 * Valid until the running task returns; the bodies of forks get it, so that
 * they need not ask. Outside a task of any pool forks run at once.
 *
 * Thread: any. Owns: the thread's. Returns: never NULL. Blocks: never.
 */
struct wyn_forker *wyn_forker_self(void);

static inline void wyn_fork_fence_(const struct wyn_forker *forker)
{
	if (__builtin_expect(forker->full_fence, 0)) {
		wyn_fork_full_fence_();
	} else {
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
	}
}

/*
 * wyn_fork - lets another worker run fn(forker, fork) until it is joined.
 *
 * Thread: the forker's. Owns: the fork, which stays where it is, until joined.
 * Blocks: as fn, when 1,024 wait already or the thread has no seat.
 */
static inline void wyn_fork(
	struct wyn_forker *forker, struct wyn_fork *fork, wyn_fork_fn *fn)
{
	struct wyn_fork_deque *deque = forker->deque;
	int64_t bottom;
	uint64_t word;

	fork->fn = fn;
	fork->index = WYN_FORK_NOWHERE_;
	fork->where = 0;
	fork->state = 0;
	if (__builtin_expect(deque == NULL, 0)) {
		wyn_fork_slow_(forker, fork);
		return;
	}
	bottom = __atomic_load_n(&deque->bottom, __ATOMIC_RELAXED);
	if (__builtin_expect(bottom - deque->taken_seen >= WYN_FORK_SLOTS, 0)) {
		wyn_fork_slow_(forker, fork);
		return;
	}
	deque->slots[bottom & (WYN_FORK_SLOTS - 1)].fn = wyn_fork_run_;
	deque->slots[bottom & (WYN_FORK_SLOTS - 1)].arg = fork;
	fork->index = bottom;
	__atomic_store_n(&deque->bottom, bottom + 1, __ATOMIC_RELEASE);
	wyn_fork_fence_(forker);
	word = __atomic_load_n(forker->park_word, __ATOMIC_RELAXED);
	/* Nobody searches, and somebody is parked. */
	if (__builtin_expect((word & forker->searching_mask) == 0 &&
				     (word & forker->parked_mask) != 0,
		    0)) {
		wyn_fork_notify_(forker);
	}
}

/*
 * wyn_join - what was forked last has been done when it returns.
 *
 * If another worker has it, helps that worker with what the fork has forked,
 * and when there is nothing of it, waits: in a blocking section in the end. In
 * a forked child, which has no other worker, it runs the fork itself.
 *
 * Thread: the forker's. Gives: the fork. Blocks: until then.
 */
static inline void wyn_join(struct wyn_forker *forker, struct wyn_fork *fork)
{
	struct wyn_fork_deque *deque = forker->deque;
	int64_t index;

	if (__builtin_expect(deque == NULL, 0)) {
		wyn_join_slow_(forker, fork);
		return;
	}
	/* The index from the fork, not from the deque: there it would have to
	 * wait for all the stores of the tasks in between. */
	index = fork->index;
	if (__builtin_expect(
		    __atomic_load_n(&deque->bottom, __ATOMIC_RELAXED) !=
				    index + 1 ||
			    deque->slots[index & (WYN_FORK_SLOTS - 1)].arg !=
				    fork,
		    0)) {
		wyn_join_slow_(forker, fork);
		return;
	}
	__atomic_store_n(&deque->bottom, index, __ATOMIC_RELEASE);
	wyn_fork_fence_(forker);
	if (__builtin_expect(
		    index < __atomic_load_n(&deque->claim, __ATOMIC_RELAXED),
		    0)) {
		/* A thief may want it, or has it. */
		__atomic_store_n(&deque->bottom, index + 1, __ATOMIC_RELEASE);
		wyn_join_slow_(forker, fork);
		return;
	}
	fork->fn(forker, fork);
}

#ifdef __cplusplus
}
#endif
