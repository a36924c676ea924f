// SPDX-License-Identifier: MIT
/*
 * detach.h - tasks that wynctl leaves behind: `run --detach`, `call --detach`.
 *
 * Main's thread.
 */
#pragma once

#include <stdint.h>

#include "client/wynctl/ctl.h"

/*
 * wyn_detach - waits until the daemon has taken a submitted task, with all of
 * its argument, and prints its id.
 *
 * Returns: the exit code; one that was refused has the exit code that it would
 * have had, after it has said why.
 */
WYN_NODISCARD
int wyn_detach(struct wyn_ctl *ctl, uint64_t seq);

/* wyn_detach_command - `run --detach`: submits the command, and as above. Its
 * input is empty: who leaves a command behind does not type for it. */
WYN_NODISCARD
int wyn_detach_command(struct wyn_ctl *ctl);
