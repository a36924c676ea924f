// SPDX-License-Identifier: MIT
/*
 * deque.pml - [steal]: the last element, and a steal of several.
 *
 * An owner that pushes, pops and sheds in any order against thieves that steal
 * up to STEAL_MAX at once, ATTEMPTS times, as in scheduler/deque.{h,c}. Each
 * item is taken exactly once.
 *
 * Abstracted: what deque_ops.pml says, which has the steps.
 *
 * run: short SIZE=4 ITEMS=4 THIEVES=1 ATTEMPTS=1 SB=2
 * run: short SIZE=2 ITEMS=3 THIEVES=1 ATTEMPTS=2 SB=3
 * run: long SIZE=4 ITEMS=5 THIEVES=1 ATTEMPTS=3 SB=3
 * run: long SIZE=2 ITEMS=3 THIEVES=2 ATTEMPTS=1 SB=3
 * twin: NO_HEAVY_FENCE - the thief loads `bottom` before its claim is seen
 * twin: LOCAL_FENCE - the thief fences nobody but itself
 * twin: NO_SECOND_LOOK - the thief keeps what it claimed whatever the owner did
 * twin: NO_LOCK - the owner decides about the last item without the lock
 * twin: SIZE=2 ROOM_BY_CLAIM - slots are reused before the thief has read them
 */
#define STEAL_MAX 2 /* of three */

#define PROCS (1 + THIEVES)
#define VARS  DEQUE_VARS
#include "deque_ops.pml"

byte had; /* ghost: a bit for each item that somebody took */
byte thieves = THIEVES;

init
{
	d_step { deque_init() }
	atomic {
		run owner();
		run thief(1);
#if THIEVES > 1
		run thief(2)
#endif
	}
}

inline took(index)
{
	d_step {
		view(slot(index), item);
		assert(item > 0 && !(had & (1 << item)));
		had = had | (1 << item);
		item = 0
	}
}

/* wyn_deque_shed_begin and wyn_deque_shed_end, with nothing that stays. */
inline shed()
{
	lock_deque();
	load(taken, first);
	d_step { view(bottom, index); n = (index > first -> 1 : 0) }
	store(claim, first + n);
	items_take();
	store(lock, 0);
	index = 0;
	first = 0;
	n = 0
}

proctype owner()
{
	byte me = 0;
	byte index, first, item, n, i;
	bool found_none, held;

	do
	:: next <= ITEMS -> push()
	:: pop();
		if
		:: found_none && next > ITEMS -> break
		:: else -> found_none = 0
		fi
	:: next > 1 -> shed()
	od;
	/* Whatever is not here is with a thief. */
	thieves == 0;
	assert(had == (1 << (ITEMS + 1)) - 2)
}

/* wyn_deque_steal; wyn_deque_steal_above is one of these. */
inline steal()
{
	load(taken, first);
	load(bottom, length);
	if
	:: length <= first -> goto none
	:: else
	fi;
	trylock(held);
	if
	:: !held -> goto none
	:: else
	fi;
	load(taken, first);
	d_step {
		view(bottom, length);
		length = length - first;
		n = (length > 0 -> (length + 1) / 2 : 0);
		n = (n < STEAL_MAX -> n : STEAL_MAX)
	}
	if
	:: n > 0 ->
		claim_items();
		/* The oldest may be one that is taken alone. */
		if
		:: n > 1 -> n = 1; store(claim, first + 1)
		:: skip
		fi;
		if
		:: n > 0 -> items_take()
		:: else
		fi
	:: else
	fi;
	store(lock, 0);
none:
	skip;
	d_step { first = 0; length = 0; n = 0; held = 0 }
}

proctype thief(byte me)
{
	byte first, item, n, i, fenced, attempts;
	short length;
	bool held;

	do
	:: attempts < ATTEMPTS -> steal(); attempts++
	:: else -> break
	od;
	thieves--
}
