// SPDX-License-Identifier: MIT
/*
 * park.pml - [park] and [wake]: no wake-up is lost.
 *
 * Spawners from outside and workers that find, search, park, sleep and wake as
 * in scheduler/park.{h,c} and worker.c. A body may spawn into its worker's own
 * deque, and one may last until all else has run. If an item lies in a queue, a
 * worker that is not in a body comes to it: else all processes would stand
 * still with work left, which spin reports as an invalid end state.
 *
 * Abstracted: a queue is two counts, published by its process through the store
 * buffer, taken in one step whatever the end; its lock is kept, since who finds
 * it held goes elsewhere, and so is the time when items are in no queue. A
 * token is there or its seat sleeps: futex(2) compares by itself. A search has
 * any number of rounds. Whether the epoch has grown since a process read the
 * word is noted for each, so that it never wraps. Fairness, blocking sections,
 * DRAIN and STOP are not here.
 *
 * run: short WORKERS=2 SPAWNERS=1 PUSHES=2 CHILDREN=0
 * run: short WORKERS=2 SPAWNERS=1 PUSHES=1 CHILDREN=1
 * run: long WORKERS=2 SPAWNERS=1 PUSHES=2 CHILDREN=1
 * run: long WORKERS=2 SPAWNERS=2 PUSHES=1 CHILDREN=1
 * twin: NO_FENCE_ENTER - who parks looks before a spawn's push is visible
 * twin: LOCAL_FENCE_ENTER - who parks fences nobody but itself
 * twin: NO_LOOK_ENTER - who parks does not look again
 * twin: NO_FENCE_SEARCH_END - the last searcher looks before a push is visible
 * twin: NO_LOOK_SEARCH_END - the last searcher does not look
 * twin: NO_NOTIFY_MOVED - who moved items does not look at the word
 * twin: SPAWNERS=2 PUSHES=1 CHILDREN=1 NO_EPOCH - the epoch stands still
 */
#define SEARCHING_MAX ((WORKERS + 1) / 2)
#define PROCS	      (WORKERS + SPAWNERS)
#define VARS	      PROCS
#define SB	      2
#include "tso.pml"

/* Queue p is the deque of worker p, or the lane of a spawner, behind them;
 * mem[p] is its bottom or its pushed. */
byte taken[PROCS];
bool lock[PROCS];

/* The word. It is written by read-modify-writes only, so never in a buffer. */
byte searching;
byte top; /* seat + 1 */
byte read[PROCS]; /* 1: the word is read; 2: and its epoch has grown */

byte next[WORKERS];
bool token[WORKERS];

byte todo;		  /* ghost: items published or about to be */
byte done;		  /* ghost: bodies that have ended */
byte spawning = SPAWNERS; /* ghost: spawners that may still push */
byte children = CHILDREN; /* ghost: bodies that may still spawn */
bool lasting;		  /* ghost: some body has chosen to last */

#define ALL_DONE (spawning == 0 && done == todo)

/* wyn_park_notify; wyn_park_is_calm is what its first look says. */
inline notify()
{
	fence_light();
	d_step { s = searching; t = top; read[me] = 1 }
	do
	:: d_step { s > 0 || t == 0 -> read[me] = 0 }
		break
	:: else ->
		n = next[t - 1];
		if
		:: d_step {
				DRAINED && searching == s && top == t &&
					read[me] == 1 ->
				searching++;
				top = n;
				read[me] = 0;
				s = 0;
				n = 0
			}
			token[t - 1] = 1;
			break
		:: d_step {
				searching != s || top != t || read[me] == 2 ->
				s = searching;
				t = top;
				read[me] = 1;
				n = 0
			}
		fi
	od;
	s = 0;
	t = 0
}

/* spawn_local or wyn_lane_push. */
inline push(count)
{
	d_step { view(me, x); x = x + count }
	store(me, x);
	x = 0
}

proctype spawner(byte me)
{
	byte i, x, s, t, n;

	do
	:: i < PUSHES ->
		todo++;
		push(1);
		notify();
		i++
	:: else -> break
	od;
	spawning--
}

/* wyn_pool_has_work: lanes, then deques. */
inline has_work()
{
	q = WORKERS;
	do
	:: d_step { view(q, x); found = x > taken[q]; x = 0 }
		if
		:: found || q == WORKERS - 1 -> break
		:: else -> q = (q + 1) % PROCS
		fi
	od;
	q = 0
}

/* wyn_injector_take of one lane, or wyn_deque_steal. The first item is to be
 * run, the others are on their way. */
inline take_from(p)
{
	if
	:: d_step { mem[p] > taken[p] && !lock[p] && DRAINED -> lock[p] = 1 }
		x = mem[p];
		d_step {
			x = (x > taken[p] -> x - taken[p] : 0);
			moving = (p < WORKERS -> (x + 1) / 2 : x / WORKERS + 1);
			moving = (moving < x -> moving : x);
			taken[p] = taken[p] + moving;
			lock[p] = 0;
			x = 0;
			found = moving > 0;
			moving = (found -> moving - 1 : 0)
		}
	:: d_step { mem[p] <= taken[p] || lock[p] -> x = 0 }
	fi
}

/* The rest of scratch_take. */
inline put_moved()
{
	if
	:: moving > 0 ->
		push(moving);
		moving = 0;
#ifndef NO_NOTIFY_MOVED
		notify()
#endif
	:: else
	fi
}

inline find()
{
	d_step {
		view(me, x);
		found = x > taken[me];
		taken[me] = taken[me] + (found -> 1 : 0);
		x = 0
	}
	q = WORKERS;
	do
	:: found || q == PROCS + WORKERS -> break
	:: else ->
		p = q % PROCS;
		if
		:: p != me -> take_from(p)
		:: else
		fi;
		p = 0;
		q++
	od;
	q = 0;
	put_moved()
}

inline search_begin()
{
	if
	:: d_step {
			searching < SEARCHING_MAX && DRAINED ->
			searching++;
			is_searching = 1
		}
	:: searching >= SEARCHING_MAX
	fi
}

inline search_end()
{
	d_step {
		DRAINED ->
		assert(searching > 0);
		last = searching == 1 && top != 0;
		searching--;
		is_searching = 0
	}
	if
	:: last ->
#ifndef NO_FENCE_SEARCH_END
		fence_heavy();
#endif
#ifndef NO_LOOK_SEARCH_END
		has_work();
#else
		found = 0;
#endif
		if
		:: found -> notify()
		:: else
		fi;
		last = 0
	:: else
	fi;
	found = 1
}

inline search()
{
	do
	:: has_work();
		if
		:: found -> find()
		:: else
		fi;
		if
		:: found -> search_end(); break
		:: !found -> break
		:: !found
		fi
	od
}

/* Inside a d_step. */
inline epoch_grows()
{
#ifndef NO_EPOCH
	sb_i = 0;
	do
	:: sb_i < PROCS ->
		read[sb_i] = (read[sb_i] == 1 -> 2 : read[sb_i]);
		sb_i++
	:: else -> break
	od;
	sb_i = 0
#else
	skip
#endif
}

inline park_enter()
{
	d_step { s = searching; t = top; read[me] = 1; next[me] = t }
	do
	:: d_step {
			DRAINED && searching == s && top == t &&
				read[me] == 1 ->
			searching = searching - is_searching;
			is_searching = 0;
			top = me + 1;
			read[me] = 0;
			epoch_grows()
		}
		break
	:: d_step {
			searching != s || top != t || read[me] == 2 ->
			s = searching;
			t = top;
			read[me] = 1;
			next[me] = t
		}
	od;
	s = 0;
	t = 0;
#ifdef LOCAL_FENCE_ENTER
	DRAINED
#elif !defined(NO_FENCE_ENTER)
	fence_heavy()
#endif
}

inline park()
{
	park_enter();
#ifndef NO_LOOK_ENTER
	has_work();
	if
	:: found -> notify()
	:: else
	fi;
	found = 0;
#endif
	if
	:: token[me] -> token[me] = 0; is_searching = 1
	:: ALL_DONE -> break
	fi
}

inline body()
{
	if
	:: d_step { children > 0 -> children--; todo++ }
		push(1);
		notify()
	:: skip
	fi;
	if
	:: d_step { !lasting -> lasting = 1 }
		spawning == 0 && done == todo - 1
	:: skip
	fi;
	done++;
	found = 0
}

proctype worker(byte me)
{
	byte x, s, t, n, p, q, moving, fenced;
	bool found, is_searching, last;

	do
	:: if
		:: !is_searching -> find()
		:: else
		fi;
		if
		:: !found && !is_searching -> search_begin()
		:: else
		fi;
		if
		:: is_searching -> search()
		:: else
		fi;
		if
		:: found -> body()
		:: else -> park()
		fi
	od
}

init
{
	atomic {
		run worker(0);
		run worker(1);
#if WORKERS > 2
		run worker(2);
#endif
		run spawner(WORKERS);
#if SPAWNERS > 1
		run spawner(WORKERS + 1)
#endif
	}
}
