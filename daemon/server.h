// SPDX-License-Identifier: MIT
/*
 * server.h - the daemon put together: modules, pool, loops, listeners.
 *
 * Boot only. What the parts do is their own business; this is the order in
 * which they come and go.
 */
#pragma once

#include "base/compiler.h"
#include "base/exit_code.h"
#include "daemon/io/activate.h"
#include "daemon/fault.h"
#include "daemon/options.h"

/*
 * wyn_server_run - serves until a drain has ended.
 *
 * Thread: boot, with wyn_drain_signals() blocked and SIGPIPE ignored. Owns:
 * borrows the options, takes the descriptors that were passed. Returns: 0, and
 * *ret_exit_code is how the drain ended; -errno with *ret_fault, when it could
 * not start. Blocks: for the life of the daemon.
 */
WYN_NODISCARD
int wyn_server_run(const struct wyn_options *options,
	const struct wyn_activation *passed, enum wyn_exit_code *ret_exit_code,
	struct wyn_fault *ret_fault);
