// SPDX-License-Identifier: MIT
/*
 * pad.h - what a child begins from: the memory that it uses of ours until it
 * has executed.
 *
 *	free		nobody's
 *	acquired	a message is read into it, and a child made ready
 *	flying		a child has it; we may not touch it
 *	landed		the child has executed, or is dead: it is free again
 *
 * That a child has executed the kernel says by `busy`, which is looked at when
 * a pad is wanted; that it is dead, by wait4(2). So there are as many as
 * children were on their way at a time, and some are kept. Of a child that has
 * a copy of our memory (clone.h) only its death is seen.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/list.h"
#include "proto/arena.h"
#include "spawner/child.h"
#include "spawner/program.h"
#include "spawner/user.h"

/* The arena of a message of one packet, its command and what is made of it. */
#define WYN_PAD_BYTES (2u << 20)

/* Free ones that are kept, and what their arenas have together: the peak of
 * every command has that in it (wyn_loop_forget_peak()). */
#define WYN_PADS_KEPT_MAX	16u
#define WYN_PADS_KEPT_BYTES_MAX (1u << 20)

/* Of those that fly, so many are looked at when one is wanted: each adds
 * one, so none is forgotten. */
#define WYN_PADS_LOOKS 4u

struct wyn_command;

struct wyn_pad {
	struct wyn_list link; /* of the free, or of those that fly */
	void *stack;	      /* of the child */
	void *memory;
	size_t bytes; /* of memory */
	struct wyn_arena arena;
	struct wyn_command *command; /* NULL = it has no child */
	pid_t busy; /* [A busy] the kernel's until it is 0, see clone.h */
	/* The child's. */
	struct wyn_child child;
	struct wyn_program program;
	struct wyn_user user;
	struct wyn_child_report report;
};

struct wyn_pads {
	struct wyn_list free;
	size_t free_count;
	struct wyn_list flying;
	bool grown; /* more was taken than is kept: wyn_loop_forget_peak() */
};

void wyn_pads_init(struct wyn_pads *pads);

/* wyn_pads_fini - gives all of them back. No child is on its way any more. */
void wyn_pads_fini(struct wyn_pads *pads);

/*
 * wyn_pad_acquire - one whose arena has `bytes`, or more, and is empty.
 *
 * Owns: the caller's, until wyn_pad_release() or wyn_pad_fly(). Returns: NULL:
 * no memory.
 */
struct wyn_pad *wyn_pad_acquire(struct wyn_pads *pads, size_t bytes);

/* wyn_pad_release - nobody uses what is in it. */
void wyn_pad_release(struct wyn_pads *pads, struct wyn_pad *pad);

/* wyn_pad_fly - the command's child has it, from clone on. Owns: takes it. */
void wyn_pad_fly(struct wyn_pads *pads, struct wyn_pad *pad,
	struct wyn_command *command);

/* wyn_pad_land - the command's child has executed, or is dead. Its pad is
 * released, if it still has one. */
void wyn_pad_land(struct wyn_pads *pads, struct wyn_command *command);
