// SPDX-License-Identifier: MIT
/*
 * interrupt.c - the handler of SIGINT and the one place that lets it in.
 */
#include "client/wynctl/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "client/wynctl/exit_status.h"

static volatile sig_atomic_t interrupted;

static void interrupt_handle(int number)
{
	(void)number;
	if (interrupted) {
		_exit(WYN_EXIT_INTERRUPTED);
	}
	interrupted = 1;
}

static void interrupt_set(int how, sigset_t *set)
{
	(void)sigemptyset(set);
	(void)sigaddset(set, SIGINT);
	(void)sigprocmask(how, set, NULL);
}

void wyn_interrupt_init(void)
{
	struct sigaction action = {.sa_handler = interrupt_handle};
	struct sigaction before;
	sigset_t set;

	(void)sigaction(SIGINT, NULL, &before);
	if (before.sa_handler == SIG_IGN) {
		return; /* started in the background by a shell */
	}
	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGINT, &action, NULL);
	interrupt_set(SIG_BLOCK, &set);
}

bool wyn_interrupted(void)
{
	return interrupted != 0;
}

int wyn_interrupt_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	struct timespec timeout = {
		.tv_sec = timeout_ms / 1000,
		.tv_nsec = (long)(timeout_ms % 1000) * (long)WYN_NS_PER_MS,
	};
	bool before = wyn_interrupted();
	sigset_t mask;
	int ready;
	int err = 0;

	(void)sigprocmask(SIG_BLOCK, NULL, &mask);
	(void)sigdelset(&mask, SIGINT);
	ready = ppoll(fds, n, timeout_ms < 0 ? NULL : &timeout, &mask);
	if (ready < 0) {
		err = -errno;
	}
	if (!before && wyn_interrupted()) {
		interrupt_set(SIG_UNBLOCK, &mask);
	}
	return err != 0 ? err : ready;
}
