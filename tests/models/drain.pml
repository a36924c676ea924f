// SPDX-License-Identifier: MIT
/*
 * drain.pml - [drain]: the drain's sleep, and workers that run out of work.
 *
 * Workers take, run, perhaps spawn, count, and park when they like, as in
 * scheduler/worker.c; where DRAIN is up they then say so, as in wyn_pool_quiet
 * of drain.c. Threads that wait for the end of all work, one of them perhaps
 * with a deadline, raise DRAIN, look at the counts and sleep on drain_turn.
 * None of them sleeps for ever, which spin would report as an invalid end
 * state, and none says that all is finished when it is not.
 *
 * Abstracted: a queue is its counts, taken from in one step; nothing comes from
 * outside any more (close.pml). A parked worker may wake when there is work to
 * be seen (park.pml). Whether drain_turn has changed since a waiter's load is
 * a flag for each, so that it never wraps; futex(2): the compare and the
 * falling asleep are one step. What waiters_lock guards is one step too. All
 * threads are there from the beginning; one that lent its seat says that it is
 * out of work by an RMW on the word as one that parks does. tell_early is not
 * here: it only says so once more.
 *
 * run: short WORKERS=2 WAITERS=1 TASKS=2 CHILDREN=1
 * run: short WORKERS=2 WAITERS=2 TASKS=1 CHILDREN=1
 * run: long WORKERS=2 WAITERS=2 TASKS=2 CHILDREN=1
 * run: long WORKERS=3 WAITERS=1 TASKS=2 CHILDREN=1
 * twin: TURN_LATE - the turn is loaded after the look
 * twin: RAISE_LATE - DRAIN is raised after the look
 * twin: NO_COMPARE - the drain sleeps whatever the turn is
 * twin: FLAGS_LOAD - a worker looks at the flags by a load
 * twin: COUNT_LATE - it looks at them before it has counted
 * twin: NO_TURN - it wakes the drain without changing the turn
 * twin: WAKE_FIRST - it wakes the drain, then changes the turn
 * twin: WAITERS=2 LOWER_ALWAYS - the first waiter that leaves takes DRAIN away
 * twin: BEGUN_LATE - a child can be seen before its beginning is counted
 */
#define PROCS	    (WORKERS + 1) /* waiters store nothing */
#define VARS	    (3 * WORKERS)
#define SB	    3
#define pushed(p)   (p)
#define spawned(p)  (WORKERS + (p))
#define finished(p) (2 * WORKERS + (p))
#include "tso.pml"

/* The first worker's count is the injector's too. */
byte taken[WORKERS];

bool raised; /* DRAIN in the word, which RMWs alone write */
byte waiters;
bool turned[WAITERS]; /* drain_turn is not what the waiter has loaded */
bool sleeping[WAITERS];

byte todo = TASKS;	  /* ghost */
byte ran;		  /* ghost: bodies that have ended */
byte children = CHILDREN; /* ghost: that may still be spawned */
byte returned;		  /* ghost: waiters that have */

#define QUEUED(p) (mem[pushed(p)] > taken[p])
#if WORKERS > 2
#define WORK_QUEUED (QUEUED(0) || QUEUED(1) || QUEUED(2))
#elif WORKERS > 1
#define WORK_QUEUED (QUEUED(0) || QUEUED(1))
#else
#define WORK_QUEUED QUEUED(0)
#endif

/* One more, in the worker's own count. */
inline count(v)
{
	d_step {
		sb_len[me] < SB ->
		view(v, x);
		x++;
		put(v, x);
		x = 0
	}
}

/* wyn_pool_quiet */
inline turn()
{
	d_step {
		DRAINED ->
		turned[0] = 1;
#if WAITERS > 1
		turned[1] = 1
#endif
	}
}

inline wake()
{
	d_step {
		sleeping[0] = 0;
#if WAITERS > 1
		sleeping[1] = 0
#endif
	}
}

inline quiet()
{
#ifdef WAKE_FIRST
	wake();
	turn()
#else
#ifndef NO_TURN
	turn();
#endif
	wake()
#endif
}

/* wyn_park_enter or wyn_park_flags, and what follows. */
inline out_of_work()
{
#ifdef FLAGS_LOAD
	drain = raised;
#else
	d_step { DRAINED -> drain = raised }
#endif
#ifdef COUNT_LATE
	do
	:: uncounted > 0 -> uncounted--; count(finished(me))
	:: else -> break
	od;
#endif
	if
	:: drain -> drain = 0; quiet()
	:: else -> drain = 0
	fi
}

inline body()
{
	if
	:: d_step { children > 0 -> children--; todo++ }
#ifdef BEGUN_LATE
		count(pushed(me));
		count(spawned(me))
#else
		count(spawned(me));
		count(pushed(me))
#endif
	:: skip
	fi;
	ran++;
#ifdef COUNT_LATE
	uncounted++
#else
	count(finished(me))
#endif
}

proctype worker(byte me)
{
	byte x, uncounted;
	bool drain;

	do
	:: d_step { QUEUED(0) && DRAINED -> taken[0]++ }
		body()
#if WORKERS > 1
	:: d_step { QUEUED(1) && DRAINED -> taken[1]++ }
		body()
#endif
#if WORKERS > 2
	:: d_step { QUEUED(2) && DRAINED -> taken[2]++ }
		body()
#endif
	:: out_of_work();
		if
		:: WORK_QUEUED
		:: returned == WAITERS -> break
		fi
	od
}

inline sum_ended()
{
	do
	:: d_step { p < WORKERS -> ended = ended + mem[finished(p)]; p++ }
	:: d_step { p == WORKERS -> p = 0 }
		break
	od
}

inline sum_begun()
{
	do
	:: d_step { p < WORKERS -> begun = begun + mem[spawned(p)]; p++ }
	:: d_step { p == WORKERS -> p = 0 }
		break
	od
}

/* wyn_pool_unfinished; the tasks from outside are a constant by now. */
inline unfinished()
{
	d_step { begun = TASKS; ended = 0 }
	sum_ended();
	sum_begun();
	x = begun != ended;
	d_step {
		begun = 0;
		ended = 0;
		/* It is all finished, then. */
		assert(x || ran == todo)
	}
}

inline raise()
{
	d_step { waiters++; raised = 1 }
}

inline lower()
{
	d_step {
		waiters--;
#ifdef LOWER_ALWAYS
		raised = 0
#else
		raised = waiters > 0
#endif
	}
}

/* wyn_pool_drain or wyn_pool_wait_until. */
proctype waiter(byte who)
{
	byte p, begun, ended;
	bool x;

#ifndef RAISE_LATE
	raise();
#endif
	do
	::
#ifndef TURN_LATE
		turned[who] = 0;
#endif
		unfinished();
		if
		:: !x -> break
		:: else -> x = 0
		fi;
#ifdef TURN_LATE
		turned[who] = 0;
#endif
#ifdef RAISE_LATE
		if
		:: waiters == 0 -> raise()
		:: else
		fi;
#endif
		if
#ifdef NO_COMPARE
		:: sleeping[who] = 1
#else
		:: d_step { !turned[who] -> sleeping[who] = 1 }
		:: turned[who]
#endif
		fi;
		if
		:: !sleeping[who]
		/* The deadline; it looks once more. */
		:: who == 1 -> sleeping[who] = 0; unfinished(); break
		fi
	od;
	lower();
	returned++
}

init
{
	mem[pushed(0)] = TASKS;
	atomic {
		run worker(0);
#if WORKERS > 1
		run worker(1);
#endif
#if WORKERS > 2
		run worker(2);
#endif
		run waiter(0);
#if WAITERS > 1
		run waiter(1)
#endif
	}
}
