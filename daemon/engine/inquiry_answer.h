// SPDX-License-Identifier: MIT
/*
 * inquiry_answer.h - what an inquiry came home with, as a Reply; and the Calls
 * that send one off.
 *
 * Private to the engine. The loop's thread.
 */
#pragma once

#include "proto/message.h"

struct wyn_conn;
struct wyn_inquiry;

/* Of a Reply, beside the data: texts, numbers, and a head of each piece. */
#define WYN_INQUIRY_HEAD_BYTES 3072u

/* wyn_inquiry_answer - answers its Call, if somebody waits for that still. */
void wyn_inquiry_answer(const struct wyn_inquiry *inquiry);

/* wyn_conn_call_outcome, wyn_conn_call_logs - the Calls. */
void wyn_conn_call_outcome(struct wyn_conn *conn, const Wyn__V1__Call *call);
void wyn_conn_call_logs(struct wyn_conn *conn, const Wyn__V1__Call *call);
