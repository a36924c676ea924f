// SPDX-License-Identifier: MIT
/*
 * tso.pml - a memory with a store buffer per process, for the other models.
 *
 * Stores go into the process's own buffer, first in first out, and from there
 * to memory whenever `memory` likes; loads look into the own buffer first.
 * That is x86's order, the only reordering being a store that passes a later
 * load of its own process. What is atomic or a full fence waits until the own
 * buffer is empty. membarrier waits until each other buffer has been empty once
 * since it began, in any order: every running thread has fenced by then.
 * It notes them as soon as it can, since noting one late only makes it last
 * longer, and every process may pause anyway: a sixth of park's states less.
 *
 * Before the include: PROCS (2 to 5), VARS and SB, the places of a buffer. Each
 * process that uses it has a local `me` below PROCS, and a local `fenced` if it
 * calls fence_heavy.
 */

byte mem[VARS];
byte sb_len[PROCS];
byte sb_var[PROCS * SB];
byte sb_val[PROCS * SB];
hidden byte sb_i;

/* Inside a d_step, where there is room. */
inline put(v, x)
{
	sb_var[me * SB + sb_len[me]] = v;
	sb_val[me * SB + sb_len[me]] = x;
	sb_len[me]++
}

inline store(v, x)
{
	d_step { sb_len[me] < SB -> put(v, x) }
}

/* Inside a d_step. */
inline view(v, ret)
{
	ret = mem[v];
	sb_i = 0;
	do
	:: sb_i < sb_len[me] ->
		if
		:: sb_var[me * SB + sb_i] == v -> ret = sb_val[me * SB + sb_i]
		:: else
		fi;
		sb_i++
	:: else -> break
	od;
	sb_i = 0
}

inline load(v, ret)
{
	d_step { view(v, ret) }
}

/* The first statement of every atomic read-modify-write. */
#define DRAINED (sb_len[me] == 0)

inline exchange(v, x, ret)
{
	d_step {
		DRAINED ->
		ret = mem[v];
		mem[v] = x
	}
}

/* Nothing but a barrier to the compiler, and spin is none. */
inline fence_light()
{
	skip
}

#define UNFENCED(p) (!(fenced & (1 << (p))) && sb_len[p] == 0)

#if PROCS > 4
#define SOME_UNFENCED                                             \
	(UNFENCED(0) || UNFENCED(1) || UNFENCED(2) || UNFENCED(3) || \
		UNFENCED(4))
#elif PROCS > 3
#define SOME_UNFENCED \
	(UNFENCED(0) || UNFENCED(1) || UNFENCED(2) || UNFENCED(3))
#elif PROCS > 2
#define SOME_UNFENCED (UNFENCED(0) || UNFENCED(1) || UNFENCED(2))
#else
#define SOME_UNFENCED (UNFENCED(0) || UNFENCED(1))
#endif

/* All whose buffer is empty now. */
inline fence_some()
{
	sb_i = 0;
	do
	:: sb_i < PROCS ->
		fenced = fenced | (sb_len[sb_i] == 0 -> 1 << sb_i : 0);
		sb_i++
	:: else -> break
	od;
	sb_i = 0
}

inline fence_heavy()
{
	d_step { DRAINED -> fence_some() }
	do
	:: fenced == (1 << PROCS) - 1 -> break
	:: d_step { SOME_UNFENCED -> fence_some() }
	od;
	fenced = 0
}

inline sb_flush(p)
{
	d_step {
		sb_len[p] > 0 ->
		mem[sb_var[p * SB]] = sb_val[p * SB];
		sb_len[p]--;
		sb_i = 0;
		do
		:: sb_i < sb_len[p] ->
			sb_var[p * SB + sb_i] = sb_var[p * SB + sb_i + 1];
			sb_val[p * SB + sb_i] = sb_val[p * SB + sb_i + 1];
			sb_i++
		:: else -> break
		od;
		sb_var[p * SB + sb_len[p]] = 0;
		sb_val[p * SB + sb_len[p]] = 0
	}
}

active proctype memory()
{
end:
	do
	:: sb_flush(0)
	:: sb_flush(1)
#if PROCS > 2
	:: sb_flush(2)
#endif
#if PROCS > 3
	:: sb_flush(3)
#endif
#if PROCS > 4
	:: sb_flush(4)
#endif
	od
}
