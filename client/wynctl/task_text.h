// SPDX-License-Identifier: MIT
/*
 * task_text.h - what is printed of one task, for people and as JSON.
 *
 * Main's thread.
 */
#pragma once

#include <jansson.h>

#include <wyn/client.h>

#include "client/wynctl/ctl.h"

#define WYN_TASK_TEXT_BYTES 1024u /* of a server; what is longer is cut */
#define WYN_TASK_TIME_BYTES 24u

/* wyn_task_time - how long, with three figures or so. Returns: text. */
const char *wyn_task_time(uint64_t time_ns, char text[WYN_TASK_TIME_BYTES]);

/* wyn_task_what - what it runs. Returns: text. */
const char *wyn_task_what(
	const struct wyn_client_task *task, char text[WYN_TASK_TEXT_BYTES]);

/* wyn_task_exit - how it ended, in six characters. Returns: text, or another
 * one. */
const char *wyn_task_exit(
	const struct wyn_client_task *task, char text[WYN_TASK_TIME_BYTES]);

/* wyn_task_json - Owns: the caller's. Returns: NULL without memory. */
json_t *wyn_task_json(const struct wyn_client_task *task);
json_t *wyn_task_explain_json(const struct wyn_client_explanation *told);

/* wyn_task_print - two lines: what it is, and from whom. */
void wyn_task_print(struct wyn_ctl *ctl, const struct wyn_client_task *task);

/* wyn_task_explain_text - these, and what it waits for or where it runs. */
void wyn_task_explain_text(
	struct wyn_ctl *ctl, const struct wyn_client_explanation *told);
