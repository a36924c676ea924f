// SPDX-License-Identifier: MIT
/*
 * report.c - what the server tells of its tasks and modules, page by page.
 *
 * A server whose pages do not go on from where they were asked would be
 * listened to for ever, so that ends the connection.
 */
#include "client/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "client/control.h"
#include "client/reason.h"
#include "client/receive_task.h"

int wyn_report_broken(struct wyn_client *client, const char *what)
{
	struct wyn_session *session = &client->session;

	(void)wyn_receive_broken(session, what);
	session->error = session->end;
	return session->end_error;
}

struct wyn_client_task wyn_report_task(const Wyn__V1__Task *task)
{
	return (struct wyn_client_task){
		.id = task->id,
		.seq = task->seq,
		.connection = task->connection,
		.client_name = task->client_name,
		.function = task->function,
		.state = (uint32_t)task->state,
		.priority = (uint32_t)task->priority,
		.loop = task->loop,
		.answered = task->answered,
		.age_ns = task->age_ns,
		.run_ns = task->run_ns,
		.argument_bytes = task->argument_bytes,
		.timeout_ms = task->timeout_ms,
		.deadline_ms = task->deadline_ms,
		.command = task->command,
		.label = task->label,
		.code = task->code,
		.exit_status = task->exit_status,
		.signal = task->signal,
	};
}

/* Gives a page. filter->after and ->limit go on with it. */
static int list_page(struct wyn_client *client, const Wyn__V1__ListReply *page,
	struct wyn_client_filter *filter,
	int (*each)(void *context, const struct wyn_client_task *task),
	void *context)
{
	for (size_t i = 0; i < page->n_tasks; i++) {
		const struct wyn_client_task task =
			wyn_report_task(page->tasks[i]);
		int err;

		if (task.id <= filter->after) {
			return wyn_report_broken(
				client, "ids of tasks that do not ascend");
		}
		filter->after = task.id;
		err = each(context, &task);
		if (err != 0) {
			return err;
		}
		if (filter->limit > 0 && --filter->limit == 0) {
			return 0;
		}
	}
	return 0;
}

/* Sent, a text that is not UTF-8 would cost the whole connection. */
static int list_check(
	struct wyn_client *client, const struct wyn_client_filter *filter)
{
	if (filter->function != NULL &&
		!wyn_text_valid(wyn_slice_of(filter->function))) {
		return wyn_session_fail(&client->session, -EINVAL,
			WYN_STATUS_INVALID_ARGUMENT, WYN_REASON_FUNCTION_NAME,
			"the name of a function is UTF-8");
	}
	if (filter->label != NULL &&
		!wyn_text_valid(wyn_slice_of(filter->label))) {
		return wyn_session_fail(&client->session, -EINVAL,
			WYN_STATUS_INVALID_ARGUMENT, WYN_REASON_OPTION_INVALID,
			"a label is UTF-8");
	}
	return 0;
}

int wyn_client_list(struct wyn_client *client, uint64_t deadline_ns,
	const struct wyn_client_filter *filter,
	int (*each)(void *context, const struct wyn_client_task *task),
	void *context)
{
	struct wyn_client_filter left = {.limit = 0};
	const Wyn__V1__Reply *reply;
	bool bounded;
	bool more = true;
	int err;

	if (filter != NULL) {
		left = *filter;
	}
	err = list_check(client, &left);
	if (err != 0) {
		return err;
	}
	bounded = left.limit > 0;
	while (err == 0 && more && !(bounded && left.limit == 0)) {
		err = wyn_session_list(&client->session, &left);
		if (err == 0) {
			err = wyn_client_reply(client, deadline_ns,
				WYN__V1__REPLY__WHAT_LIST, &reply);
		}
		if (err == 0) {
			more = reply->list->more && reply->list->n_tasks > 0;
			err = list_page(
				client, reply->list, &left, each, context);
		}
	}
	return err;
}

int wyn_client_explain(struct wyn_client *client, uint64_t deadline_ns,
	const struct wyn_client_which *which,
	struct wyn_client_explanation *ret_explanation)
{
	const Wyn__V1__Reply *reply;
	const Wyn__V1__ExplainReply *explain;
	int err = wyn_session_explain(&client->session, which);

	if (err == 0) {
		err = wyn_client_reply(client, deadline_ns,
			WYN__V1__REPLY__WHAT_EXPLAIN, &reply);
	}
	if (err != 0) {
		return err;
	}
	explain = reply->explain;
	if (explain->task == NULL) {
		return wyn_report_broken(client, "an explanation of no task");
	}
	*ret_explanation = (struct wyn_client_explanation){
		.task = wyn_report_task(explain->task),
		.why = (uint32_t)explain->why,
		.message = explain->message,
		.ahead = explain->ahead,
		.connections = explain->connections,
		.executor = explain->executor,
		.have_bytes = explain->have_bytes,
	};
	return 0;
}

/* Gives a page. *last becomes a copy of its last name, the caller's to free. */
static int modules_page(struct wyn_client *client,
	const Wyn__V1__ModulesReply *page, char **last,
	int (*each)(void *context, const struct wyn_client_module *module),
	void *context)
{
	for (size_t i = 0; i < page->n_modules; i++) {
		const Wyn__V1__Module *told = page->modules[i];
		const struct wyn_client_module module = {
			.name = told->name,
			.version = told->version,
			.file = told->file,
			.functions = told->functions,
		};
		int err;

		if (strcmp(told->name, *last != NULL ? *last : "") <= 0) {
			return wyn_report_broken(
				client, "names of modules that do not ascend");
		}
		free(*last);
		*last = strdup(told->name);
		if (*last == NULL) {
			return wyn_session_fail(&client->session, -ENOMEM,
				WYN_STATUS_RESOURCE_EXHAUSTED,
				WYN_REASON_CLIENT_NO_MEMORY,
				"no memory for a name");
		}
		err = each(context, &module);
		if (err != 0) {
			return err;
		}
	}
	return 0;
}

int wyn_client_modules(struct wyn_client *client, uint64_t deadline_ns,
	int (*each)(void *context, const struct wyn_client_module *module),
	void *context)
{
	const Wyn__V1__Reply *reply;
	char *last = NULL;
	bool more = true;
	int err = 0;

	while (err == 0 && more) {
		err = wyn_session_modules(
			&client->session, last != NULL ? last : "");
		if (err == 0) {
			err = wyn_client_reply(client, deadline_ns,
				WYN__V1__REPLY__WHAT_MODULES, &reply);
		}
		if (err == 0) {
			more = reply->modules->more &&
			       reply->modules->n_modules > 0;
			err = modules_page(
				client, reply->modules, &last, each, context);
		}
	}
	free(last);
	return err;
}

int wyn_client_reload(struct wyn_client *client, uint64_t deadline_ns,
	int (*each)(void *context, const struct wyn_client_change *change),
	void *context)
{
	const Wyn__V1__Reply *reply;
	int err = wyn_session_reload(&client->session);

	if (err == 0) {
		err = wyn_client_reply(client, deadline_ns,
			WYN__V1__REPLY__WHAT_RELOAD, &reply);
	}
	if (err != 0) {
		return err;
	}
	for (size_t i = 0; err == 0 && i < reply->reload->n_changes; i++) {
		const Wyn__V1__Change *told = reply->reload->changes[i];
		const struct wyn_client_change change = {
			.what = told->what,
			.before = told->old_value,
			.after = told->new_value,
			.restart = told->restart,
		};

		err = each(context, &change);
	}
	return err;
}
