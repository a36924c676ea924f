// SPDX-License-Identifier: MIT
/*
 * rig_functions.h - the functions that tasks of the rig can name.
 *
 *	echo	its argument
 *	tiny	the same, or by the argument's first byte: `!` as fail, `+` as
 *		big, `?` as ask, of the rest; a call is made to look like
 *		RIG_TINY_NS
 *	noop	nothing
 *	slow	nothing; a call is made to look like RIG_SLOW_NS
 *	fail	ABORTED, its argument as the message
 *	emit	as many partial values as its argument says, then "done"
 *	big	a value of as many bytes as its argument says
 *	brief	nothing; WYN_FUNCTION_SHORT
 *	nap	nothing; WYN_FUNCTION_BLOCKING
 *	report	as many reports of progress as its argument says
 *	ask	"ran", or CANCELLED when it is cancelled
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wyn/module.h>

struct wyn_task;

#define RIG_TINY_NS UINT64_C(100)
#define RIG_FAST_NS UINT64_C(2001) /* just too much for a strip */
#define RIG_SLOW_NS UINT64_C(2000000)

extern const struct wyn_module rig_module;

/*
 * rig_emit_waits - whether emitting so much would wait for room, which nobody
 * makes while the only thread waits. Thread: the test's.
 */
bool rig_emit_waits(const struct wyn_task *task, size_t bytes);

/* rig_cost_ns - what one call is made to look like. Thread: any. */
uint64_t rig_cost_ns(const char *function);

/* rig_big_byte - the byte at `offset` in a value of "big". Thread: any. */
uint8_t rig_big_byte(uint64_t offset);
