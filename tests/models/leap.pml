// SPDX-License-Identifier: MIT
/*
 * leap.pml - [leap]: a joiner helps the thief of its fork, and nobody else.
 *
 * A thief runs a fork of the joiner's, and inside it perhaps a second one that
 * the joiner waits for first, as when it leapfrogs; it forks and joins,
 * pops, may lend its seat to a spare at any time, and goes on as a worker after
 * the fork's end, as in wyn_fork_run_, join_own and wyn_forker_seat of
 * scheduler/forkjoin.c. The joiner leaps as in join_leap. What it takes was
 * forked inside the fork that it joins, each item is taken once, and nobody
 * touches a fork whose join has returned.
 *
 * Abstracted: of the deque what deque_ops.pml says, and the joiner's own is not
 * here: it has nothing left. Waiting is a loop, not a sleep; what the joiner
 * took is run in one step, and so are the children that are popped.
 *
 * run: short SIZE=3 CHILDREN=1 OTHERS=1 NESTED=0 SB=3
 * run: short SIZE=3 CHILDREN=1 OTHERS=0 NESTED=1 SB=3
 * run: long SIZE=4 CHILDREN=2 OTHERS=1 NESTED=1 SB=3
 * twin: NO_END - the end of the fork leaves the thief's seat in it
 * twin: END_LATE - it takes it out when the join may have returned
 * twin: NO_LEND - who lends its seat leaves it in the forks that it runs
 * twin: LEND_LATE - it takes it out when the spare has the seat
 * twin: NESTED=1 LEND_INNER - it takes it out of the innermost fork only
 * twin: MARK_LATE - the seat is published before the mark
 * twin: NO_MARK - the joiner takes what is older than the fork
 * twin: MARK_BY_BOTTOM - it looks whether the newest item is above the mark
 * twin: NO_SECOND_SEAT - it does not look at the seat again
 * twin: CLAIM_LATE - it looks again before it has claimed an item
 * twin: NO_HEAVY_FENCE - its claim may come too late for the owner's pop
 */
#define PROCS	 3
#define VARS	 (DEQUE_VARS + 7)
#define where(f) (DEQUE_VARS + (f)) /* the fork, 0 or 1, inside 0 */
#define mark(f)	 (DEQUE_VARS + 2 + (f))
#define state(f) (DEQUE_VARS + 4 + (f))
#define seated	 (DEQUE_VARS + 6)
#include "deque_ops.pml"

#define ITEMS (1 + CHILDREN + OTHERS)

byte had;		  /* ghost: a bit for each item that somebody took */
byte inside[ITEMS + 1];	  /* ghost: forked in fork 0, 1; 2; or 0, in neither */
byte unended[3];	  /* ghost: of these, not ended */
byte children = CHILDREN; /* ghost: that may still be forked inside */
byte others = OTHERS;	  /* ghost: that may still be forked after the end */
bool begun[2];		  /* ghost */
bool joined[2];		  /* ghost: its memory may be anything by now */

/* `item` is the caller's, who may only take what was forked inside `want`. */
inline took(index)
{
	d_step {
		view(slot(index), item);
		assert(item > 0 && !(had & (1 << item)));
		had = had | (1 << item);
		assert(inside[item] >= want)
	}
}

/* The end of what was taken. */
inline run_item()
{
	d_step {
		DRAINED && item > 0 ->
		unended[inside[item]]--;
		item = 0
	}
}

inline push_inside(f)
{
	d_step { inside[next] = f; unended[f]++ }
	push()
}

inline pop_and_run()
{
	pop();
	if
	:: found_none -> found_none = 0
	:: else -> run_item()
	fi
}

/* wyn_forker_seat */
inline seat_forks(seat)
{
#ifdef LEND_INNER
	f = (level == 2 -> 1 : 0);
#endif
	do
	:: f < level -> assert(!joined[f]); store(where(f), seat); f++
	:: else -> break
	od;
	f = 0
}

/* wyn_thread_lend */
inline lend()
{
#ifdef LEND_LATE
	has_seat = 0;
	store(seated, 1);
	seat_forks(0)
#else
#ifndef NO_LEND
	seat_forks(0);
#endif
	if
	:: has_seat = 0; store(seated, 1)
	/* There is no spare. */
	:: seat_forks(1)
	fi
#endif
}

/* wyn_fork_run_ up to the body. */
inline fork_begin()
{
	d_step { view(bottom, index); assert(!joined[level]) }
#ifdef MARK_LATE
	store(where(level), 1);
	store(mark(level), index);
#else
	store(mark(level), index);
	store(where(level), 1);
#endif
	index = 0;
	d_step {
		begun[level] = 1;
		level++;
		want = level
	}
}

inline fork_end()
{
	d_step { level--; want = level };
	assert(!joined[level]);
#if !defined(NO_END) && !defined(END_LATE)
	store(where(level), 0);
#endif
	d_step { DRAINED -> mem[state(level)] = 1 }
#ifdef END_LATE
	assert(!joined[level]);
	store(where(level), 0)
#endif
}

proctype thief()
{
	byte me = 0;
	byte index, first, item, n, i, level, want, f;
	bool found_none, held, has_seat = 1, lent;

	fork_begin();
	do
	:: level == 0 -> break
	:: level > 0 && has_seat && children > 0 ->
		children--;
		push_inside(level)
#if NESTED
	/* Its joiner waits for it, in a child of the outer one. */
	:: level == 1 && has_seat && !begun[1] -> fork_begin()
#endif
	/* wyn_worker_descendant; and the inline join, which differs by that
	 * it takes no other than its own. */
	:: level > 0 && has_seat && unended[level] > 0 ->
		load(mark(level - 1), first);
		load(bottom, index);
		if
		:: index > first -> index = 0; first = 0; pop_and_run()
		:: else -> index = 0; first = 0
		fi
	:: level > 0 && has_seat && !lent -> lent = 1; lend()
	/* All have been joined. */
	:: level > 0 && unended[level] == 0 -> fork_end()
	od;
	do
	:: has_seat && others > 0 -> others--; push_inside(0)
	:: has_seat -> pop_and_run()
	:: !has_seat || had == (1 << next) - 2 -> break
	od
}

proctype spare()
{
	byte me = 2;
	byte index, first, item, n, i, want, x;
	bool found_none, held;

end:	d_step { mem[seated] == 1 -> skip }
	do
	:: others > 0 -> others--; push_inside(0)
	:: pop_and_run()
	:: had == (1 << next) - 2 -> break
	od
}

/* wyn_deque_steal_above */
inline steal_above()
{
	load(taken, first);
	d_step {
		view(mark(fork), x);
		view(bottom, length);
#ifdef NO_MARK
		n = (length > first -> 1 : 0);
#elif defined(MARK_BY_BOTTOM)
		n = (length > x && length > first -> 1 : 0);
#else
		n = (first >= x && length > first -> 1 : 0);
#endif
		x = 0
	}
	if
	:: n > 0 ->
#ifdef CLAIM_LATE
		load(where(fork), x);
		claim_items();
#elif defined(NO_SECOND_SEAT)
		claim_items();
		x = seat;
#else
		claim_items();
		load(where(fork), x);
#endif
		if
		:: n > 0 && x == seat -> items_take()
		:: n > 0 && x != seat -> store(claim, first)
		:: else
		fi;
		x = 0
	:: else
	fi
}

inline leap()
{
	load(where(fork), seat);
	if
	:: seat == 0 -> goto none
	:: else
	fi;
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
	steal_above();
	store(lock, 0);
	if
	:: item > 0 -> run_item()
	:: else
	fi;
none:
	skip;
	d_step { first = 0; length = 0; n = 0; held = 0; seat = 0 }
}

proctype joiner()
{
	byte me = 1;
	byte fork, first, item, n, i, fenced, seat, x, want;
	short length;
	bool held;

	/* The inner one first, if it waits for that. */
	if
	:: begun[1] -> fork = 1
	:: fork = 0
	fi;
again:
	want = fork + 1;
	do
	:: load(state(fork), x);
		if
		:: x == 1 -> x = 0; break
		:: else -> leap()
		fi
	od;
	joined[fork] = 1;
	if
	:: fork == 1 -> fork = 0; goto again
	:: else
	fi
}

init
{
	d_step { deque_init() }
	if
	:: skip
	/* The thief's deque was not empty when it stole the fork. */
	:: d_step {
			mem[slot(SIZE)] = 1;
			mem[bottom] = SIZE + 1;
			next = 2;
			unended[0] = 1
		}
	fi;
	atomic {
		run thief();
		run joiner();
		run spare()
	}
}
