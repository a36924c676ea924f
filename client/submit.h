// SPDX-License-Identifier: MIT
/*
 * submit.h - how tasks get into a session.
 *
 * Without I/O, as session.h: a Submit is encoded into the outbox, within the
 * server's credit and limits. One thread at a time.
 */
#pragma once

#include "client/session.h"

/*
 * wyn_session_submit - puts one Submit with up to `n` tasks into the outbox.
 *
 * Returns: 0 with 1..n tasks taken; -EAGAIN (no credit, or the outbox is
 * full); -ENOBUFS (every place of the table is in use); -EMSGSIZE (the first
 * does not fit a frame); -E2BIG, -EINVAL, -ESHUTDOWN, -ENOMEM, or the error
 * that ended the session. errors are recorded, -EAGAIN is not.
 */
WYN_NODISCARD
int wyn_session_submit(struct wyn_session *session, const char *function,
	const struct wyn_bytes *arguments, size_t n,
	const struct wyn_client_options *options, uint64_t *ret_first,
	size_t *ret_count);

/*
 * wyn_session_submit_source - puts a Submit into the outbox whose argument
 * follows in chunks.
 *
 * Owns: takes the source on success only. Returns: as wyn_session_submit().
 */
WYN_NODISCARD
int wyn_session_submit_source(struct wyn_session *session, const char *function,
	const struct wyn_client_source *source,
	const struct wyn_client_options *options, uint64_t *ret_seq);

/*
 * wyn_session_submit_command - puts a Submit with a command into the outbox.
 *
 * Its argument is `input`, or as many bytes of `source` where that is not NULL.
 * Owns: takes the source on success only. Returns: as wyn_session_submit();
 * -EMSGSIZE asks for a source.
 */
WYN_NODISCARD
int wyn_session_submit_command(struct wyn_session *session,
	const struct wyn_client_command *command, struct wyn_bytes input,
	const struct wyn_client_source *source,
	const struct wyn_client_options *options, uint64_t *ret_seq);
