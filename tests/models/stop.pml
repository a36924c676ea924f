// SPDX-License-Identifier: MIT
/*
 * stop.pml - [park] and [wake] with STOP: the last look at the queues.
 *
 * A pool is destroyed round tasks that spawn: by a body that has its worker's
 * deque, and by one that lent its seat and spawns into its lane. Workers find,
 * move, park and end as in scheduler/worker.c and thread.c; whoever ends, and
 * whoever sees STOP after it has put items into a queue, empties the queues, as
 * in wyn_pool_discard of spawn.c. A body may wait until all tasks but those
 * that wait like it have been run or discarded: if one were left in a queue
 * with nobody to come for it, that would be for ever, which spin reports as an
 * invalid end state. When all have ended each task has ended once.
 *
 * Abstracted: queues as in park.pml. The word is STOP alone, and a sleeper may
 * wake whenever there is work to be seen: the rest is in park.pml. That an item
 * is taken once is in deque.pml, how a discarded one ends in future.pml. What
 * overflows from a deque is never in no queue.
 *
 * run: short WORKERS=2 PUSHES=2 CHILDREN=0
 * run: short WORKERS=2 PUSHES=1 CHILDREN=1
 * run: long WORKERS=2 PUSHES=2 CHILDREN=1
 * twin: NO_HEAVY_FENCE - the last look comes before a push is visible
 * twin: NO_LOOK_SPAWN - a spawn does not look at STOP
 * twin: LOOK_FIRST - it looks before it has pushed
 * twin: NO_LOOK_MOVED - who moved items to its deque does not look
 * twin: NO_DISCARD - a thread ends without looking at the queues
 * twin: ONE_ROUND - who discards goes away although another was inside a queue
 * twin: WAKE_FIRST - the sleepers are woken, then STOP is raised
 */
#define PROCS (WORKERS + 1)
#define VARS  PROCS
#define SB    2
#include "tso.pml"

/* Queue p is the deque of worker p, the last the lane of `inside`; mem[p] is
 * its bottom or its pushed. */
byte taken[PROCS];
bool lock[PROCS];

#define QUEUED(p) (mem[p] > taken[p])
#if WORKERS > 2
#define WORK_QUEUED (QUEUED(0) || QUEUED(1) || QUEUED(2) || QUEUED(3))
#else
#define WORK_QUEUED (QUEUED(0) || QUEUED(1) || QUEUED(2))
#endif

bool stopped; /* in the word, which RMWs alone write */
bool token[WORKERS];

byte todo;		  /* ghost: items published or about to be */
byte ended;		  /* ghost: of these, run or discarded */
byte lasting;		  /* ghost: bodies of these that wait */
byte children = CHILDREN; /* ghost: bodies that may still spawn */
byte polling;		  /* ghost: of the lasting, without an await */

inline has_work()
{
	do
	:: d_step { found || q == PROCS -> q = 0 }
		break
	:: d_step {
			!found && q < PROCS ->
			view(q, x);
			found = x > taken[q];
			x = 0;
			q++
		}
	od
}

/* As in park.pml, of the queue q % PROCS. */
#define FROM (q % PROCS)
inline take(most)
{
	if
	:: d_step {
			mem[FROM] > taken[FROM] && !lock[FROM] && DRAINED ->
			lock[FROM] = 1;
			x = mem[FROM] - taken[FROM];
			moving = (FROM < WORKERS -> (x + 1) / 2 :
				x / WORKERS + 1);
			moving = (moving < x -> moving : x);
			moving = (moving < most -> moving : most)
		}
		d_step {
			/* The owner may have taken some of them. */
			x = mem[FROM];
			x = (x > taken[FROM] -> x - taken[FROM] : 0);
			moving = (moving < x -> moving : x);
			x = 0;
			taken[FROM] = taken[FROM] + moving;
			lock[FROM] = 0;
			found = moving > 0;
			q++
		}
	:: d_step { mem[FROM] <= taken[FROM] || lock[FROM] -> q++ }
	fi
}

/* wyn_pool_discard */
inline discard()
{
#ifndef NO_HEAVY_FENCE
	fence_heavy();
#endif
	do
	:: has_work();
		if
		:: found -> found = 0
		:: else -> break
		fi;
		do
		:: q < PROCS ->
			take(1);
			d_step { ended = ended + moving; moving = 0; found = 0 }
		:: else -> q = 0; break
		od;
#ifdef ONE_ROUND
		break
#endif
	od
}

inline look_and_discard()
{
	fence_light();
	if
	:: stopped -> discard()
	:: !stopped
	fi
}

inline push(count)
{
	d_step {
		sb_len[me] < SB ->
		view(me, x);
		x = x + count;
		put(me, x);
		x = 0
	}
}

inline spawn()
{
#ifdef LOOK_FIRST
	look_and_discard();
	push(1)
#else
	push(1);
#ifndef NO_LOOK_SPAWN
	look_and_discard()
#endif
#endif
}

inline find()
{
	d_step {
		view(me, x);
		found = x > taken[me];
		taken[me] = taken[me] + (found -> 1 : 0);
		x = 0
	}
	q = me + 1;
	do
	:: d_step { found || q == me + PROCS -> q = 0 }
		break
	:: else -> take(PUSHES + CHILDREN)
	od;
	if
	:: moving > 1 ->
		push(moving - 1);
		moving = 0;
#ifndef NO_LOOK_MOVED
		look_and_discard();
#endif
		found = 1
	:: else -> moving = 0
	fi
}

/* Waits for whatever is not waiting itself. With a seat, and without an await
 * that gives the seat away or discards, not all workers may do so. */
inline last(mine)
{
	lasting = lasting + mine;
	ended + lasting == todo;
	lasting = lasting - mine
}

inline body()
{
	if
	:: d_step { children > 0 -> children--; todo++ }
		spawn()
	:: skip
	fi;
	if
	:: d_step { polling < WORKERS - 1 -> polling++ }
		last(1);
		polling--
	:: stopped -> discard(); last(1)
	:: skip
	fi;
	d_step { ended++; found = 0 }
}

inline sleep()
{
	if
	:: d_step { token[me] && DRAINED -> token[me] = 0 }
	:: d_step { !token[me] && DRAINED -> skip }
		if
		:: stopped
		:: !stopped ->
			d_step { token[me] || WORK_QUEUED -> token[me] = 0 }
		fi
	fi
}

proctype worker(byte me)
{
	byte x, q, moving, fenced;
	bool found;

	do
	:: stopped -> break
	:: !stopped ->
		find();
		if
		:: found -> body()
		:: else -> sleep()
		fi
	od;
#ifndef NO_DISCARD
	discard()
#endif
}

/* A body that has lent its seat. */
proctype inside(byte me)
{
	byte i, x, q, moving, fenced;
	bool found;

	do
	:: i < PUSHES -> todo++; spawn(); i++
	:: else -> break
	od;
	if
	:: last(0)
	:: skip
	fi
}

/* wyn_park_raise; the seats are woken in one step. */
inline wake_seats()
{
	d_step {
		token[0] = 1;
		token[1] = 1;
#if WORKERS > 2
		token[2] = 1
#endif
	}
}

proctype destroy()
{
#ifdef WAKE_FIRST
	wake_seats();
#endif
	stopped = 1;
#ifndef WAKE_FIRST
	wake_seats()
#endif
}

init
{
	atomic {
		run worker(0);
		run worker(1);
#if WORKERS > 2
		run worker(2);
#endif
		run inside(WORKERS);
		run destroy()
	}
	/* All but the memory and this have ended. */
	_nr_pr == 2 -> assert(ended == todo)
}
