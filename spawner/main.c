// SPDX-License-Identifier: MIT
/*
 * main.c - the program wynd-spawner: the socket that it begins with.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/exit_code.h"
#include "base/quantity.h"
#include "base/version.h"
#include "spawner/loop.h"
#include "spawner/options.h"

/* The first that a service manager passes: sd_listen_fds(3). */
#define LISTEN_FD 3

static int fail(enum wyn_exit_code code, const char *what, int error)
{
	fprintf(stderr, "wynd-spawner: %s%s%s\n", what, error ? ": " : "",
		error ? strerror(-error) : "");
	return (int)code;
}

static int number_of(const char *name, uint64_t *ret_number)
{
	const char *text = getenv(name);

	return text ? wyn_quantity_parse_count(text, 0, UINT32_MAX, ret_number)
		    : -ENOENT;
}

static int option_of(int fd, int name)
{
	int value = -1;
	socklen_t bytes = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &bytes) ? -1 : value;
}

/* Exactly one socket was passed, to us, and it listens for packets. */
static bool was_passed(void)
{
	uint64_t pid;
	uint64_t count;

	return number_of("LISTEN_PID", &pid) == 0 &&
	       pid == (uint64_t)getpid() &&
	       number_of("LISTEN_FDS", &count) == 0 && count == 1 &&
	       option_of(LISTEN_FD, SO_TYPE) == SOCK_SEQPACKET &&
	       option_of(LISTEN_FD, SO_ACCEPTCONN) == 1;
}

static int run(const struct wyn_options *options)
{
	static struct wyn_loop loop;
	int error = wyn_loop_init(&loop);

	if (error) {
		wyn_loop_fini(&loop);
		return fail(WYN_EXIT_FAILED, "cannot begin", error);
	}
	error = options->link >= 0
			? wyn_loop_serve(&loop, options->link)
			: wyn_loop_listen(&loop, LISTEN_FD, options->peer);
	if (!error) {
		error = wyn_loop_run(&loop);
	}
	wyn_loop_fini(&loop);
	if (error == -ETIMEDOUT) {
		return fail(WYN_EXIT_TIMED_OUT,
			"ends, though processes of commands do not die", 0);
	}
	return error ? fail(WYN_EXIT_FAILED, "ends", error) : WYN_EXIT_OK;
}

int main(int argc, char **argv)
{
	char why[WYN_OPTIONS_WHY_BYTES];
	struct wyn_options options;

	if (wyn_options_parse(argc, argv, &options, why)) {
		return fail(WYN_EXIT_USAGE, why, 0);
	}
	if (options.help) {
		wyn_options_help(stdout);
		return fflush(stdout) ? WYN_EXIT_FAILED : WYN_EXIT_OK;
	}
	if (options.version) {
		return puts("wynd-spawner " WYN_VERSION) < 0 || fflush(stdout)
			       ? WYN_EXIT_FAILED
			       : WYN_EXIT_OK;
	}
	if (options.link < 0 && !was_passed()) {
		return fail(WYN_EXIT_USAGE,
			"needs --link FD, or one listening SOCK_SEQPACKET "
			"socket of a service manager",
			0);
	}
	if (options.link >= 0 &&
		(option_of(options.link, SO_TYPE) != SOCK_SEQPACKET ||
			option_of(options.link, SO_ACCEPTCONN) != 0)) {
		return fail(WYN_EXIT_USAGE,
			"--link: is not a connected SOCK_SEQPACKET socket", 0);
	}
	return run(&options);
}
