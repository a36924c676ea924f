// SPDX-License-Identifier: MIT
/*
 * future.pml - [done] and [cancel]: the life of one future.
 *
 * One process comes to its place in the queue and runs or discards it, as in
 * wyn_future_run and wyn_future_discard of scheduler/future.c. Each user of the
 * handle does OPS things, an await, one with a deadline, one that claims, a
 * cancel or nothing; the last of them drops. The body runs at most once, the
 * slot is freed exactly once and not touched afterwards, a value is read or
 * destroyed and not both, and nobody sleeps for ever.
 *
 * Abstracted: there is no group (its leave touches other memory), the result is
 * always 0, every value has a destructor. A loop of compare-exchanges is one
 * step at its success. futex(2): the compare and the falling asleep are one
 * step; a wake goes to the address and touches nothing. The users agree by
 * their own means on who is the last.
 *
 * run: short USERS=2 OPS=1
 * run: long USERS=2 OPS=2
 * run: long USERS=3 OPS=1
 * twin: START_LOADS - start looks at RAN and DONE, then sets RAN without a CAS
 * twin: STOP_LOADS - cancel likewise with DONE
 * twin: END_STORES - the end is a load and a store
 * twin: WAKE_LOADS - the end looks for the mark after its RMW
 * twin: NO_RECHECK - who awaits sleeps without the futex's compare
 * twin: CONSUME_LOADS - the queue's side looks for DROPPED before its RMW
 * twin: DROP_LOADS - the drop looks for CONSUMED before its RMW only
 * twin: READ_BY_STORE - READ is set by a load and a store
 */
#define PROCS (1 + USERS)
#define VARS  2
#define SB    2
#include "tso.pml"

#define state 0
#define value 1

#define RAN	 1
#define DONE	 2
#define CANCEL	 4
#define CONSUMED 8
#define DROPPED	 16
#define READ	 32
#define WAITER	 128

#define VALUE 7

bool sleeping[PROCS];
bool freed;	     /* ghost */
bool started;	     /* ghost: the body has been entered */
bool read;	     /* ghost: somebody has the value */
bool destroyed;	     /* ghost: its destructor has */
byte using = USERS;  /* ghost: users that have not finished */

/* Every access to the slot begins with it. */
#define TOUCH assert(!freed)

inline fetch_or(flags, ret)
{
	d_step {
		DRAINED ->
		TOUCH;
		ret = mem[state];
		mem[state] = ret | (flags)
	}
}

/* A loop of compare-exchanges that ends when RAN or DONE is there. */
inline set_unless_decided(flags, ret, ret_set)
{
	if
	:: d_step {
			DRAINED && !(mem[state] & (RAN | DONE)) ->
			TOUCH;
			ret = mem[state];
			mem[state] = ret | (flags);
			ret_set = 1
		}
	:: d_step {
			(mem[state] & (RAN | DONE)) ->
			TOUCH;
			ret_set = 0
		}
	fi
}

/* What a twin does instead: the look and the RMW are two steps. */
inline look_then_set(flags, ret, ret_set)
{
	d_step { TOUCH; view(state, ret) }
	if
	:: !(ret & (RAN | DONE)) -> fetch_or(flags, ret); ret_set = 1
	:: else -> ret_set = 0
	fi
}

inline slot_free(before)
{
	if
	:: d_step {
			(before & (RAN | READ)) == RAN ->
			TOUCH;
			view(value, x);
			assert(x == VALUE && !read && !destroyed);
			destroyed = 1;
			x = 0
		}
	:: else
	fi;
	d_step { TOUCH; freed = 1 }
}

inline wake_all(before)
{
	if
	:: d_step {
			(before & WAITER) ->
			sb_i = 0;
			do
			:: sb_i < PROCS -> sleeping[sb_i] = 0; sb_i++
			:: else -> break
			od;
			sb_i = 0
		}
	:: else
	fi
}

inline future_end(flags)
{
#ifdef END_STORES
	d_step { TOUCH; view(state, before) }
	store(state, before | (flags));
#else
	fetch_or(flags, before);
#endif
	assert(!(before & DONE));
	if
	:: before & DROPPED -> slot_free(before)
	:: else ->
#ifdef WAKE_LOADS
		d_step { TOUCH; view(state, before) }
#endif
		wake_all(before)
	fi;
	before = 0
}

inline future_consume()
{
#ifdef CONSUME_LOADS
	d_step { TOUCH; view(state, before) }
	fetch_or(CONSUMED, x);
	x = 0;
#else
	fetch_or(CONSUMED, before);
#endif
	if
	:: before & DROPPED -> slot_free(before)
	:: else
	fi;
	before = 0
}

inline future_start(ret)
{
#ifdef START_LOADS
	look_then_set(RAN, before, ret)
#else
	set_unless_decided(RAN, before, ret)
#endif
}

inline future_stop(flags, ret)
{
#ifdef STOP_LOADS
	look_then_set(CANCEL | DONE | flags, before, ret);
#else
	set_unless_decided(CANCEL | DONE | flags, before, ret);
#endif
	if
	:: ret ->
		wake_all(before);
		if
		:: (before & DROPPED) && ((flags) & CONSUMED) ->
			slot_free(before)
		:: else
		fi
	:: else
	fi;
	before = 0
}

inline future_body()
{
	d_step {
		TOUCH;
		assert(!started);
		started = 1
	}
	store(value, VALUE)
}

/* The place in the queue: wyn_future_run or wyn_future_discard. */
proctype place(byte me)
{
	byte before, x;
	bool won;

	if
	:: future_start(won);
		if
		:: won -> future_body(); future_end(DONE | CONSUMED)
		:: else -> future_consume()
		fi
	:: future_stop(CONSUMED, won);
		if
		:: !won -> future_consume()
		:: else
		fi
	fi
}

/* await_on_word; false after the deadline. */
inline await_on_word(timed)
{
	do
	:: fetch_or(WAITER, x);
		if
		:: x & DONE -> break
		:: else
		fi;
		x = x | WAITER;
		if
#ifdef NO_RECHECK
		:: sleeping[me] = 1
#else
		:: d_step { mem[state] == x -> TOUCH; sleeping[me] = 1 }
		:: d_step { mem[state] != x -> TOUCH; x = 0 }
#endif
		fi;
		if
		:: !sleeping[me]
		:: timed -> sleeping[me] = 0; break
		fi
	od;
	x = 0
}

inline future_read()
{
	d_step { TOUCH; view(state, before) }
	if
	:: (before & DONE) && (before & RAN) ->
		d_step {
			TOUCH;
			view(value, x);
			assert(x == VALUE && !destroyed);
			read = 1;
			x = 0
		}
		if
		:: !(before & READ) ->
#ifdef READ_BY_STORE
			store(state, before | READ)
#else
			fetch_or(READ, before)
#endif
		:: else
		fi
	:: else
	fi;
	before = 0
}

inline future_claim()
{
	future_start(won);
	if
	:: won -> future_body(); future_end(DONE)
	:: else
	fi
}

inline future_cancel()
{
	future_stop(0, won);
	if
	:: !won -> fetch_or(CANCEL, x); x = 0
	:: else
	fi
}

inline future_drop()
{
	d_step { TOUCH; view(state, before) }
	if
	:: before & CONSUMED -> assert(!(before & DROPPED)); slot_free(before)
	:: else ->
#ifdef DROP_LOADS
		fetch_or(DROPPED, x);
		x = 0;
#else
		fetch_or(DROPPED, before);
#endif
		assert(!(before & DROPPED));
		if
		:: before & CONSUMED -> slot_free(before)
		:: else
		fi
	fi
}

proctype user(byte me)
{
	byte before, x, ops;
	bool won, last;

	do
	:: ops == OPS -> break
	:: ops < OPS ->
		ops++;
		if
		:: await_on_word(false); future_read()
		:: await_on_word(true); future_read()
		:: future_claim(); await_on_word(false); future_read()
		:: future_cancel()
		:: skip
		fi
	od;
	skip;
	d_step { DRAINED -> using--; last = using == 0 }
	if
	:: last -> future_drop()
	:: else
	fi
}

init
{
	atomic {
		run place(0);
		run user(1);
		run user(2);
#if USERS > 2
		run user(3)
#endif
	}
	/* All but the memory and this have ended. */
	_nr_pr == 2 -> assert(freed)
}
