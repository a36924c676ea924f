// SPDX-License-Identifier: MIT
/*
 * acceptor.h - takes connections from all listeners and deals them out.
 *
 * Lives on loop 0. Each socket goes to the loop with the fewest. When there
 * are no descriptors left it stops looking for a while instead of spinning on
 * a listener that stays readable.
 */
#pragma once

#include <stddef.h>

#include "base/compiler.h"
#include "base/endpoint.h"
#include "daemon/fault.h"
#include "daemon/io/listener.h"

#define WYN_ACCEPT_BATCH_MAX 64u /* of one listener in one turn */
/* Without descriptors; ends early when a connection closes. */
#define WYN_ACCEPT_PAUSE_MS 100u

struct wyn_acceptor;
struct wyn_loop;

/*
 * wyn_acceptor_create - one that has no listeners.
 *
 * Thread: boot. Owns: borrows the loops, of which the first is where it lives.
 * Returns: 0, -ENOMEM.
 */
WYN_NODISCARD
int wyn_acceptor_create(struct wyn_loop *const *loops, size_t loops_count,
	struct wyn_acceptor **ret_acceptor);

/* wyn_acceptor_destroy - after wyn_acceptor_stop(), and after loop 0 was
 * destroyed, whose handles it holds. NULL is a no-op. Thread: boot. */
void wyn_acceptor_destroy(struct wyn_acceptor *acceptor);

/*
 * wyn_acceptor_listen - adds a listener; one that was adopted at that very
 * address stands for it.
 *
 * Thread: boot. Returns: as wyn_listener_open(); -EMFILE, exit code 78, beyond
 * WYN_LISTEN_MAX.
 */
WYN_NODISCARD
int wyn_acceptor_listen(struct wyn_acceptor *acceptor,
	const struct wyn_endpoint *endpoint,
	const struct wyn_listener_config *config, struct wyn_fault *ret_fault);

/*
 * wyn_acceptor_adopt - adds one that the service manager listens on.
 *
 * Thread: boot. Owns: takes the descriptor if 0. Returns: as
 * wyn_listener_adopt(); -EMFILE, exit code 78, beyond WYN_LISTEN_MAX.
 */
WYN_NODISCARD
int wyn_acceptor_adopt(struct wyn_acceptor *acceptor, int fd, const char *name,
	const struct wyn_listener_config *config, struct wyn_fault *ret_fault);

/*
 * wyn_acceptor_add - one more listener, while loop 0 runs.
 *
 * asked: what it is known by to wyn_acceptor_remove(). Thread: loop 0. Owns:
 * takes the listener, also on error. Returns: 0; -ESHUTDOWN after
 * wyn_acceptor_stop(), -EMFILE, -EAGAIN, what libuv said; the fault says it.
 */
WYN_NODISCARD
int wyn_acceptor_add(struct wyn_acceptor *acceptor,
	const struct wyn_endpoint *asked, struct wyn_listener *listener,
	struct wyn_fault *ret_fault);

/* wyn_acceptor_remove - closes that listener, if there is one; whoever came by
 * it stays. Thread: loop 0. */
void wyn_acceptor_remove(
	struct wyn_acceptor *acceptor, const struct wyn_endpoint *asked);

/* wyn_acceptor_endpoint - the index-th as bound, NULL past the end.
 * Thread: boot. */
const struct wyn_endpoint *wyn_acceptor_endpoint(
	const struct wyn_acceptor *acceptor, size_t index);

/*
 * wyn_acceptor_start - looks at the listeners once loop 0 runs.
 *
 * Thread: boot, before loop 0 runs. Returns: 0, what libuv said.
 */
WYN_NODISCARD
int wyn_acceptor_start(struct wyn_acceptor *acceptor);

/* wyn_acceptor_stop - closes all listeners and removes their socket files.
 * Idempotent, NULL is a no-op. Thread: loop 0; boot when loop 0 does not run.
 */
void wyn_acceptor_stop(struct wyn_acceptor *acceptor);

/* wyn_acceptor_gone - a descriptor was freed. Thread: any loop. */
void wyn_acceptor_gone(struct wyn_acceptor *acceptor);

/* wyn_acceptor_turn - looks again if one was. Thread: loop 0. */
void wyn_acceptor_turn(struct wyn_acceptor *acceptor);
