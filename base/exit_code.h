// SPDX-License-Identifier: MIT
/*
 * exit_code.h - how our programs end, the same for wynd and for wynctl.
 *
 * The numbers are those of sysexits.h where it has one, and 124 as timeout(1)
 * has it, so that service managers and shell scripts can tell them apart.
 */
#pragma once

enum wyn_exit_code {
	/* All that was asked for was done. */
	WYN_EXIT_OK = 0,
	/* A task failed; or a failure that has no number of its own. */
	WYN_EXIT_FAILED = 1,
	/* The command line is wrong. */
	WYN_EXIT_USAGE = 64,
	/* The address is in use, nobody answers there, or the connection was
	 * lost. */
	WYN_EXIT_UNAVAILABLE = 69,
	/* A limit was reached; the same again later may succeed. */
	WYN_EXIT_TRY_AGAIN = 75,
	/* Not allowed to this user, or over this kind of connection. */
	WYN_EXIT_PERMISSION = 77,
	/* An address, a directory or a setting that cannot work as it is. */
	WYN_EXIT_CONFIGURATION = 78,
	/* A deadline passed: a task's, or that of the drain. */
	WYN_EXIT_TIMED_OUT = 124,
	/* wynctl, of a command: wynctl or wynd failed, the command cannot be
	 * executed, it was not found; as env(1) and timeout(1). */
	WYN_EXIT_COMMAND_FAILED = 125,
	WYN_EXIT_COMMAND_REFUSED = 126,
	WYN_EXIT_COMMAND_NOT_FOUND = 127,
	/* A signal ended it: this and the signal's number. */
	WYN_EXIT_SIGNALLED = 128,
	/* wynctl: ended by SIGINT, as a shell reports it. */
	WYN_EXIT_INTERRUPTED = 130,
};
