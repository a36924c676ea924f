// SPDX-License-Identifier: MIT
/*
 * exit_status.h - how wynctl ends, from how a task or a call ended.
 *
 * The one place where a status of the wire becomes an exit code.
 */
#pragma once

#include <stdint.h>

#include "base/exit_code.h"

/*
 * wyn_exit_status - the exit code for a status (enum wyn_status).
 *
 * Thread: any. Returns: WYN_EXIT_OK for OK alone.
 */
int wyn_exit_status(uint32_t status);
