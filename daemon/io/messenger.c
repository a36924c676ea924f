// SPDX-License-Identifier: MIT
/*
 * messenger.c - a thread that tells the service manager what a loop wants told.
 */
#include "daemon/io/messenger.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/time.h"
#include "daemon/io/activate.h"
#include "daemon/clock.h"
#include "daemon/log.h"

/* What has not been told yet. */
struct box {
	bool posted[WYN_MESSAGE_FEED + 1];
	char status[WYN_MESSENGER_STATUS_BYTES];
	uint64_t reloading_ns; /* CLOCK_MONOTONIC */
};

struct wyn_messenger {
	pthread_t thread; /* [I] */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct box box; /* [M lock] */
	bool ending;	/* [M lock] */
	bool failed;	/* the thread's own: it was logged */
};

static bool is_empty(const struct box *box)
{
	for (size_t i = 0; i < WYN_COUNT_OF(box->posted); i++) {
		if (box->posted[i]) {
			return false;
		}
	}
	return true;
}

/* Only here may the thread be cancelled: it holds no lock. */
static int tell(enum wyn_message message, const struct box *box)
{
	int told = 0;

	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	switch (message) {
	case WYN_MESSAGE_RELOADING:
		told = wyn_activate_reloading(box->reloading_ns);
		break;
	case WYN_MESSAGE_READY:
		told = wyn_activate_ready(box->status);
		break;
	case WYN_MESSAGE_STOPPING:
		told = wyn_activate_stopping(box->status);
		break;
	case WYN_MESSAGE_STATUS:
		told = wyn_activate_status(box->status);
		break;
	case WYN_MESSAGE_FEED:
		told = wyn_activate_feed();
		break;
	}
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	return told;
}

static void tell_all(struct wyn_messenger *messenger, const struct box *box)
{
	static const enum wyn_message order[] = {WYN_MESSAGE_RELOADING,
		WYN_MESSAGE_READY, WYN_MESSAGE_STOPPING, WYN_MESSAGE_FEED,
		WYN_MESSAGE_STATUS};

	for (size_t i = 0; i < WYN_COUNT_OF(order); i++) {
		int told = box->posted[order[i]] ? tell(order[i], box) : 0;

		if (told < 0 && !messenger->failed) {
			messenger->failed = true;
			wyn_log(WYN_LOG_WARNING, "notify-failed",
				WYN_LOG_TEXT("error", strerror(-told)));
		}
	}
}

static void *run(void *arg)
{
	struct wyn_messenger *messenger = arg;

	pthread_setname_np(pthread_self(), "wyn-notify");
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	pthread_mutex_lock(&messenger->lock);
	for (;;) {
		struct box box = messenger->box;

		if (!is_empty(&box)) {
			messenger->box = (struct box){0};
			pthread_mutex_unlock(&messenger->lock);
			tell_all(messenger, &box);
			pthread_mutex_lock(&messenger->lock);
		} else if (!messenger->ending) {
			pthread_cond_wait(
				&messenger->changed, &messenger->lock);
		} else {
			break;
		}
	}
	pthread_mutex_unlock(&messenger->lock);
	return NULL;
}

int wyn_messenger_create(struct wyn_messenger **ret_messenger)
{
	struct wyn_messenger *messenger = calloc(1, sizeof(*messenger));
	int error;

	if (!messenger) {
		return -ENOMEM;
	}
	pthread_mutex_init(&messenger->lock, NULL);
	pthread_cond_init(&messenger->changed, NULL);
	error = pthread_create(&messenger->thread, NULL, run, messenger);
	if (error) {
		pthread_cond_destroy(&messenger->changed);
		pthread_mutex_destroy(&messenger->lock);
		free(messenger);
		return -error;
	}
	*ret_messenger = messenger;
	return 0;
}

void wyn_messenger_post(struct wyn_messenger *messenger,
	enum wyn_message message, const char *status)
{
	pthread_mutex_lock(&messenger->lock);
	messenger->box.posted[message] = true;
	/* Who reloads again is not ready before that is over. */
	if (message == WYN_MESSAGE_RELOADING) {
		messenger->box.reloading_ns = wyn_clock_ns(CLOCK_MONOTONIC);
		messenger->box.posted[WYN_MESSAGE_STATUS] |=
			messenger->box.posted[WYN_MESSAGE_READY];
		messenger->box.posted[WYN_MESSAGE_READY] = false;
	}
	if (status) {
		snprintf(messenger->box.status, sizeof(messenger->box.status),
			"%s", status);
	}
	/* Ready and stopping carry the status that is the last one then. */
	if (message == WYN_MESSAGE_READY || message == WYN_MESSAGE_STOPPING) {
		messenger->box.posted[WYN_MESSAGE_STATUS] = false;
	}
	pthread_cond_signal(&messenger->changed);
	pthread_mutex_unlock(&messenger->lock);
}

void wyn_messenger_destroy(struct wyn_messenger *messenger)
{
	struct timespec until;

	if (!messenger) {
		return;
	}
	pthread_mutex_lock(&messenger->lock);
	messenger->ending = true;
	pthread_cond_signal(&messenger->changed);
	pthread_mutex_unlock(&messenger->lock);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec +=
		(time_t)(WYN_MESSENGER_END_MS * WYN_NS_PER_MS / WYN_NS_PER_S);
	if (pthread_timedjoin_np(messenger->thread, NULL, &until)) {
		int error = pthread_cancel(messenger->thread);

		wyn_assert(error == 0);
		pthread_join(messenger->thread, NULL);
	}
	pthread_cond_destroy(&messenger->changed);
	pthread_mutex_destroy(&messenger->lock);
	free(messenger);
}
