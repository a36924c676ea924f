// SPDX-License-Identifier: MIT
/*
 * item.h - what every queue of the pool carries: a call, by value.
 *
 * A detached task is its own item. A future and a job travel as the argument
 * of a trampoline, so that the queues know one kind only.
 */
#pragma once

struct wyn_item {
	void (*fn)(void *arg);
	void *arg;
};
