// SPDX-License-Identifier: MIT
/*
 * conn_call.h - unary requests, by subject.
 *
 * Private to conn_call*.c: conn_call.c tells them apart and has the small ones,
 * conn_call_stats.c counters, conn_call_list.c tasks, conn_call_modules.c
 * modules.
 */
#pragma once

#include <stdint.h>

#include <wyn/status.h>

#include "proto/codec.h"

struct wyn_conn;
struct wyn_later;

/*
 * wyn_conn_call_stats, _list, _explain, _modules - answer such a Call, at once
 * or later.
 *
 * Thread: loop. Owns: borrow the Call.
 */
void wyn_conn_call_stats(struct wyn_conn *conn, const Wyn__V1__Call *call);
void wyn_conn_call_list(struct wyn_conn *conn, const Wyn__V1__Call *call);
void wyn_conn_call_explain(struct wyn_conn *conn, const Wyn__V1__Call *call);

/* wyn_conn_call_end - ends one task of any connection, or sends it a signal. */
void wyn_conn_call_end(struct wyn_conn *conn, const Wyn__V1__Call *call);
void wyn_conn_call_modules(struct wyn_conn *conn, const Wyn__V1__Call *call);

/*
 * wyn_conn_call_refuse - answers one so.
 *
 * later: its note; NULL for one that is answered at once. Thread: loop.
 */
void wyn_conn_call_refuse(struct wyn_conn *conn, uint64_t call_id,
	const struct wyn_later *later, enum wyn_status code, const char *reason,
	const char *message);
