// SPDX-License-Identifier: MIT
/*
 * write.h - all bytes into a descriptor, however many calls that takes.
 *
 * For what boot and its children tell others, once. On a loop nothing may wait
 * like this: transport and log_sink write what there is room for.
 */
#pragma once

#include <stddef.h>

#include "base/compiler.h"

/*
 * wyn_write_all - writes until everything is out, whatever interrupts it.
 *
 * Thread: boot. Owns: borrows all. Returns: 0; -errno of write(2): a part may
 * be out then. Blocks: while nobody reads.
 */
WYN_NODISCARD
int wyn_write_all(int fd, const char *text, size_t bytes);
