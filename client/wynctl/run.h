// SPDX-License-Identifier: MIT
/*
 * run.h - `wynctl run` from inside: its state, shared by its two files.
 *
 * run.c has the command, its outputs and its input; run_signal.c what may end
 * it early. Main's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <wyn/client.h>

#include "client/wynctl/ctl.h"
#include "client/wynctl/signals.h"
#include "client/wynctl/stdin.h"

/* A second SIGINT so soon after the first is no other signal, but impatience.
 */
#define WYN_RUN_AGAIN_MS 1000u
/* How long the daemon may take to say whether the command runs. */
#define WYN_RUN_EXPLAIN_MS 1000u

struct wyn_run {
	struct wyn_ctl *ctl;
	struct wyn_client_command command;
	struct wyn_client_options options;
	struct wyn_stdin input;
	struct wyn_stdout errors; /* standard error */
	struct wyn_signals signals;
	uint64_t seq;
	uint64_t connect_by_ns;
	bool connected;
	bool submitted;
	bool wrote; /* it has written something, so it runs */
	int broken; /* an output: SIGPIPE, -1 = another error, 0 = none */
	int signal; /* the last that was passed on */
	bool cancelled;
	bool impatient;		 /* cancelled by a second SIGINT */
	uint64_t interrupted_ns; /* when the last SIGINT came; 0 = none did */
	bool unread; /* our input had more, which could not be read */
	bool ended;
	int code;
};

/*
 * wyn_run_signal - one came that is the command's: it is passed on.
 *
 * A command that does not run yet is cancelled instead, for it would not hear
 * of it. A second SIGINT cancels, a third ends us. Blocks: for a round trip, at
 * most WYN_RUN_EXPLAIN_MS.
 */
void wyn_run_signal(struct wyn_run *run, int number);

/* wyn_run_cancel - once. */
void wyn_run_cancel(struct wyn_run *run);
