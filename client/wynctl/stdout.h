// SPDX-License-Identifier: MIT
/*
 * stdout.h - standard output that does not lose errors.
 *
 * A full disk or a closed pipe shows when the buffer is written, maybe long
 * after; it is remembered until the end, where main() says it.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "base/compiler.h"

struct wyn_stdout {
	FILE *file;
	int error; /* errno of the first failure, 0 = none */
};

/* wyn_stdout_init - writes to `file`, with a buffer for many small lines. */
void wyn_stdout_init(struct wyn_stdout *output, FILE *file);

/* wyn_stdout_write, _print - append. After a failure they do nothing. */
void wyn_stdout_write(struct wyn_stdout *output, const void *data, size_t size);
void wyn_stdout_print(struct wyn_stdout *output, const char *format, ...)
	WYN_PRINTF(2, 3);

/* wyn_stdout_flush - hands everything to the kernel. */
void wyn_stdout_flush(struct wyn_stdout *output);

/* wyn_stdout_end - flushes. Returns: 0, or -errno of the first failure. */
WYN_NODISCARD
int wyn_stdout_end(struct wyn_stdout *output);
