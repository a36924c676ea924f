// SPDX-License-Identifier: MIT
/*
 * spawner_open.h - how a spawner is had: a program is started, a service is
 * connected to; and what either is told first. The loop's thread only.
 */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"

struct wyn_spawn;

/*
 * wyn_spawner_open - the link has a socket then, that is watched, and a
 * Configure to be sent.
 *
 * Returns: false: *ret_error says why, *ret_fatal that it will not be better.
 * What was had so far is the link's.
 */
WYN_NODISCARD
bool wyn_spawner_open(
	struct wyn_spawn *self, const char **ret_error, bool *ret_fatal);

/* wyn_spawner_configure_make - what is to be sent. Returns: false without
 * memory. */
WYN_NODISCARD
bool wyn_spawner_configure_make(struct wyn_spawn *self);
