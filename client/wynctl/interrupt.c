// SPDX-License-Identifier: MIT
/*
 * interrupt.c - the handler of signals, and a sleep that does not miss them.
 */
#include "client/wynctl/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "client/wynctl/exit_status.h"

static volatile sig_atomic_t interrupted; /* by that signal; 0 = by none */
static bool told;	/* wyn_interrupt_poll() has returned -EINTR for it */
static bool terminates; /* SIGTERM is one of them */

static void interrupt_handle(int number)
{
	if (interrupted) {
		_exit(WYN_EXIT_SIGNALLED + number);
	}
	interrupted = number;
}

static void interrupt_take(int number)
{
	struct sigaction action = {.sa_handler = interrupt_handle};
	struct sigaction before;

	(void)sigaction(number, NULL, &before);
	if (before.sa_handler == SIG_IGN) {
		return; /* started in the background by a shell */
	}
	/* Without SA_RESTART: what blocks returns with EINTR. */
	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(number, &action, NULL);
}

void wyn_interrupt_init(void)
{
	interrupt_take(SIGINT);
}

void wyn_interrupt_init_both(void)
{
	terminates = true;
	interrupt_take(SIGINT);
	interrupt_take(SIGTERM);
}

int wyn_interrupt_exit_code(void)
{
	return WYN_EXIT_SIGNALLED + interrupted;
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
	sigset_t blocked;
	sigset_t before;
	int result = -EINTR;

	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGINT);
	if (terminates) {
		(void)sigaddset(&blocked, SIGTERM);
	}
	(void)sigprocmask(SIG_BLOCK, &blocked, &before);
	if (told || !wyn_interrupted()) {
		result = ppoll(
			fds, n, timeout_ms < 0 ? NULL : &timeout, &before);
		if (result < 0) {
			result = -errno;
		}
	}
	told = wyn_interrupted();
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return result;
}
