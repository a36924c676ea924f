// SPDX-License-Identifier: MIT
/*
 * reload_errand.h - what a reload found, on its way through the loops.
 *
 * Made by the thread of reload.c; from the moment it is sent it belongs to the
 * loop that runs it, one after the other, and the last lets go of it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "daemon/engine/conn_later.h"
#include "daemon/fault.h"
#include "daemon/limits.h"
#include "daemon/io/listener.h"
#include "daemon/engine/post.h"
#include "daemon/io/reload.h"
#include "daemon/settings.h"

#define WYN_CHANGES_MAX	      (WYN_SETTINGS_MAX + 2 * WYN_MODULES_MAX)
#define WYN_CHANGE_WHAT_BYTES 96u
#define WYN_CHANGE_TEXT_BYTES 256u /* of a value; a longer one is cut */

/* One line of the report. */
struct wyn_change {
	char what[WYN_CHANGE_WHAT_BYTES];
	char old_value[WYN_CHANGE_TEXT_BYTES];
	char new_value[WYN_CHANGE_TEXT_BYTES];
	bool restart; /* it needs one */
};

/* A listener that was opened for an address that was asked for. */
struct wyn_opened {
	struct wyn_endpoint asked;
	struct wyn_listener listener;
};

struct wyn_errand {
	struct wyn_post post;
	struct wyn_shared *shared;
	struct wyn_acceptor *acceptor;
	void (*over)(struct wyn_errand *errand); /* boot, aux, loop: frees it */
	void *context;

	size_t askers_count;
	struct wyn_later askers[WYN_RELOAD_ASKERS_MAX];

	int error; /* nothing changes, for the reason in fault */
	struct wyn_fault fault;
	struct wyn_limits limits;
	struct wyn_policy *policy; /* held; NULL after an error */
	size_t opened_count;
	struct wyn_opened opened[WYN_LISTEN_MAX];
	size_t removed_count;
	struct wyn_endpoint removed[WYN_LISTEN_MAX];
	size_t changes_count;
	struct wyn_change changes[WYN_CHANGES_MAX];

	size_t stops; /* how far it has come */
};

/* wyn_errand_send - on its way. Thread: aux. */
void wyn_errand_send(struct wyn_errand *errand);

/* wyn_errand_note - one line more of the report; texts are cut. Thread: aux,
 * loop; whoever has it. */
void wyn_errand_note(struct wyn_errand *errand, const char *what,
	const char *old_value, const char *new_value, bool restart);
