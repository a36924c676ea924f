// SPDX-License-Identifier: MIT
/*
 * command.h - what a session does for commands beside submitting them.
 *
 * Without I/O, as session.h. One thread at a time.
 */
#pragma once

#include <stdint.h>

#include <wyn/client.h>

#include "base/compiler.h"
#include "client/session.h"

/*
 * wyn_session_pack_command - session->packed becomes the message of a command.
 *
 * It borrows from *command. Returns: 0; -EINVAL, -ENOMEM, recorded.
 */
WYN_NODISCARD
int wyn_session_pack_command(
	struct wyn_session *session, const struct wyn_client_command *command);

/*
 * wyn_session_input - puts Chunks of a command's input into the outbox.
 *
 * Returns: as wyn_client_input().
 */
WYN_NODISCARD
int wyn_session_input(struct wyn_session *session, uint64_t seq,
	struct wyn_bytes bytes, bool eof, size_t *ret_taken);

/* wyn_session_signal - as wyn_client_signal(). */
WYN_NODISCARD
int wyn_session_signal(struct wyn_session *session, uint64_t first,
	uint64_t count, unsigned number);
