// SPDX-License-Identifier: MIT
/*
 * watch.h - what epoll has a pointer to: part of whoever has the descriptor.
 *
 * It stays where it is until the turn is over in which it was unwatched, for an
 * event of it may be waiting behind others.
 */
#pragma once

#include <stdint.h>

struct wyn_loop;

struct wyn_watch {
	void (*ready)(struct wyn_loop *loop, struct wyn_watch *watch,
		uint32_t events);
};
