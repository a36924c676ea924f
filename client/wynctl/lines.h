// SPDX-License-Identifier: MIT
/*
 * lines.h - the items of `map` and `xargs`: lines of an fd, or operands.
 *
 * Reading never blocks unless it is asked to fill, so that wynctl can look at
 * its connection while a slow pipe says nothing. Main's thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/slice.h"

#define WYN_LINE_BYTES_MAX (64u << 20)

struct wyn_lines {
	int fd; /* -1 = operands, or the end was reached */
	char end;
	char **operands;
	size_t operand_count;
	char *buffer;
	size_t capacity;
	size_t head;
	size_t tail;
	size_t scanned; /* from head: no line ends before */
	bool skips;	/* the rest of a line that is too long */
};

/* wyn_lines_init_fd - items that `end` ends (newline or NUL). Borrows fd. */
void wyn_lines_init_fd(struct wyn_lines *lines, int fd, char end);

/* wyn_lines_init_operands - each operand is an item. Borrows them. */
void wyn_lines_init_operands(
	struct wyn_lines *lines, char **operands, size_t count);

/* wyn_lines_fini - frees the buffer. The fd stays open. */
void wyn_lines_fini(struct wyn_lines *lines);

/*
 * wyn_lines_next - the next item that is there already.
 *
 * Owns: a view, valid until wyn_lines_fill(); one byte behind it may be read
 * and is NUL. A last line without its end counts. Returns: 0; -EAGAIN (fill
 * first); -ENODATA (that was all).
 */
WYN_NODISCARD
int wyn_lines_next(struct wyn_lines *lines, struct wyn_slice *ret_line);

/*
 * wyn_lines_count - how many lines there are from where the fd stands, if it is
 * a file whose position does not move by looking.
 *
 * Returns: 0; -ESPIPE, the errors of pread(2). Blocks: as pread(2).
 */
WYN_NODISCARD
int wyn_lines_count(const struct wyn_lines *lines, uint64_t *ret_count);

/*
 * wyn_lines_fill - one read(2).
 *
 * Returns: 0, also at the end; -E2BIG (a line over WYN_LINE_BYTES_MAX, which is
 * then passed over), -ENOMEM, the errors of read(2), -EINTR too. Blocks: as
 * read(2).
 */
WYN_NODISCARD
int wyn_lines_fill(struct wyn_lines *lines);
