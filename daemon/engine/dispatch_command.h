// SPDX-License-Identifier: MIT
/*
 * dispatch_command.h - from the ready queues of commands to their executor.
 *
 * At most max-commands run at once, on all loops together; the others wait in
 * ready, where each takes a whole turn of its owner. A command has no place
 * among the workers and no cost to them. The loop's thread only.
 */
#pragma once

#include <stdbool.h>

struct wyn_conn;
struct wyn_engine;
struct wyn_task;

/* wyn_dispatch_commands - starts as many as may. Once per turn. */
void wyn_dispatch_commands(struct wyn_engine *engine);

/* wyn_dispatch_command_ended - one is back: another may start, here or on
 * another loop. */
void wyn_dispatch_command_ended(struct wyn_engine *engine);

/* wyn_dispatch_commands_full - as many run as may. */
bool wyn_dispatch_commands_full(const struct wyn_engine *engine);
