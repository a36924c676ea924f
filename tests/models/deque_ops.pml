// SPDX-License-Identifier: MIT
/*
 * deque_ops.pml - the steps of scheduler/deque.{h,c}, for other models.
 *
 * One deque of SIZE slots and small indices that begin at SIZE, so that none is
 * negative; an item is its number, `next` the one pushed next; sched_yield is
 * nothing. Everything in struct wyn_deque but taken_seen goes through the store
 * buffers, slots too.
 *
 * Before the include: SIZE, PROCS, SB, and VARS, at least DEQUE_VARS. The model
 * defines took(index), what becomes of an item. Its processes have the locals
 * first, n, i and held, owners index and found_none, thieves length and fenced.
 */
#define bottom	   0
#define claim	   1
#define taken	   2
#define lock	   3
#define slot(i)	   (4 + (i) % SIZE)
#define DEQUE_VARS (4 + SIZE)
#include "tso.pml"

byte taken_seen = SIZE; /* the owner's, and so is: */
byte next = 1;

/* wyn_deque_init, in a d_step. */
inline deque_init()
{
	mem[bottom] = SIZE;
	mem[claim] = SIZE;
	mem[taken] = SIZE
}

/* wyn_deque_trylock */
inline trylock(ret)
{
	load(lock, ret);
	if
	:: ret == 0 -> exchange(lock, 1, ret)
	:: else
	fi;
	ret = !ret
}

/* wyn_deque_lock */
inline lock_deque()
{
	do
	:: trylock(held);
		if
		:: held -> break
		:: else
		fi
	od;
	held = 0
}

/* The holder of the lock takes n items from `first`. */
inline items_take()
{
	i = 0;
	do
	:: i < n -> took(first + i); i++
	:: else -> break
	od;
	i = 0;
	store(taken, first + n)
}

/* index = bottom - 1 has been stored and the claim is above it. */
inline pop_contended()
{
	load(taken, first);
	if
	:: first == index + 1 -> store(bottom, index + 1); found_none = 1
	:: else ->
#ifndef NO_LOCK
		lock_deque();
#endif
		load(taken, first);
		if
		:: first <= index -> took(index)
		:: else -> store(bottom, index + 1); found_none = 1
		fi;
#ifndef NO_LOCK
		store(lock, 0)
#endif
	fi
}

inline pop()
{
	load(bottom, index);
	index--;
	store(bottom, index);
	fence_light();
	load(claim, first);
	if
	:: index < first -> pop_contended()
	:: else -> took(index)
	fi;
	index = 0;
	first = 0
}

inline push()
{
	load(bottom, index);
	if
	:: index - taken_seen > SIZE - 1 ->
#ifdef ROOM_BY_CLAIM
		load(claim, taken_seen)
#else
		load(taken, taken_seen)
#endif
	:: else
	fi;
	if
	:: index - taken_seen <= SIZE - 1 ->
		store(slot(index), next);
		store(bottom, index + 1);
		next++
	:: else
	fi;
	index = 0
}

/* claim, a thief's, with the lock: of the n that it wants it gets n. */
inline claim_items()
{
	store(claim, first + n);
#ifdef LOCAL_FENCE
	DRAINED;
#elif !defined(NO_HEAVY_FENCE)
	fence_heavy();
#endif
#ifndef NO_SECOND_LOOK
	d_step { view(bottom, length); length = length - first }
	if
	:: n > length ->
		n = (length > 0 -> length : 0);
		store(claim, first + n)
	:: else
	fi
#endif
}
