// SPDX-License-Identifier: MIT
/*
 * process_pipes.h - the pipes of a command: made, filled, emptied, closed. The
 * loop's thread only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct wyn_pipe;
struct wyn_process;
struct wyn_spawn;

/*
 * wyn_pipes_open - those that the command has. Its argument is put into the
 * first, as far as that takes it.
 *
 * Returns: 0; -errno, and there are none.
 */
WYN_NODISCARD
int wyn_pipes_open(struct wyn_spawn *self, struct wyn_process *process);

/* wyn_pipes_close - both ends of all. */
void wyn_pipes_close(struct wyn_spawn *self, struct wyn_process *process);

/* wyn_pipes_child_close - the command's ends. */
void wyn_pipes_child_close(struct wyn_process *process);

/* wyn_pipes_over - nothing more comes. */
bool wyn_pipes_over(const struct wyn_process *process);

/*
 * wyn_pipe_read - what is there and the task has room for.
 *
 * all: until there is no more, though what came was less than was asked for.
 * Without room the pipe is not watched until wyn_pipes_resume(). At its end it
 * is closed.
 */
void wyn_pipe_read(struct wyn_spawn *self, struct wyn_pipe *pipe, bool all);

/* wyn_pipes_resume - the task has room again, or wants none. */
void wyn_pipes_resume(struct wyn_spawn *self, struct wyn_process *process);

/* wyn_pipes_expire - what is in them is read, now or when there is room, and
 * nothing after it. */
void wyn_pipes_expire(struct wyn_spawn *self, struct wyn_process *process);

/* wyn_pipes_input - writes what there is, as far as it is taken. */
void wyn_pipes_input(struct wyn_spawn *self, struct wyn_process *process);

/* wyn_pipes_input_shut - nobody reads on. */
void wyn_pipes_input_shut(struct wyn_process *process);
