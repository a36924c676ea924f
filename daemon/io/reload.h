// SPDX-License-Identifier: MIT
/*
 * reload.h - the configuration and the modules are read again.
 *
 * In a thread of its own, wyn-aux, since it opens files, binds sockets and runs
 * what modules do when they are loaded. All is read and checked before anything
 * changes; then an errand goes from loop to loop, which take the new limits and
 * listeners, and at last to whoever asked.
 */
#pragma once

#include "base/compiler.h"
#include "daemon/io/listener.h"
#include "daemon/options.h"

#define WYN_RELOAD_ASKERS_MAX 16u   /* of one reload; others come next */
#define WYN_RELOAD_SWEEP_MS   1000u /* between looks at old modules */
#define WYN_RELOAD_STOP_MS    2000u /* for what a module does meanwhile */

struct wyn_acceptor;
struct wyn_later;
struct wyn_loader;
struct wyn_loop;
struct wyn_notifier;
struct wyn_reload;
struct wyn_shared;

/* [I] Borrowed, but for the values. */
struct wyn_reload_config {
	const struct wyn_options *options; /* as they are in force */
	struct wyn_listener_config listener;
	/* The service manager's sockets, which stay. They stand for the
	 * default, and are there already where they are asked for. */
	size_t passed_count;
	struct wyn_endpoint passed[WYN_LISTEN_MAX];
	struct wyn_shared *shared;
	struct wyn_acceptor *acceptor;
	struct wyn_loader *loader;
	struct wyn_loop *first; /* where the service manager is told */
};

/*
 * wyn_reload_create - one that has nothing to do.
 *
 * Thread: boot. Returns: 0, -ENOMEM.
 */
WYN_NODISCARD
int wyn_reload_create(
	const struct wyn_reload_config *config, struct wyn_reload **ret_reload);

/* wyn_reload_start - runs its thread, to which the loader belongs from then on.
 * Thread: boot. Returns: 0, what pthread_create said. */
WYN_NODISCARD
int wyn_reload_start(struct wyn_reload *reload);

/*
 * wyn_reload_request - all is to be read again.
 *
 * later: who is told of it; NULL = the log alone. Thread: loop. Returns: false
 * when WYN_RELOAD_ASKERS_MAX wait already.
 */
bool wyn_reload_request(
	struct wyn_reload *reload, const struct wyn_later *later);

/* wyn_reload_turn - tells the service manager of those that began and that are
 * over since the last turn. Thread: loop 0. */
void wyn_reload_turn(struct wyn_reload *reload, struct wyn_notifier *notifier);

/*
 * wyn_reload_stop - ends its thread, when the loops have ended.
 *
 * Where a module hangs at its load the process ends here, with 124, as it does
 * for a task. Thread: boot. NULL is a no-op.
 */
void wyn_reload_stop(struct wyn_reload *reload);

/* wyn_reload_destroy - after the loops were destroyed. NULL is a no-op. Thread:
 * boot. */
void wyn_reload_destroy(struct wyn_reload *reload);
