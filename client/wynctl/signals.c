// SPDX-License-Identifier: MIT
/*
 * signals.c - by signalfd(2): what it reads is what came, each once.
 */
#include "client/wynctl/signals.h"

#include <errno.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/compiler.h"

int wyn_signals_take(struct wyn_signals *signals)
{
	static const int numbers[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
	struct sigaction action;
	sigset_t taken;

	(void)sigemptyset(&taken);
	for (size_t i = 0; i < WYN_COUNT_OF(numbers); i++) {
		(void)sigaction(numbers[i], NULL, &action);
		/* By nohup(1), or a shell that runs us in the background. */
		if (action.sa_handler != SIG_IGN) {
			(void)sigaddset(&taken, numbers[i]);
		}
	}
	signals->fd = signalfd(-1, &taken, SFD_NONBLOCK | SFD_CLOEXEC);
	if (signals->fd < 0) {
		return -errno;
	}
	(void)sigprocmask(SIG_BLOCK, &taken, &signals->before);
	return 0;
}

int wyn_signals_next(const struct wyn_signals *signals)
{
	struct signalfd_siginfo info;

	return read(signals->fd, &info, sizeof(info)) == sizeof(info)
		       ? (int)info.ssi_signo
		       : 0;
}

void wyn_signals_leave(struct wyn_signals *signals)
{
	(void)close(signals->fd);
	(void)sigprocmask(SIG_SETMASK, &signals->before, NULL);
}
