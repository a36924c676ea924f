// SPDX-License-Identifier: MIT
/*
 * admission.c - see admission.h.
 */
#include "daemon/admission.h"

#include <wyn/status.h>

#define REFUSE(status, word, words)                       \
	((struct wyn_answer){.code = WYN_STATUS_##status, \
		.reason = (word),                         \
		.text = (words),                          \
		.ran = WYN__V1__RAN__RAN_NO})
#define REFUSE_FOR_NOW(word, words)                                 \
	((struct wyn_answer){.code = WYN_STATUS_RESOURCE_EXHAUSTED, \
		.reason = (word),                                   \
		.text = (words),                                    \
		.retry_after_ms = WYN_RETRY_AFTER_MS,               \
		.ran = WYN__V1__RAN__RAN_NO})

/* A time further than this from now could wrap the clock's 64 bits. */
#define WYN_OPTION_MS_MAX (UINT64_C(366) * 24 * 3600 * 1000)

/* Returns: what is wrong; NULL = nothing. */
static const char *option_wrong(const struct wyn_submit_options *options)
{
	if (options->priority > WYN__V1__PRIORITY__PRIORITY_HIGH) {
		return "priority has an unknown value";
	}
	if (options->on_disconnect >
		WYN__V1__ON_DISCONNECT__ON_DISCONNECT_KEEP) {
		return "on_disconnect has an unknown value";
	}
	if (options->timeout_ms > WYN_OPTION_MS_MAX) {
		return "timeout_ms is more than 366 days";
	}
	if (options->deadline_ms > WYN_OPTION_MS_MAX) {
		return "deadline_ms is more than 366 days";
	}
	return NULL;
}

static bool options_refused(
	const struct wyn_submit_options *options, struct wyn_answer *ret_answer)
{
	const char *text;

	if (options->on_disconnect ==
		WYN__V1__ON_DISCONNECT__ON_DISCONNECT_KEEP) {
		*ret_answer = REFUSE(UNIMPLEMENTED, "OPTION_UNSUPPORTED",
			"on_disconnect KEEP is not in this version");
		return true;
	}
	text = option_wrong(options);
	if (text == NULL) {
		return false;
	}
	*ret_answer = REFUSE(INVALID_ARGUMENT, "OPTION_INVALID", text);
	return true;
}

bool wyn_admission_whole(const struct wyn_admission *admission,
	const struct wyn_submit *submit, struct wyn_answer *ret_answer)
{
	uint64_t count = submit->args.count + submit->arg_sizes_count;

	if (admission->draining) {
		*ret_answer = REFUSE(FAILED_PRECONDITION, "DRAINING",
			"the server is shutting down");
		return true;
	}
	if (count > admission->limits->batch_max) {
		*ret_answer = REFUSE(INVALID_ARGUMENT, "BATCH_TOO_LARGE",
			"more tasks in one Submit than max_batch");
		return true;
	}
	if (options_refused(&submit->options, ret_answer)) {
		return true;
	}
	if (!admission->function_known) {
		*ret_answer = REFUSE(
			NOT_FOUND, "FUNCTION_UNKNOWN", "no such function");
		return true;
	}
	return false;
}

bool wyn_admission_one(const struct wyn_admission *admission, uint64_t taken,
	uint64_t taken_bytes, uint64_t bytes, bool upload,
	struct wyn_answer *ret_answer)
{
	const struct wyn_limits *limits = admission->limits;

	if (bytes > limits->argument_bytes_max) {
		*ret_answer = REFUSE(INVALID_ARGUMENT, "ARGUMENT_TOO_LARGE",
			"the argument is larger than max_argument");
		return false;
	}
	if (taken >= admission->credit_tasks) {
		*ret_answer = REFUSE_FOR_NOW("TASKS_OVER_CREDIT",
			"more tasks than credit was granted for");
		return false;
	}
	if (taken_bytes + bytes > admission->credit_bytes) {
		*ret_answer = REFUSE_FOR_NOW("BYTES_OVER_CREDIT",
			"more argument bytes than credit was granted for");
		return false;
	}
	if (admission->daemon_tasks + taken >= limits->daemon_tasks_max) {
		*ret_answer = REFUSE_FOR_NOW("DAEMON_TASKS_MAX",
			"the server holds as many tasks as it may");
		return false;
	}
	if (admission->daemon_bytes + taken_bytes + bytes >
		limits->daemon_bytes_max) {
		*ret_answer = REFUSE_FOR_NOW("DAEMON_BYTES_MAX",
			"the server holds as many bytes as it may");
		return false;
	}
	if (upload && admission->uploads + taken >= limits->uploads_max) {
		*ret_answer = REFUSE_FOR_NOW("UPLOADS_MAX",
			"too many arguments are on their way in chunks");
		return false;
	}
	return true;
}

bool wyn_admission_all(
	const struct wyn_admission *admission, const struct wyn_submit *submit)
{
	const struct wyn_limits *limits = admission->limits;
	uint64_t count = submit->args.count;
	uint64_t bytes = submit->args.bytes_total;

	return submit->arg_sizes_count == 0 &&
	       bytes <= limits->argument_bytes_max &&
	       count <= admission->credit_tasks &&
	       bytes <= admission->credit_bytes &&
	       admission->daemon_tasks + count <= limits->daemon_tasks_max &&
	       admission->daemon_bytes + submit->args.region.len <=
		       limits->daemon_bytes_max;
}
