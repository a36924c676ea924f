// SPDX-License-Identifier: MIT
/*
 * stdout.h - standard output that neither waits nor loses errors.
 *
 * Whoever reads it may take an hour, and the connection is to be served all
 * that time; so what cannot be written at once is kept, and the command slows
 * down when that is much. A full disk or a closed pipe shows late; it is
 * remembered until the end, where main() says it. Main's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

/* From here on a command takes no more work, see wyn_stdout_full(). */
#define WYN_STDOUT_BYTES_MAX (1u << 20)

struct wyn_stdout {
	int fd;
	bool ours;   /* fd is a descriptor of our own, which does not block */
	bool polled; /* fd may block: it is asked before each small piece */
	int error;   /* errno of the first failure, 0 = none */

	/* What is kept: appended at tail, written from head. */
	char *data;
	size_t capacity;
	size_t head;
	size_t tail;
};

/* wyn_stdout_init - writes to `fd`, which is borrowed. */
void wyn_stdout_init(struct wyn_stdout *output, int fd);

/* wyn_stdout_write, _print - append. After a failure they do nothing. */
void wyn_stdout_write(struct wyn_stdout *output, const void *data, size_t size);
void wyn_stdout_print(struct wyn_stdout *output, const char *format, ...)
	WYN_PRINTF(2, 3);

/* wyn_stdout_flush - hands the kernel as much as it takes without waiting. */
void wyn_stdout_flush(struct wyn_stdout *output);

/* wyn_stdout_kept_bytes - what is written and not out. */
size_t wyn_stdout_kept_bytes(const struct wyn_stdout *output);

/* wyn_stdout_full - whether that is WYN_STDOUT_BYTES_MAX or more. */
bool wyn_stdout_full(const struct wyn_stdout *output);

/* wyn_stdout_waits_fd - to be polled for POLLOUT; -1 = nothing is kept. */
int wyn_stdout_waits_fd(const struct wyn_stdout *output);

/* wyn_stdout_wait - flushes all of it. Blocks: until it is out, or an error. */
void wyn_stdout_wait(struct wyn_stdout *output);

/* wyn_stdout_end - waits, and frees. Returns: 0, or -errno of a failure. */
WYN_NODISCARD
int wyn_stdout_end(struct wyn_stdout *output);
