// SPDX-License-Identifier: MIT
/*
 * argument_file.h - a file's content as the argument of a task.
 *
 * A small file is read into the caller's buffer, to go in a batch with others.
 * A large one becomes a source that is read while it is sent, so that its size
 * does not matter; what has no size (a pipe, /proc) is read to its end first.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <wyn/client.h>

#include "base/compiler.h"

#define WYN_FILE_SMALL_BYTES (64u << 10)

/* Content that comes piece by piece. */
struct wyn_file_source;

/*
 * wyn_file_open - opens a file and reads it if it is small.
 *
 * small has room for WYN_FILE_SMALL_BYTES. Thread: main. Returns: 0, then
 * either *ret_source is NULL and *ret_bytes of small are the content, or
 * *ret_source is the caller's; -E2BIG (no size, and more than bytes_max);
 * -ENOMEM, the errors of open(2) and read(2). Blocks: as the file does, until
 * SIGINT (-EINTR).
 */
WYN_NODISCARD
int wyn_file_open(const char *name, uint8_t *small, uint64_t bytes_max,
	size_t *ret_bytes, struct wyn_file_source **ret_source);

/*
 * wyn_file_submit - tries to submit the content, without waiting.
 *
 * Owns: takes the source, except on -EAGAIN: then try again later. Returns:
 * as wyn_client_submit_source() with nonblock.
 */
WYN_NODISCARD
int wyn_file_submit(struct wyn_file_source *source, struct wyn_client *client,
	const char *function, const struct wyn_client_options *options,
	uint64_t *ret_seq);

/* wyn_file_close - for a source that was not submitted. NULL is a no-op. */
void wyn_file_close(struct wyn_file_source *source);
