// SPDX-License-Identifier: MIT
/*
 * run_signal.c - signals on their way to the command of `wynctl run`.
 *
 * What fails here fails because the connection is gone; whoever takes the next
 * event hears of it.
 */
#include <signal.h>

#include "client/wynctl/clock.h"
#include "client/wynctl/run.h"

void wyn_run_cancel(struct wyn_run *run)
{
	if (!run->cancelled) {
		run->cancelled = true;
		(void)!wyn_client_cancel_grace(run->ctl->client, run->seq, 1,
			run->ctl->arguments->grace_ms);
	}
}

/* Whether it is known to wait for its turn: a signal would not reach it. */
static bool run_waits(struct wyn_run *run)
{
	const struct wyn_client_which which = {.seq = run->seq};
	struct wyn_client_explanation explanation;

	return !run->wrote &&
	       wyn_client_explain(run->ctl->client,
		       wyn_client_deadline_in_ms(WYN_RUN_EXPLAIN_MS), &which,
		       &explanation) == 0 &&
	       explanation.task.state < WYN_CLIENT_STATE_RUNNING;
}

/* Returns: whether the signal asks for more than was asked already. */
static bool run_is_impatient(struct wyn_run *run)
{
	uint64_t before_ns = run->interrupted_ns;

	run->interrupted_ns = wyn_ctl_now_ns();
	return before_ns != 0 && run->interrupted_ns - before_ns <
					 WYN_RUN_AGAIN_MS * WYN_NS_PER_MS;
}

void wyn_run_signal(struct wyn_run *run, int number)
{
	bool impatient = number == SIGINT && run_is_impatient(run);

	run->signal = number;
	if (!run->connected || (number == SIGINT && run->impatient)) {
		run->ended = true;
		run->code = WYN_EXIT_SIGNALLED + number;
		return;
	}
	if (impatient || run_waits(run)) {
		run->impatient = impatient;
		wyn_run_cancel(run);
		return;
	}
	(void)!wyn_client_signal(
		run->ctl->client, run->seq, 1, (unsigned)number);
}
