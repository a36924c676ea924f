// SPDX-License-Identifier: MIT
/*
 * post.c - see post.h.
 *
 * A stack that any thread pushes to and the loop takes as a whole, so nobody
 * ever compares a pointer that might have come back; the loop turns it around.
 */
#include "daemon/engine/post.h"

#include <stddef.h>

#include "daemon/engine/engine_state.h"

void wyn_engine_post(struct wyn_engine *engine, struct wyn_post *post)
{
	struct wyn_mailbox *mailbox = &engine->mailbox;
	struct wyn_post *top =
		atomic_load_explicit(&mailbox->pushed, memory_order_relaxed);

	/* [post] released here, acquired by take(). */
	do {
		post->next = top;
	} while (!atomic_compare_exchange_weak_explicit(&mailbox->pushed, &top,
		post, memory_order_release, memory_order_relaxed));
	engine->stream.wake(&engine->stream);
}

/* What has come, when nothing is left of what had. */
static void take(struct wyn_mailbox *mailbox)
{
	struct wyn_post *post;

	/* Seldom is there one; who pushes after this look wakes the loop. */
	if (atomic_load_explicit(&mailbox->pushed, memory_order_relaxed) ==
		NULL) {
		return;
	}
	/* [post] acquires what wyn_engine_post() released. */
	post = atomic_exchange_explicit(
		&mailbox->pushed, NULL, memory_order_acquire);
	while (post != NULL) {
		struct wyn_post *older = post->next;

		post->next = mailbox->left;
		mailbox->left = post;
		post = older;
	}
}

static void run_first(struct wyn_mailbox *mailbox, struct wyn_engine *engine)
{
	struct wyn_post *post = mailbox->left;

	mailbox->left = post->next;
	post->next = NULL;
	post->run(post, engine);
}

void wyn_engine_posts_run(struct wyn_engine *engine)
{
	struct wyn_mailbox *mailbox = &engine->mailbox;

	if (mailbox->left == NULL) {
		take(mailbox);
	}
	for (unsigned i = 0; i < WYN_POSTS_TURN_MAX && mailbox->left != NULL;
		i++) {
		run_first(mailbox, engine);
	}
}

bool wyn_engine_posts_left(const struct wyn_engine *engine)
{
	const struct wyn_mailbox *mailbox = &engine->mailbox;

	return mailbox->left != NULL || atomic_load_explicit(&mailbox->pushed,
						memory_order_relaxed) != NULL;
}

void wyn_engine_posts_end(struct wyn_engine *engine)
{
	struct wyn_mailbox *mailbox = &engine->mailbox;

	do {
		while (mailbox->left != NULL) {
			run_first(mailbox, NULL);
		}
		take(mailbox);
	} while (mailbox->left != NULL);
}
