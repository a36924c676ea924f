// SPDX-License-Identifier: MIT
/*
 * stdin.h - standard input on its way to a command.
 *
 * It is read only as far as it can be passed on, and never waited for. A
 * terminal is left alone while wynctl is not in its foreground: reading it
 * would stop us. Main's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wyn/client.h>

#include "base/compiler.h"

#define WYN_STDIN_BYTES (64u << 10)
/* How often to look whether we are in the foreground again. */
#define WYN_STDIN_LOOK_MS 300

struct wyn_stdin {
	int fd;
	bool terminal;
	bool ended; /* all was read */
	bool done;  /* and passed on; or nobody wants it */
	size_t head;
	size_t tail;
	uint8_t data[WYN_STDIN_BYTES];
};

/*
 * wyn_stdin_init - from `fd`, which is borrowed.
 *
 * Returns: false when nothing can come of it: it is /dev/null, or was closed
 * (main() has put that in its place).
 */
bool wyn_stdin_init(struct wyn_stdin *input, int fd);

/* wyn_stdin_poll_fd - to be polled for POLLIN; -1 = not now. *timeout_ms
 * becomes shorter where a terminal must be looked at again. */
int wyn_stdin_poll_fd(const struct wyn_stdin *input, int *timeout_ms);

/* wyn_stdin_read - it is ready. Returns: 0, or -errno: then it has ended. */
WYN_NODISCARD
int wyn_stdin_read(struct wyn_stdin *input);

/*
 * wyn_stdin_pass - hands over what was read, as far as it is taken.
 *
 * Returns: 0; the connection's errors.
 */
WYN_NODISCARD
int wyn_stdin_pass(
	struct wyn_stdin *input, struct wyn_client *client, uint64_t seq);
