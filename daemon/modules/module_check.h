// SPDX-License-Identifier: MIT
/*
 * module_check.h - `wynd --check-module FILE`: would this module be loaded?
 *
 * It is loaded in a process apart, so that one that crashes or never comes back
 * harms nobody, and everything that a daemon would do with it but call its
 * functions is done. What only a daemon knows is left out: whether another
 * module has its names, and whether the daemon's user is the one who asks.
 */
#pragma once

#include <stdio.h>

#include "base/compiler.h"
#include "daemon/fault.h"

#define WYN_MODULE_CHECK_MS 10000 /* for all of it, then it hangs */

/*
 * wyn_module_check_file - prints one line for each of its functions.
 *
 * Thread: boot, and no other thread is there. Returns: 0; the fault says why
 * not, exit code 78, or that of what the system refused. Blocks: until the
 * module is loaded, at most WYN_MODULE_CHECK_MS.
 */
WYN_NODISCARD
int wyn_module_check_file(
	const char *path, FILE *out, struct wyn_fault *ret_fault);
