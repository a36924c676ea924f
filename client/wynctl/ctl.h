// SPDX-License-Identifier: MIT
/*
 * ctl.h - what the commands of wynctl share, and the commands themselves.
 *
 * A command is one function that returns the exit code. It is given a context
 * with the command line and standard output; most of them connect first.
 * Everything runs in main's thread.
 */
#pragma once

#include <stdint.h>

#include <wyn/client.h>

#include "base/compiler.h"
#include "client/wynctl/arguments.h"
#include "client/wynctl/exit_status.h"
#include "client/wynctl/stdout.h"

/* How long a connection, a ping or a call may take. */
#define WYN_CTL_REQUEST_MS 10000u
/* Modules are loaded meanwhile. */
#define WYN_CTL_RELOAD_MS 60000u

struct wyn_ctl {
	const struct wyn_arguments *arguments;
	struct wyn_client *client; /* NULL before wyn_ctl_connect() */
	struct wyn_stdout output;
	struct wyn_stdout *error; /* to standard error, as well; or NULL */
	uint64_t waits;		  /* how often wyn_ctl_wait() was called */
};

/* wyn_ctl_say - one line on stderr, after "wynctl: ". */
void wyn_ctl_say(const char *format, ...) WYN_PRINTF(1, 2);

/*
 * wyn_ctl_connect - connects, for up to in_flight tasks (0 = default).
 *
 * Returns: WYN_EXIT_OK, else the exit code after it has said why.
 */
WYN_NODISCARD
int wyn_ctl_connect(struct wyn_ctl *ctl, uint64_t in_flight);

/*
 * wyn_ctl_connect_start - begins to connect, for one command that is submitted
 * at once.
 *
 * As wyn_client_connect_start(); what that cannot do is done the other way.
 * Returns: as wyn_ctl_connect(). Blocks: in the second case.
 */
WYN_NODISCARD
int wyn_ctl_connect_start(struct wyn_ctl *ctl);

/* wyn_ctl_fail, _failed - say why the client's last call failed, that of ctl or
 * another. Returns: the exit code. */
int wyn_ctl_fail(const struct wyn_ctl *ctl);
int wyn_ctl_failed(const struct wyn_client *client);

/*
 * wyn_ctl_serve - with no task open: takes what the server says by itself, as a
 * Ping that wants its Pong.
 *
 * Returns: 0; why the connection ended.
 */
WYN_NODISCARD
int wyn_ctl_serve(struct wyn_client *client);

/*
 * wyn_ctl_lost - with no task open: has the connection ended? Then it says why.
 *
 * Tasks that end UNAVAILABLE because of it are not the tasks' affair. Returns:
 * WYN_EXIT_OK, else the exit code.
 */
WYN_NODISCARD
int wyn_ctl_lost(const struct wyn_ctl *ctl);

/* wyn_ctl_options - the options that all tasks of this command line have. */
struct wyn_client_options wyn_ctl_options(
	const struct wyn_arguments *arguments);

/*
 * wyn_ctl_wait - the next event, or another fd that can be read, or room in an
 * output if that is full.
 *
 * watch_fd -1 = none. Meanwhile output goes out. Returns: 0 with an event; 1 =
 * one of the others; -EINTR after SIGINT, or when an output has failed; else as
 * wyn_client_next(). Blocks.
 */
WYN_NODISCARD
int wyn_ctl_wait(
	struct wyn_ctl *ctl, int watch_fd, struct wyn_client_event *ret_event);

/* wyn_ctl_reason - what to say of a task that failed: its message, or else
 * what its code means. */
const char *wyn_ctl_reason(const struct wyn_client_event *event);

/* The commands. */
int wyn_command_call(struct wyn_ctl *ctl);
int wyn_command_run(struct wyn_ctl *ctl);
int wyn_command_map(struct wyn_ctl *ctl);
int wyn_command_xargs(struct wyn_ctl *ctl);
int wyn_command_repeat(struct wyn_ctl *ctl);
int wyn_command_bench(struct wyn_ctl *ctl);
int wyn_command_functions(struct wyn_ctl *ctl);
int wyn_command_stats(struct wyn_ctl *ctl);
int wyn_command_ping(struct wyn_ctl *ctl);
int wyn_command_version(struct wyn_ctl *ctl);
int wyn_command_drain(struct wyn_ctl *ctl);
int wyn_command_list(struct wyn_ctl *ctl);
int wyn_command_explain(struct wyn_ctl *ctl);
int wyn_command_show(struct wyn_ctl *ctl);
int wyn_command_logs(struct wyn_ctl *ctl);
int wyn_command_wait(struct wyn_ctl *ctl);
int wyn_command_cancel(struct wyn_ctl *ctl);
int wyn_command_signal(struct wyn_ctl *ctl);
int wyn_command_module(struct wyn_ctl *ctl);
int wyn_command_module_check(struct wyn_ctl *ctl);
int wyn_command_reload(struct wyn_ctl *ctl);
int wyn_command_watch(struct wyn_ctl *ctl); /* stats --watch */
