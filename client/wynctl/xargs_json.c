// SPDX-License-Identifier: MIT
/*
 * xargs_json.c - what `xargs --json` prints: the pieces of a command's output,
 * and how it ended, each with its number.
 */
#include <string.h>

#include "client/wynctl/json.h"
#include "client/wynctl/xargs.h"

static json_t *json_of(uint64_t number)
{
	json_t *object = json_object();

	(void)json_object_set_new(
		object, "number", json_integer((json_int_t)number));
	return object;
}

static void json_set_command(json_t *object, const char *line)
{
	wyn_json_bytes(
		object, "command", (struct wyn_bytes){line, strlen(line)});
}

void wyn_xargs_json_write(void *context, struct wyn_gathered *one,
	enum wyn_gather_stream stream, struct wyn_slice bytes)
{
	struct wyn_xargs *xargs = context;
	struct wyn_xargs_job *job =
		WYN_CONTAINER_OF(one, struct wyn_xargs_job, output);
	json_t *object = json_of(job->number);

	wyn_json_bytes(object,
		stream == WYN_GATHER_STDOUT ? "stdout" : "stderr",
		(struct wyn_bytes){bytes.data, bytes.len});
	wyn_json_print(&xargs->ctl->output, object);
}

char *wyn_xargs_json_end(
	const struct wyn_xargs_job *job, const struct wyn_client_event *event)
{
	json_t *object = json_of(job->number);
	char *text;

	json_set_command(object, job->line);
	wyn_json_end(object, event);
	wyn_json_command(object, event);
	text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	return text;
}

void wyn_xargs_json_dry(struct wyn_xargs *xargs, const char *line)
{
	json_t *object = json_of(xargs->numbers);

	json_set_command(object, line);
	wyn_json_print(&xargs->ctl->output, object);
}
