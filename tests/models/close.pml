// SPDX-License-Identifier: MIT
/*
 * close.pml - [close] and [drain]: pushes from outside against the drain.
 *
 * Producers push from outside while the pool drains, as in wyn_lane_push and
 * wyn_injector_close of scheduler/injector.{h,c}. Workers take, run and count,
 * as in worker.c and spawn.c; one task spawns another, which its worker moves
 * from its deque to its lane (deque_overflow). Every push that was accepted is
 * in the sum once the close has returned, none is accepted later, and when
 * wyn_pool_unfinished says 0 all that was accepted has run.
 *
 * Abstracted: a lane is its counts, taken from one at a time in one step; the
 * deque is passed over, so that the child goes straight to the lane; a body is
 * its end. The drain polls: its sleep on drain_turn is not here.
 *
 * run: short PRODUCERS=1 WORKERS=1 PUSHES=2
 * run: short PRODUCERS=2 WORKERS=1 PUSHES=1
 * run: long PRODUCERS=1 WORKERS=2 PUSHES=2
 * run: long PRODUCERS=2 WORKERS=1 PUSHES=2
 * twin: NO_HEAVY_FENCE - the close looks before pushes inside are visible
 * twin: LOCAL_FENCE - the close fences nobody but itself
 * twin: NO_WAIT - the close does not look who is inside
 * twin: NO_LOOK - a push does not look whether the injector is closed
 * twin: ENDS_LAST - beginnings are summed before ends
 */
#define LANES (PRODUCERS + WORKERS)
#define PROCS (LANES + 1)
#define SB    4
#define VARS  (1 + 5 * LANES)
#include "tso.pml"

/* Process p holds lane p: the producers first, then the workers. */
#define closed	    0
#define pushing(p)  (1 + (p))
#define pushed(p)   (1 + LANES + (p))
#define moved(p)    (1 + 2 * LANES + (p))
#define spawned(p)  (1 + 3 * LANES + (p))
#define finished(p) (1 + 4 * LANES + (p))

byte taken[LANES];
byte outside = PRODUCERS; /* ghost: producers that may still push */
byte accepted;		  /* ghost: pushes that said yes, and children */
byte ran;		  /* ghost: bodies that have ended */
byte counted;		  /* ghost: of these, whose end has been stored */
bool child;		  /* ghost: the one that is spawned inside exists */
byte accepted_outside;	  /* ghost: of these, from outside */
bool has_closed;	  /* ghost: the close has returned */
bool over;		  /* ghost: the drain has */

proctype producer(byte me)
{
	byte n, x;

	do
	:: n < PUSHES ->
		store(pushing(me), 1);
		fence_light();
#ifdef NO_LOOK
		x = 0;
#else
		load(closed, x);
#endif
		if
		:: x == 0 ->
			assert(!has_closed);
			d_step {
				view(pushed(me), x);
				x++;
				accepted++;
				accepted_outside++
			}
			store(pushed(me), x)
		:: else
		fi;
		store(pushing(me), 0);
		x = 0;
		n++
	:: else -> break
	od;
	outside--
}

#if PROCS > 3
#define ALL_DRAINED (sb_len[0] + sb_len[1] + sb_len[2] + sb_len[3] == 0)
#else
#define ALL_DRAINED (sb_len[0] + sb_len[1] + sb_len[2] == 0)
#endif

#define QUEUED(p) (mem[pushed(p)] > taken[p])

/* spawn_local, then deque_overflow. */
inline spawn_inside()
{
	store(spawned(me), 1);
	store(pushed(me), 1);
	store(moved(me), 1)
}

proctype worker(byte me)
{
	byte x;
	bool found;

	do
	:: d_step { !found && DRAINED && QUEUED(0) -> taken[0]++; found = 1 }
	:: d_step { !found && DRAINED && QUEUED(1) -> taken[1]++; found = 1 }
#if LANES > 2
	:: d_step { !found && DRAINED && QUEUED(2) -> taken[2]++; found = 1 }
#endif
#if LANES > 3
	:: d_step { !found && DRAINED && QUEUED(3) -> taken[3]++; found = 1 }
#endif
	:: found ->
		if
		:: d_step { !child -> child = 1; accepted++ };
			spawn_inside()
		:: skip
		fi;
		ran++;
		d_step { view(finished(me), x); x++ }
		store(finished(me), x);
		counted++;
		x = 0;
		found = 0
	:: !found && over -> break
	od
}

/* wyn_injector_close. */
inline close()
{
	store(closed, 1);
#ifdef LOCAL_FENCE
	DRAINED;
#elif !defined(NO_HEAVY_FENCE)
	fence_heavy();
#endif
	p = 0;
	do
	:: p < LANES ->
#ifndef NO_WAIT
		do
		:: load(pushing(p), x);
			if
			:: x == 0 -> break
			:: else -> x = 0
			fi
		od;
#endif
		p++
	:: else -> break
	od;
	p = 0
}

/* Every push that was accepted is in the sum, and there will be no more. */
inline check_accepted()
{
	d_step {
		p = 0;
		do
		:: p < PRODUCERS -> begun = begun + mem[pushed(p)]; p++
		:: else -> break
		od;
		assert(begun == accepted_outside);
		p = 0
	}
}

inline sum_begun()
{
	p = 0;
	do
	:: p < LANES ->
		load(moved(p), x);
		begun = begun - x;
		load(pushed(p), x);
		begun = begun + x;
		x = 0;
		p++
	:: else -> break
	od;
	p = PRODUCERS;
	do
	:: p < LANES -> load(spawned(p), x); begun = begun + x; x = 0; p++
	:: else -> break
	od;
	p = 0
}

inline sum_ended()
{
	p = PRODUCERS;
	do
	:: p < LANES -> load(finished(p), x); ended = ended + x; x = 0; p++
	:: else -> break
	od;
	p = 0
}

proctype drain(byte me)
{
	byte p, x, fenced, ended;
	short begun;
	bool quiet;

	close();
	has_closed = 1;
	check_accepted();
	do
	:: d_step {
			begun = 0;
			ended = 0;
			/* Nothing can change any more. */
			quiet = outside == 0 && counted == accepted &&
				ALL_DRAINED
		}
#ifdef ENDS_LAST
		sum_begun();
		sum_ended();
#else
		sum_ended();
		sum_begun();
#endif
		if
		:: begun == ended -> break
		:: else -> assert(!quiet)
		fi
	od;
	assert(ran == accepted);
	over = 1
}

init
{
	atomic {
		run producer(0);
#if PRODUCERS > 1
		run producer(1);
#endif
		run worker(PRODUCERS);
#if WORKERS > 1
		run worker(PRODUCERS + 1);
#endif
		run drain(LANES)
	}
}
