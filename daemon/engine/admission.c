// SPDX-License-Identifier: MIT
/*
 * admission.c - see admission.h.
 */
#include "daemon/engine/admission.h"

#define REFUSE(name) ((struct wyn_answer){.refusal = WYN_REFUSAL_##name})

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
	if (options->label.len >= WYN_LABEL_BYTES) {
		return "label has more than 63 bytes";
	}
	return NULL;
}

static bool options_refused(const struct wyn_submit_options *options,
	bool keeps, struct wyn_answer *ret_answer)
{
	const char *text;

	if (!keeps && options->on_disconnect ==
			      WYN__V1__ON_DISCONNECT__ON_DISCONNECT_KEEP) {
		*ret_answer = REFUSE(KEEP_LOCAL_ONLY);
		return true;
	}
	text = option_wrong(options);
	if (text == NULL) {
		return false;
	}
	*ret_answer = REFUSE(OPTION_INVALID);
	ret_answer->text = text;
	return true;
}

bool wyn_admission_whole(const struct wyn_admission *admission,
	const struct wyn_submit *submit, struct wyn_answer *ret_answer)
{
	uint64_t count = submit->args.count + submit->arg_sizes_count;

	if (admission->draining) {
		*ret_answer = REFUSE(DRAINING);
		return true;
	}
	if (count > admission->limits->batch_max) {
		*ret_answer = REFUSE(BATCH_TOO_LARGE);
		return true;
	}
	if (options_refused(&submit->options, admission->keeps, ret_answer)) {
		return true;
	}
	if (submit->options.on_disconnect ==
			WYN__V1__ON_DISCONNECT__ON_DISCONNECT_KEEP &&
		count > admission->keep_room) {
		*ret_answer = REFUSE(KEEP_TASKS_MAX);
		return true;
	}
	if (!admission->function_known) {
		*ret_answer = REFUSE(FUNCTION_UNKNOWN);
		return true;
	}
	return false;
}

bool wyn_admission_over(
	bool alone, uint64_t own, uint64_t held, uint64_t more, uint64_t max)
{
	if (held > max || more > max - held) {
		return true;
	}
	/* Who holds nothing is let in as long as there is room. */
	return !alone && own > 0 && own + more > max - held - more;
}

bool wyn_admission_one(const struct wyn_admission *admission, uint64_t taken,
	uint64_t taken_bytes, uint64_t bytes, bool upload,
	struct wyn_answer *ret_answer)
{
	const struct wyn_limits *limits = admission->limits;

	if (bytes > limits->argument_bytes_max) {
		*ret_answer = REFUSE(ARGUMENT_TOO_LARGE);
		return false;
	}
	if (taken >= admission->credit_tasks) {
		*ret_answer = REFUSE(TASKS_OVER_CREDIT);
		return false;
	}
	if (taken_bytes + bytes > admission->credit_bytes) {
		*ret_answer = REFUSE(BYTES_OVER_CREDIT);
		return false;
	}
	if (wyn_admission_over(admission->alone, admission->own_tasks + taken,
		    admission->daemon_tasks + taken, 1,
		    limits->daemon_tasks_max)) {
		*ret_answer = REFUSE(DAEMON_TASKS_MAX);
		return false;
	}
	if (wyn_admission_over(admission->alone,
		    admission->own_bytes + taken_bytes,
		    admission->daemon_bytes + taken_bytes, bytes,
		    limits->daemon_bytes_max)) {
		*ret_answer = REFUSE(DAEMON_BYTES_MAX);
		return false;
	}
	if (upload && admission->uploads + taken >= limits->uploads_max) {
		*ret_answer = REFUSE(UPLOADS_MAX);
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
	       /* The last of them, beside the others. */
	       !wyn_admission_over(admission->alone,
		       admission->own_tasks + count - 1,
		       admission->daemon_tasks + count - 1, 1,
		       limits->daemon_tasks_max) &&
	       !wyn_admission_over(admission->alone, admission->own_bytes,
		       admission->daemon_bytes, submit->args.region.len,
		       limits->daemon_bytes_max);
}
