// SPDX-License-Identifier: MIT
/*
 * json.h - what wynctl prints with --json.
 *
 * One object per line, keys in the order they were set. Numbers that may pass
 * 2^53 (ids) are strings; bytes that are no UTF-8 go base64.
 */
#pragma once

#include <jansson.h>

#include <wyn/client.h>

#include "client/wynctl/stdout.h"

/*
 * wyn_json_bytes - sets KEY to the text, or KEY_base64 to the bytes where they
 * are no text. Thread: main.
 */
void wyn_json_bytes(json_t *object, const char *key, struct wyn_bytes bytes);

/*
 * wyn_json_end - sets "status", and "reason", "message" and "ran" of a task
 * that failed. Thread: main.
 */
void wyn_json_end(json_t *object, const struct wyn_client_event *event);

/*
 * wyn_json_command - sets "exit_status", "signal" and "usage" of a command,
 * null where there is none. Thread: main.
 */
void wyn_json_command(json_t *object, const struct wyn_client_event *event);

/* wyn_json_print - one line. Owns: takes the object. Thread: main. */
void wyn_json_print(struct wyn_stdout *output, json_t *object);
