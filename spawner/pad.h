// SPDX-License-Identifier: MIT
/*
 * pad.h - what a child begins from: the memory that it uses of ours until it
 * has executed.
 *
 *	free		nobody's
 *	taken		a message is read into it, and a child made ready
 *	on its way	a child has it; we may not touch it
 *	landed		the child has executed, or is dead
 *
 * The kernel tells of the last step, by `busy`: of one that has executed it is
 * seen when a pad is wanted, of one that is dead when it was waited for. So
 * there are as many as children were on their way at a time, and some are kept.
 * Of one that has a copy of our memory (clone.h) it is seen by its death alone.
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

/* Free ones that are kept. */
#define WYN_PADS_KEPT_MAX 16u

/* Of those on their way, so many are looked at when one is wanted: each adds
 * one, so none is forgotten. */
#define WYN_PADS_LOOKS 4u

struct wyn_command;

struct wyn_pad {
	struct wyn_list link; /* of its pads */
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
	struct wyn_list flying; /* on their way */
	bool grown;		/* memory was taken that most never need */
};

void wyn_pads_init(struct wyn_pads *pads);

/* wyn_pads_fini - no child is on its way any more. */
void wyn_pads_fini(struct wyn_pads *pads);

/*
 * wyn_pads_take - one whose arena has `bytes`, or more.
 *
 * Owns: the caller's, until wyn_pad_release() or wyn_pad_fly(). Returns: NULL:
 * no memory.
 */
struct wyn_pad *wyn_pads_take(struct wyn_pads *pads, size_t bytes);

/* wyn_pad_release - nobody uses what is in it. */
void wyn_pad_release(struct wyn_pads *pads, struct wyn_pad *pad);

/* wyn_pad_fly - a child of the command has it. */
void wyn_pad_fly(struct wyn_pads *pads, struct wyn_pad *pad,
	struct wyn_command *command);

/* wyn_pad_land - the command's child is dead, or its pad is not wanted. */
void wyn_pad_land(struct wyn_pads *pads, struct wyn_command *command);
