// SPDX-License-Identifier: MIT
/*
 * reload_errand.c - see reload_errand.h.
 */
#include "daemon/io/reload_errand.h"

#include <errno.h>
#include <string.h>

#include <wyn/status.h>

#include "base/text.h"
#include "daemon/io/acceptor.h"
#include "daemon/engine/engine.h"

void wyn_errand_note(struct wyn_errand *errand, const char *what,
	const char *old_value, const char *new_value, bool restart)
{
	struct wyn_change *change;

	if (errand->changes_count == WYN_CHANGES_MAX) {
		return;
	}
	change = &errand->changes[errand->changes_count++];
	wyn_text_copy(change->what, sizeof(change->what), what);
	wyn_text_copy(change->old_value, sizeof(change->old_value), old_value);
	wyn_text_copy(change->new_value, sizeof(change->new_value), new_value);
	change->restart = restart;
}

/* The first loop's: what is closed and opened is its own. */
static void listeners_change(struct wyn_errand *errand)
{
	char text[WYN_ENDPOINT_TEXT_BYTES];
	struct wyn_fault fault;

	for (size_t i = 0; i < errand->removed_count; i++) {
		wyn_acceptor_remove(errand->acceptor, &errand->removed[i]);
	}
	for (size_t i = 0; i < errand->opened_count; i++) {
		struct wyn_opened *opened = &errand->opened[i];

		if (wyn_acceptor_add(errand->acceptor, &opened->asked,
			    &opened->listener, &fault) < 0) {
			wyn_endpoint_format(&opened->asked, text, sizeof(text));
			wyn_errand_note(
				errand, "listen", text, fault.text, false);
		}
	}
	errand->opened_count = 0;
}

static void answer_fault(
	const struct wyn_errand *errand, const struct wyn_later *later)
{
	Wyn__V1__Reply reply = WYN__V1__REPLY__INIT;
	char text[sizeof(errand->fault.text)];

	wyn_text_copy(text, sizeof(text), errand->fault.text);
	reply.code = WYN_STATUS_FAILED_PRECONDITION;
	reply.reason = wyn_message_text("CONFIGURATION_VOID");
	reply.message = wyn_message_text(text);
	wyn_later_answer(later, &reply);
}

/* What a change takes of a frame, at most: texts, keys and lengths. */
static size_t change_bytes(const struct wyn_change *change)
{
	return strlen(change->what) + strlen(change->old_value) +
	       strlen(change->new_value) + 4 * 6;
}

static void answer(
	const struct wyn_errand *errand, const struct wyn_later *later)
{
	Wyn__V1__Change changes[WYN_CHANGES_MAX];
	Wyn__V1__Change *pointers[WYN_CHANGES_MAX];
	Wyn__V1__ReloadReply list = WYN__V1__RELOAD_REPLY__INIT;
	Wyn__V1__Reply reply = WYN__V1__REPLY__INIT;
	size_t room = wyn_engine_limits(later->engine)->frame_bytes_max -
		      WYN_REPLY_HEAD_BYTES;

	/* With a small max-frame the log alone has all of them. */
	for (size_t i = 0; i < errand->changes_count &&
			   change_bytes(&errand->changes[i]) <= room;
		i++) {
		const struct wyn_change *change = &errand->changes[i];

		room -= change_bytes(change);
		wyn__v1__change__init(&changes[i]);
		changes[i].what = wyn_message_text(change->what);
		changes[i].old_value = wyn_message_text(change->old_value);
		changes[i].new_value = wyn_message_text(change->new_value);
		changes[i].restart = change->restart;
		pointers[i] = &changes[i];
		list.n_changes++;
	}
	list.changes = pointers;
	reply.what_case = WYN__V1__REPLY__WHAT_RELOAD;
	reply.reload = &list;
	wyn_later_answer(later, &reply);
}

/* Where it has to be next: every loop, in order, then everybody who asked.
 * NULL: it has been everywhere. */
static struct wyn_engine *next_stop(const struct wyn_errand *errand)
{
	size_t loops = errand->shared->engines_count;

	if (errand->stops < loops) {
		return errand->shared->engines[errand->stops];
	}
	return errand->stops - loops < errand->askers_count
		       ? errand->askers[errand->stops - loops].engine
		       : NULL;
}

static void do_here(struct wyn_errand *errand, struct wyn_engine *engine)
{
	size_t loops = errand->shared->engines_count;

	if (errand->stops >= loops) {
		const struct wyn_later *later =
			&errand->askers[errand->stops - loops];

		if (errand->error != 0) {
			answer_fault(errand, later);
		} else {
			answer(errand, later);
		}
		return;
	}
	wyn_engine_limit(engine, &errand->limits);
	wyn_engine_policy(engine, errand->policy);
	if (errand->stops == 0) {
		listeners_change(errand);
	}
}

static void go_on(struct wyn_errand *errand)
{
	struct wyn_engine *next = next_stop(errand);

	if (next != NULL) {
		wyn_engine_post(next, &errand->post);
		return;
	}
	errand->over(errand);
}

static void on_run(struct wyn_post *post, struct wyn_engine *engine)
{
	struct wyn_errand *errand =
		WYN_CONTAINER_OF(post, struct wyn_errand, post);

	if (engine == NULL) {
		errand->error = -ESHUTDOWN;
		errand->over(errand);
		return;
	}
	do_here(errand, engine);
	errand->stops++;
	go_on(errand);
}

void wyn_errand_send(struct wyn_errand *errand)
{
	errand->post.run = on_run;
	errand->stops = errand->error != 0 ? errand->shared->engines_count : 0;
	go_on(errand);
}
