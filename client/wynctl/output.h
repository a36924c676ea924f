// SPDX-License-Identifier: MIT
/*
 * output.h - standard output that does not lose errors.
 *
 * A full disk or a closed pipe shows when the buffer is written, maybe long
 * after; it is remembered until the end, where main() says it.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "base/compiler.h"

struct wyn_output {
	FILE *file;
	int error; /* errno of the first failure, 0 = none */
};

/* wyn_output_init - writes to `file`, with a buffer for many small lines. */
void wyn_output_init(struct wyn_output *output, FILE *file);

/* wyn_output_write, _print - append. After a failure they do nothing. */
void wyn_output_write(struct wyn_output *output, const void *data, size_t size);
void wyn_output_print(struct wyn_output *output, const char *format, ...)
	WYN_PRINTF(2, 3);

/* wyn_output_flush - hands everything to the kernel. */
void wyn_output_flush(struct wyn_output *output);

/* wyn_output_end - flushes. Returns: 0, or -errno of the first failure. */
WYN_NODISCARD
int wyn_output_end(struct wyn_output *output);
