// SPDX-License-Identifier: MIT
/*
 * control.h - what a session asks beside tasks.
 *
 * Without I/O, as session.h; the answers come by wyn_session_pull(). One
 * thread at a time.
 */
#pragma once

#include <wyn/client.h>

#include "client/session.h"

/*
 * wyn_session_cancel, _ping, _functions, _stats, _drain - put such a request
 * into the outbox.
 *
 * The answer to the last three is session->reply, to a ping session->ponged.
 * One of them at a time: a later one's answer is the only one looked for.
 * Returns: 0; -ESHUTDOWN (a call after finish); -ENOTCONN; the error that
 * ended it.
 */
WYN_NODISCARD
int wyn_session_cancel(struct wyn_session *session, uint64_t first,
	uint64_t count, uint64_t grace_ms);
WYN_NODISCARD
int wyn_session_ping(struct wyn_session *session);
WYN_NODISCARD
int wyn_session_functions(struct wyn_session *session, const char *after);
WYN_NODISCARD
int wyn_session_stats(struct wyn_session *session);
WYN_NODISCARD
int wyn_session_drain(struct wyn_session *session);

/*
 * wyn_session_probe - a Ping that nobody waits for: its token, 0, is no
 * call_id.
 *
 * Returns: as wyn_session_ping().
 */
WYN_NODISCARD
int wyn_session_probe(struct wyn_session *session);

/*
 * wyn_session_list, _explain, _modules, _reload - the same for what report.c
 * asks; of a list's filter the limit bounds the page.
 */
WYN_NODISCARD
int wyn_session_list(
	struct wyn_session *session, const struct wyn_client_filter *filter);
WYN_NODISCARD
int wyn_session_explain(
	struct wyn_session *session, const struct wyn_client_which *which);
WYN_NODISCARD
int wyn_session_modules(struct wyn_session *session, const char *after);
WYN_NODISCARD
int wyn_session_reload(struct wyn_session *session);

/* wyn_session_outcome, _logs, _end_task - the same for what kept.c asks. */
WYN_NODISCARD
int wyn_session_outcome(struct wyn_session *session, uint64_t id,
	uint64_t wait_ms, uint64_t value_from);
WYN_NODISCARD
int wyn_session_logs(struct wyn_session *session, uint64_t id, uint64_t from,
	uint64_t wait_ms);
WYN_NODISCARD
int wyn_session_end_task(struct wyn_session *session, uint64_t id,
	unsigned signal, uint64_t grace_ms);

/*
 * wyn_session_finish - nothing more will be submitted; idempotent.
 *
 * Returns: 0; -ENOTCONN; the error that ended it.
 */
WYN_NODISCARD
int wyn_session_finish(struct wyn_session *session);
