// SPDX-License-Identifier: MIT
/*
 * main.c - the program wynd: what belongs to the process as a whole.
 *
 * Command line, descriptors, signals; then server.c. All that can go wrong at
 * boot ends here, as one line on stderr and the exit code of that fault.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/version.h"
#include "daemon/io/activate.h"
#include "daemon/io/drain.h"
#include "daemon/log.h"
#include "daemon/modules/module_check.h"
#include "daemon/options.h"
#include "daemon/io/ready_fd.h"
#include "daemon/server.h"
#include "daemon/io/transport.h"
#include "proto/spawn.h"

/* Descriptors beside the sockets of clients: standard ones, listeners, loops,
 * modules, connections that are told that they are too many. */
#define OTHER_DESCRIPTORS 256u

/* Of a command, until its Start is sent: both ends of its pipes. */
#define COMMAND_DESCRIPTORS (2u * WYN_SPAWN_FDS_MAX)

/* Larger blocks are mapped by themselves; an arena keeps no more at its end
 * when they are freed. Four frames: what goes by frames stays warm. */
#define FREED_BYTES_MAX (4 << 20)

/* A socket must never get the number of a standard stream that our caller
 * closed: whatever is printed there would go to a client. */
static void open_standard_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO) {
		close(fd);
	}
}

static void raise_descriptor_limit(const struct wyn_options *options)
{
	const struct wyn_settings *settings = &options->settings;
	uint64_t connections_max = settings->limits.connections_max;
	uint64_t commands_max =
		settings->commands ? settings->limits.commands_max : 0;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit)) {
		return;
	}
	limit.rlim_cur = limit.rlim_max;
	/* Refused, it is as it was; what comes of it is said below. */
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < connections_max +
				     settings->loops * WYN_LINGERING_MAX +
				     commands_max * COMMAND_DESCRIPTORS +
				     OTHER_DESCRIPTORS) {
		wyn_log(WYN_LOG_WARNING, "few-descriptors",
			WYN_LOG_NUMBER("limit", limit.rlim_cur),
			WYN_LOG_NUMBER("max_connections", connections_max),
			WYN_LOG_NUMBER("max_commands", commands_max));
	}
}

/*
 * All threads start with the signals that end us blocked; only the main thread
 * opens up to them, once it has nothing to do but to wait. A peer that is gone
 * is an EPIPE of its connection, not a signal for everybody.
 */
static void arrange_signals(void)
{
	sigset_t signals;

	wyn_drain_signals(&signals);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/*
 * Left alone, glibc raises both thresholds with the largest block that was
 * freed, to 32 and 64 MiB; each arena, of which it makes eight for each CPU,
 * then keeps so much of what was freed. After large values a daemon that holds
 * nothing kept 300 MiB on two CPUs. Where mallopt() knows less, nothing changes
 * but that.
 */
static void return_freed_memory(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, FREED_BYTES_MAX);
	(void)mallopt(M_TRIM_THRESHOLD, FREED_BYTES_MAX);
}

/* As a line of the log for who takes it apart, else for people. */
static int fail(const struct wyn_fault *fault)
{
	if (wyn_log_form() != WYN_LOG_TEXT_LINES) {
		wyn_log(WYN_LOG_ERROR, "failed",
			WYN_LOG_TEXT("error", fault->text),
			WYN_LOG_NUMBER("exit_code", fault->exit_code));
		return (int)fault->exit_code;
	}
	fprintf(stderr, "wynd: %s\n", fault->text);
	return (int)fault->exit_code;
}

static int check_ready_fd(const struct wyn_options *options,
	const struct wyn_activation *passed, struct wyn_fault *fault)
{
	if (wyn_activate_has(passed, options->ready_fd)) {
		return wyn_fault_set(fault, -EBADF, WYN_EXIT_USAGE,
			"--ready-fd %d: is a socket of the service manager; "
			"choose another",
			options->ready_fd);
	}
	if (options->ready_fd < 0 ||
		wyn_ready_fd_check(options->ready_fd) == 0) {
		return 0;
	}
	return wyn_fault_set(fault, -EBADF, WYN_EXIT_USAGE,
		"--ready-fd %d: is not open for writing; in a shell add "
		"%d>FILE",
		options->ready_fd, options->ready_fd);
}

static int check_module(const char *path)
{
	struct wyn_fault fault;

	if (wyn_module_check_file(path, stdout, &fault)) {
		return fail(&fault);
	}
	return fflush(stdout) ? WYN_EXIT_FAILED : WYN_EXIT_OK;
}

int main(int argc, char **argv)
{
	enum wyn_exit_code exit_code;
	struct wyn_activation passed;
	struct wyn_options options;
	struct wyn_fault fault;

	if (wyn_options_parse(argc, argv, &options, &fault)) {
		return fail(&fault);
	}
	if (options.help) {
		wyn_options_help(stdout);
		return fflush(stdout) ? WYN_EXIT_FAILED : WYN_EXIT_OK;
	}
	if (options.version) {
		return puts("wynd " WYN_VERSION) < 0 || fflush(stdout)
			       ? WYN_EXIT_FAILED
			       : WYN_EXIT_OK;
	}
	if (options.list_settings) {
		wyn_settings_list(stdout);
		return fflush(stdout) ? WYN_EXIT_FAILED : WYN_EXIT_OK;
	}
	if (options.check_module) {
		open_standard_streams();
		return check_module(options.check_module);
	}
	if (options.check_config) {
		wyn_settings_print(&options.settings, stdout);
		return fflush(stdout) ? WYN_EXIT_FAILED : WYN_EXIT_OK;
	}
	/* Before anything is opened that could be taken for what was passed. */
	if (wyn_activate_sockets(&passed, &fault) ||
		check_ready_fd(&options, &passed, &fault)) {
		return fail(&fault);
	}
	open_standard_streams();
	wyn_log_start(options.settings.log_level, options.settings.log_form,
		STDERR_FILENO, getenv("JOURNAL_STREAM"));
	arrange_signals();
	return_freed_memory();
	raise_descriptor_limit(&options);
	if (wyn_server_run(&options, &passed, &exit_code, &fault)) {
		return fail(&fault);
	}
	return (int)exit_code;
}
