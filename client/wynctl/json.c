// SPDX-License-Identifier: MIT
/*
 * json.c - results as JSON, by jansson. When there is no memory, jansson's
 * functions do nothing and the line is reported as not written.
 */
#include "client/wynctl/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "client/wynctl/status.h"

static char *json_base64(struct wyn_bytes value)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *data = value.data;
	char *text = malloc((value.size + 2) / 3 * 4 + 1);
	size_t size = 0;

	if (text == NULL) {
		return NULL;
	}
	for (size_t i = 0; i < value.size; i += 3) {
		size_t left = value.size - i;
		unsigned group = (unsigned)data[i] << 16;

		group |= left > 1 ? (unsigned)data[i + 1] << 8 : 0;
		group |= left > 2 ? (unsigned)data[i + 2] : 0;
		text[size++] = digits[group >> 18];
		text[size++] = digits[group >> 12 & 63];
		text[size++] = left > 1 ? digits[group >> 6 & 63] : '=';
		text[size++] = left > 2 ? digits[group & 63] : '=';
	}
	text[size] = '\0';
	return text;
}

void wyn_json_bytes(json_t *object, const char *key, struct wyn_bytes bytes)
{
	json_t *text =
		json_stringn(bytes.size > 0 ? bytes.data : "", bytes.size);
	char longer[32];
	char *encoded;

	if (text != NULL) {
		(void)json_object_set_new(object, key, text);
		return;
	}
	encoded = json_base64(bytes);
	(void)snprintf(longer, sizeof(longer), "%s_base64", key);
	(void)json_object_set_new(object, longer, json_string(encoded));
	free(encoded);
}

void wyn_json_end(json_t *object, const struct wyn_client_event *event)
{
	static const char *const ran[] = {"unknown", "no", "yes", "maybe"};

	(void)json_object_set_new(
		object, "status", json_string(wyn_status_name(event->code)));
	if (event->code == WYN_STATUS_OK) {
		return;
	}
	(void)json_object_set_new(object, "reason", json_string(event->reason));
	(void)json_object_set_new(
		object, "message", json_string(event->message));
	(void)json_object_set_new(object, "ran",
		json_string(event->ran < WYN_COUNT_OF(ran) ? ran[event->ran]
							   : ran[0]));
}

static json_t *json_usage(const struct wyn_client_usage *usage)
{
	if (usage == NULL) {
		return json_null();
	}
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "wall_ns",
		(json_int_t)usage->wall_ns, "user_ns",
		(json_int_t)usage->user_ns, "system_ns",
		(json_int_t)usage->system_ns, "peak_rss_bytes",
		(json_int_t)usage->peak_rss_bytes, "stdout_bytes",
		(json_int_t)usage->stdout_bytes, "stderr_bytes",
		(json_int_t)usage->stderr_bytes);
}

void wyn_json_command(json_t *object, const struct wyn_client_event *event)
{
	bool exited = event->code == WYN_STATUS_OK || event->exit_status != 0;

	(void)json_object_set_new(object, "exit_status",
		exited ? json_integer((json_int_t)event->exit_status)
		       : json_null());
	(void)json_object_set_new(object, "signal",
		event->signal != 0 ? json_integer((json_int_t)event->signal)
				   : json_null());
	(void)json_object_set_new(object, "usage", json_usage(event->usage));
}

void wyn_json_print(struct wyn_stdout *output, json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);

	if (text != NULL) {
		wyn_stdout_print(output, "%s\n", text);
	} else if (output->error == 0) {
		output->error = ENOMEM;
	}
	free(text);
	json_decref(object);
}
