// SPDX-License-Identifier: MIT
/*
 * outcome.c - see outcome.h. Plain memory, one owner at a time.
 */
#include "daemon/run/outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wyn/module.h>
#include <wyn/status.h>

#include "base/text.h"
#include "daemon/run/account.h"

/*
 * A message travels as a protobuf string, and clients refuse one that is not
 * UTF-8. A module may say anything.
 */
static void make_valid(char *message)
{
	if (wyn_text_valid(wyn_slice_of(message))) {
		return;
	}
	for (char *at = message; *at != '\0'; at++) {
		if ((unsigned char)*at >= 0x80) {
			*at = '?';
		}
	}
}

static void message_clear(struct wyn_outcome *outcome)
{
	free(outcome->message);
	outcome->message = NULL;
}

void wyn_outcome_say(struct wyn_outcome *outcome, const char *message)
{
	size_t bytes = strnlen(message, WYN_MODULE_MESSAGE_BYTES_MAX);

	if (bytes == WYN_MODULE_MESSAGE_BYTES_MAX) {
		/* Cut here, or by wyn_fail(). */
		bytes = wyn_text_whole(
			(struct wyn_slice){(const uint8_t *)message, bytes});
	}
	message_clear(outcome);
	outcome->message = strndup(message, bytes);
	if (outcome->message != NULL) {
		make_valid(outcome->message);
	}
}

static void WYN_PRINTF(2, 3)
	message_format(struct wyn_outcome *outcome, const char *format, ...)
{
	char message[WYN_MODULE_MESSAGE_BYTES_MAX + 1];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	wyn_outcome_say(outcome, message);
}

static void value_drop(struct wyn_outcome *outcome)
{
	if (outcome->value != NULL && outcome->value != outcome->small) {
		free(outcome->value);
		wyn_account_give_back(outcome->account, outcome->value_room);
	}
	outcome->value = NULL;
	outcome->value_bytes = 0;
}

/* Returns: NULL when its owner or all together hold too much already. */
static uint8_t *large_value(struct wyn_outcome *outcome, size_t bytes)
{
	uint8_t *value;

	if (!wyn_account_take(outcome->account, bytes)) {
		return NULL;
	}
	value = malloc(bytes);
	if (value == NULL) {
		wyn_account_give_back(outcome->account, bytes);
	}
	return value;
}

static void *refuse_value(
	struct wyn_outcome *outcome, enum wyn_refusal refusal, size_t bytes)
{
	outcome->code = WYN_STATUS_RESOURCE_EXHAUSTED;
	outcome->refusal = refusal;
	message_format(outcome, "no room for a value of %zu bytes", bytes);
	return NULL;
}

/* An earlier refusal does not stand when a smaller value fits. */
static void refusal_clear(struct wyn_outcome *outcome)
{
	if (outcome->code == WYN_STATUS_OK) {
		return;
	}
	outcome->code = WYN_STATUS_OK;
	outcome->refusal = WYN_REFUSAL_NONE;
	message_clear(outcome);
}

uint8_t *wyn_outcome_reserve(struct wyn_outcome *outcome, size_t bytes)
{
	uint8_t *value = outcome->small;

	value_drop(outcome);
	refusal_clear(outcome);
	if (bytes > outcome->value_bytes_max) {
		return refuse_value(
			outcome, WYN_REFUSAL_VALUE_TOO_LARGE, bytes);
	}
	if (bytes > WYN_INLINE_VALUE_BYTES) {
		value = large_value(outcome, bytes);
	}
	if (value == NULL) {
		return refuse_value(
			outcome, WYN_REFUSAL_DAEMON_BYTES_MAX, bytes);
	}
	outcome->value = value;
	outcome->value_bytes = bytes;
	outcome->value_room = bytes;
	return value;
}

static size_t room_of(const struct wyn_outcome *outcome)
{
	return outcome->value == outcome->small ? WYN_INLINE_VALUE_BYTES
						: outcome->value_room;
}

/* Room that it has is charged already. */
static bool value_widen(struct wyn_outcome *outcome, size_t room)
{
	bool is_small = outcome->value == outcome->small;
	size_t more = room - (is_small ? 0 : outcome->value_room);
	uint8_t *value;

	if (!wyn_account_take(outcome->account, more)) {
		return false;
	}
	value = realloc(is_small ? NULL : outcome->value, room);
	if (value == NULL) {
		wyn_account_give_back(outcome->account, more);
		return false;
	}
	if (is_small) {
		memcpy(value, outcome->small, outcome->value_bytes);
	}
	outcome->value = value;
	outcome->value_room = room;
	return true;
}

/* Twice as much as is needed, or just that where there is no more. */
static bool value_grow(struct wyn_outcome *outcome, size_t bytes)
{
	size_t most = (size_t)outcome->value_bytes_max;

	return value_widen(outcome, bytes < most / 2 ? bytes * 2 : most) ||
	       value_widen(outcome, bytes);
}

static bool append_refused(
	struct wyn_outcome *outcome, enum wyn_refusal refusal, size_t bytes)
{
	value_drop(outcome);
	return refuse_value(outcome, refusal, bytes) != NULL;
}

bool wyn_outcome_append(
	struct wyn_outcome *outcome, const void *data, size_t bytes)
{
	size_t before = outcome->value_bytes;
	size_t all;

	if (outcome->code != WYN_STATUS_OK) {
		return false;
	}
	if (outcome->value == NULL && wyn_outcome_reserve(outcome, 0) == NULL) {
		return false;
	}
	if (__builtin_add_overflow(before, bytes, &all) ||
		all > outcome->value_bytes_max) {
		return append_refused(
			outcome, WYN_REFUSAL_VALUE_TOO_LARGE, before + bytes);
	}
	if (all > room_of(outcome) && !value_grow(outcome, all)) {
		return append_refused(
			outcome, WYN_REFUSAL_DAEMON_BYTES_MAX, all);
	}
	if (bytes > 0) {
		memcpy(outcome->value + before, data, bytes);
	}
	outcome->value_bytes = all;
	return true;
}

/* Room that was taken in advance goes back, unless no smaller block is had. */
static void value_trim(struct wyn_outcome *outcome)
{
	size_t bytes = outcome->value_bytes;
	uint8_t *value;

	if (outcome->value == NULL || outcome->value == outcome->small ||
		outcome->value_room == bytes) {
		return;
	}
	value = realloc(outcome->value, bytes > 0 ? bytes : 1);
	if (value != NULL) {
		wyn_account_give_back(
			outcome->account, outcome->value_room - bytes);
		outcome->value = value;
		outcome->value_room = bytes;
	}
}

void wyn_outcome_conclude(struct wyn_outcome *outcome, int status,
	bool cancelled, const char *function)
{
	bool refused = outcome->code == WYN_STATUS_RESOURCE_EXHAUSTED;

	if (status == WYN_STATUS_OK && !refused) {
		value_trim(outcome);
		message_clear(outcome);
		return;
	}
	value_drop(outcome);
	/* Whoever got no room for a value and returned OK has not succeeded. */
	if (refused && (status == WYN_STATUS_OK ||
			       status == WYN_STATUS_RESOURCE_EXHAUSTED)) {
		return;
	}
	outcome->refusal = WYN_REFUSAL_FUNCTION_FAILED;
	if (status == WYN_STATUS_CANCELLED && cancelled) {
		outcome->refusal = WYN_REFUSAL_CANCELLED_BY_CLIENT;
	}
	if (status > 0 && status < WYN_STATUS_COUNT) {
		outcome->code = (uint32_t)status;
		return;
	}
	outcome->code = WYN_STATUS_INTERNAL;
	message_format(outcome, "%s returned %d, which is no status", function,
		status);
}

void wyn_outcome_clear(struct wyn_outcome *outcome)
{
	value_drop(outcome);
	message_clear(outcome);
	free(outcome->end);
	outcome->end = NULL;
	outcome->code = WYN_STATUS_OK;
	outcome->refusal = WYN_REFUSAL_NONE;
}
