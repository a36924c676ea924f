// SPDX-License-Identifier: MIT
/*
 * post.h - what other threads ask of a loop's engine.
 *
 * What belongs to a loop is its thread's alone. Whoever wants something of it
 * posts: a struct of its own with a function, which the loop runs in its turn.
 * So one loop asks another, and a thread that did something slow tells the
 * loop that it has. Nobody waits, and nothing is allocated here.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

struct wyn_engine;

#define WYN_POSTS_TURN_MAX 64u /* run in one turn */

/* The first member of what it needs. */
struct wyn_post {
	struct wyn_post *next; /* the mailbox's, while it is in there */
	/*
	 * Once for each post, on the engine's loop, and not for long. The post
	 * is its own again: it may free itself, or post itself elsewhere.
	 * NULL = the daemon has ended and there are no loops: it only gives
	 * back what it holds, and posts nothing. Thread: loop; boot with NULL.
	 */
	void (*run)(struct wyn_post *post, struct wyn_engine *engine);
};

/* An engine's. All zero bytes are an empty one. */
struct wyn_mailbox {
	_Atomic(struct wyn_post *) pushed; /* [A post] the last one first */
	struct wyn_post *left;		   /* [L] taken, oldest first */
};

/*
 * wyn_engine_post - the engine's loop is to run it.
 *
 * Those that one thread posts to one engine run in that order. The loop must
 * not have been destroyed: another loop's thread may post, any other thread
 * ends before. Thread: any. Owns: takes the post, until it runs. Blocks: no.
 */
void wyn_engine_post(struct wyn_engine *engine, struct wyn_post *post);

/* wyn_engine_posts_run - its part of a turn: up to WYN_POSTS_TURN_MAX of
 * them. Thread: loop. */
void wyn_engine_posts_run(struct wyn_engine *engine);

/* wyn_engine_posts_left - some did not fit the turn; those that come from now
 * on wake the loop. Thread: loop. */
bool wyn_engine_posts_left(const struct wyn_engine *engine);

/* wyn_engine_posts_end - runs what is left without an engine. Thread: boot. */
void wyn_engine_posts_end(struct wyn_engine *engine);
