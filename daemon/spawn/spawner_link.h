// SPDX-License-Identifier: MIT
/*
 * spawner_link.h - the spawner of an executor, and the socket to it.
 *
 *	NONE		a command		CONFIGURING, PAUSED
 *	CONFIGURING	Ready / it breaks	READY / PAUSED
 *	READY		it breaks		PAUSED
 *	PAUSED		the timer		CONFIGURING, PAUSED, NONE
 *
 * PAUSED for no time at first, for more and more when it breaks again and again
 * and no command has ended in between; NONE when nobody waits for it, or when
 * those who do were refused. The loop's thread only.
 */
#pragma once

#include "base/compiler.h"

struct wyn_spawn;
struct wyn_spawner_child;
struct wyn_spawner_link;

/* wyn_spawner_init - none is there. */
void wyn_spawner_init(struct wyn_spawner_link *link);

/* wyn_spawner_want - there are processes in self->waiting. They are sent at
 * once if it is READY; if there can be none they are refused. */
void wyn_spawner_want(struct wyn_spawn *self);

/* wyn_spawner_configure - the configuration is another one. */
void wyn_spawner_configure(struct wyn_spawn *self);
void wyn_spawner_configure_drop(struct wyn_spawner_link *link);

/* wyn_spawner_receive - its socket is readable, or closed. */
void wyn_spawner_receive(struct wyn_spawn *self);

/* wyn_spawner_broken - the socket is of no use any more, for a reason;
 * wyn_spawner_broken_by - for an errno, if that is not just what reading will
 * tell once all is read. */
void wyn_spawner_broken(struct wyn_spawn *self, const char *error);
void wyn_spawner_broken_by(struct wyn_spawn *self, int error);

/* wyn_spawner_retry - the pause is over, or no Ready came. */
void wyn_spawner_retry(struct wyn_spawn *self);

/* wyn_spawner_close - for good. */
void wyn_spawner_close(struct wyn_spawn *self);

/* wyn_spawner_child_reap - if it has ended it is waited for, and gone, and so
 * is the link, if it was the one behind it; wyn_spawner_reap - all of those.
 * Blocks: never. */
void wyn_spawner_child_reap(
	struct wyn_spawn *self, struct wyn_spawner_child *child);
void wyn_spawner_reap(struct wyn_spawn *self);

/* wyn_spawner_fini - after the close. Blocks: until it has ended,
 * WYN_SPAWN_END_MS at most; what has not by then is forgotten. */
void wyn_spawner_fini(struct wyn_spawner_link *link);
