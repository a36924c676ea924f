// SPDX-License-Identifier: MIT
/*
 * module_state.h - what calls of a module need and may not share.
 *
 * A call that asks for its module's state has one to itself until it returns,
 * also when another call runs on top of it in the same thread, as happens in an
 * await. Mostly it is the one that this thread had before.
 */
#pragma once

#include "base/compiler.h"

struct wyn_module;
struct wyn_module_state;
struct wyn_module_states;

/* wyn_module_states_create - of a module that has some. Thread: boot, aux.
 * Returns: 0, and NULL in *ret_states for one that has none; -ENOMEM, what
 * pthreads said. */
WYN_NODISCARD
int wyn_module_states_create(
	const struct wyn_module *module, struct wyn_module_states **ret_states);

/* wyn_module_states_destroy - destroys them, none being in use. NULL is a
 * no-op. Thread: boot, aux. */
void wyn_module_states_destroy(struct wyn_module_states *states);

/*
 * wyn_module_state_take - one that no other call has.
 *
 * Thread: worker. Owns: the caller's until wyn_module_state_give(). Returns:
 * NULL when there is no memory. Blocks: as long as state_create does.
 */
struct wyn_module_state *wyn_module_state_take(
	struct wyn_module_states *states);

/* wyn_module_state_of - what the module's state_create returned. Thread:
 * worker. */
void *wyn_module_state_of(const struct wyn_module_state *state);

/* wyn_module_state_give - it is free again. Thread: worker. */
void wyn_module_state_give(
	struct wyn_module_states *states, struct wyn_module_state *state);
