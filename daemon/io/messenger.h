// SPDX-License-Identifier: MIT
/*
 * messenger.h - a thread that tells the service manager what a loop wants told.
 *
 * A message may have to wait for room in the service manager's queue, and a
 * loop must not. It is put into a box that holds the last status and one of
 * each other kind, so that it never fills; what is newer takes the place of
 * what could not be told yet.
 */
#pragma once

#include "base/compiler.h"

#define WYN_MESSENGER_STATUS_BYTES 128u
/* So long its end may wait for what has not been told yet. */
#define WYN_MESSENGER_END_MS 1000u

struct wyn_messenger;

enum wyn_message {
	WYN_MESSAGE_RELOADING, /* wyn_activate_reloading(), as of the post */
	WYN_MESSAGE_READY,     /* wyn_activate_ready() */
	WYN_MESSAGE_STOPPING,  /* wyn_activate_stopping() */
	WYN_MESSAGE_STATUS,    /* wyn_activate_status() */
	WYN_MESSAGE_FEED,      /* wyn_activate_feed() */
};

/*
 * wyn_messenger_create - starts the thread.
 *
 * Thread: boot. Returns: 0; -ENOMEM; what pthread_create(3) said.
 */
WYN_NODISCARD
int wyn_messenger_create(struct wyn_messenger **ret_messenger);

/*
 * wyn_messenger_post - has it told, in the order of the enumeration, but that
 * the watchdog is fed before a new status is told.
 *
 * `status` is copied, and NULL for what has none; what does not fit is cut.
 * Thread: any. Blocks: never.
 */
void wyn_messenger_post(struct wyn_messenger *messenger,
	enum wyn_message message, const char *status);

/*
 * wyn_messenger_destroy - ends the thread. NULL is a no-op.
 *
 * Thread: boot. Blocks: until all has been told, for WYN_MESSENGER_END_MS at
 * most.
 */
void wyn_messenger_destroy(struct wyn_messenger *messenger);
