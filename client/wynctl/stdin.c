// SPDX-License-Identifier: MIT
/*
 * stdin.c - one buffer, filled by one read(2) when it is empty.
 */
#include "client/wynctl/stdin.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

bool wyn_stdin_init(struct wyn_stdin *input, int fd)
{
	struct stat stat;

	input->fd = fd;
	input->terminal = isatty(fd) == 1;
	input->ended = false;
	input->done = false;
	input->head = 0;
	input->tail = 0;
	if (fstat(fd, &stat) != 0 ||
		(S_ISCHR(stat.st_mode) && stat.st_rdev == makedev(1, 3))) {
		input->done = true;
		return false;
	}
	if (input->terminal) {
		/* Reading from the background fails then, and stops nobody. */
		(void)signal(SIGTTIN, SIG_IGN);
	}
	return true;
}

static bool stdin_is_ours(const struct wyn_stdin *input)
{
	pid_t foreground = input->terminal ? tcgetpgrp(input->fd) : -1;

	/* -1: no terminal, or not the one that could stop us. */
	return foreground < 0 || foreground == getpgrp();
}

int wyn_stdin_poll_fd(const struct wyn_stdin *input, int *timeout_ms)
{
	if (input->done || input->ended || input->head < input->tail) {
		return -1;
	}
	if (stdin_is_ours(input)) {
		return input->fd;
	}
	if (*timeout_ms < 0 || *timeout_ms > WYN_STDIN_LOOK_MS) {
		*timeout_ms = WYN_STDIN_LOOK_MS;
	}
	return -1;
}

int wyn_stdin_read(struct wyn_stdin *input)
{
	ssize_t got = read(input->fd, input->data, sizeof(input->data));

	if (got > 0) {
		input->head = 0;
		input->tail = (size_t)got;
		return 0;
	}
	if (got < 0 && (errno == EINTR || errno == EAGAIN ||
			       (errno == EIO && !stdin_is_ours(input)))) {
		return 0;
	}
	input->ended = true;
	return got < 0 ? -errno : 0;
}

int wyn_stdin_pass(
	struct wyn_stdin *input, struct wyn_client *client, uint64_t seq)
{
	struct wyn_bytes rest = {
		input->data + input->head, input->tail - input->head};
	size_t taken = 0;
	int err;

	if (input->done || (rest.size == 0 && !input->ended)) {
		return 0;
	}
	err = wyn_client_input(client, seq, rest, input->ended, &taken);
	if (err == -EAGAIN) {
		return 0;
	}
	if (err == -ENOENT) {
		input->done = true; /* the command has ended */
		return 0;
	}
	input->head += taken;
	input->done = err != 0 || (input->ended && input->head == input->tail);
	return err;
}
