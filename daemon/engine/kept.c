// SPDX-License-Identifier: MIT
/*
 * kept.c - see kept.h.
 */
#include "daemon/engine/kept.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/text.h"

/* Ids are numbered in a row. */
static size_t bucket_of(uint64_t id)
{
	return id & (WYN_KEPT_BUCKETS - 1);
}

void wyn_keep_init(struct wyn_keep *keep, const struct wyn_limits *limits)
{
	memset(keep, 0, sizeof(*keep));
	keep->limits = limits;
	wyn_list_init(&keep->users);
	wyn_list_init(&keep->ended);
}

static size_t piece_bytes(const struct wyn_kept_piece *piece)
{
	return sizeof(*piece) + piece->bytes;
}

static void piece_drop(struct wyn_kept *kept)
{
	struct wyn_kept_piece *piece = kept->head;

	kept->head = piece->next;
	if (kept->head == NULL) {
		kept->tail = &kept->head;
	}
	kept->output_bytes -= piece_bytes(piece);
	kept->user->bytes -= piece_bytes(piece);
	free(piece);
}

static void bucket_remove(struct wyn_keep *keep, const struct wyn_kept *kept)
{
	struct wyn_kept **place = &keep->buckets[bucket_of(kept->id)];

	while (*place != kept) {
		place = &(*place)->next_in_bucket;
	}
	*place = kept->next_in_bucket;
}

static void user_leave(struct wyn_keep *keep, struct wyn_kept_user *user)
{
	user->entries--;
	if (user->entries > 0) {
		return;
	}
	wyn_assert(user->bytes == 0);
	wyn_list_remove(&user->link);
	keep->users_count--;
	free(user);
}

static void entry_drop(struct wyn_keep *keep, struct wyn_kept *kept)
{
	struct wyn_kept_user *user = kept->user;

	wyn_assert(wyn_list_empty(&kept->waiters));
	while (kept->head != NULL) {
		piece_drop(kept);
	}
	user->ended_count -= kept->ended;
	user->bytes -= kept->value_bytes;
	wyn_list_remove(&kept->of_user);
	wyn_list_remove(&kept->of_all);
	bucket_remove(keep, kept);
	free(kept->message);
	free(kept->value);
	free(kept->end);
	free(kept);
	user_leave(keep, user);
}

void wyn_keep_fini(struct wyn_keep *keep)
{
	for (size_t i = 0; i < WYN_KEPT_BUCKETS; i++) {
		while (keep->buckets[i] != NULL) {
			entry_drop(keep, keep->buckets[i]);
		}
	}
}

static struct wyn_kept_user *user_find(
	const struct wyn_keep *keep, uint32_t uid)
{
	struct wyn_list *link;

	wyn_list_for_each (link, &keep->users) {
		struct wyn_kept_user *user =
			wyn_list_entry(link, struct wyn_kept_user, link);

		if (user->uid == uid) {
			return user;
		}
	}
	return NULL;
}

static struct wyn_kept_user *user_acquire(struct wyn_keep *keep, uint32_t uid)
{
	struct wyn_kept_user *user = user_find(keep, uid);

	if (user != NULL || keep->users_count == WYN_KEPT_USERS_MAX) {
		return user;
	}
	user = calloc(1, sizeof(*user));
	if (user == NULL) {
		return NULL;
	}
	user->uid = uid;
	wyn_list_init(&user->ended);
	wyn_list_push_back(&keep->users, &user->link);
	keep->users_count++;
	return user;
}

uint64_t wyn_keep_room(const struct wyn_keep *keep, uint32_t uid)
{
	const struct wyn_kept_user *user = user_find(keep, uid);
	uint64_t most = keep->limits->keep_tasks;
	uint64_t open;

	if (user == NULL) {
		return keep->users_count < WYN_KEPT_USERS_MAX ? most : 0;
	}
	open = user->entries - user->ended_count;
	return open < most ? most - open : 0;
}

struct wyn_kept *wyn_keep_begin(
	struct wyn_keep *keep, const struct wyn_kept_origin *origin)
{
	struct wyn_kept_user *user = user_acquire(keep, origin->uid);
	struct wyn_kept **bucket = &keep->buckets[bucket_of(origin->id)];
	struct wyn_kept *kept;

	if (user == NULL) {
		return NULL;
	}
	user->entries++;
	kept = calloc(1, sizeof(*kept));
	if (kept == NULL) {
		user_leave(keep, user);
		return NULL;
	}
	wyn_list_init(&kept->of_user);
	wyn_list_init(&kept->of_all);
	wyn_list_init(&kept->waiters);
	kept->tail = &kept->head;
	kept->user = user;
	kept->id = origin->id;
	kept->seq = origin->seq;
	kept->conn = origin->conn;
	kept->received_ns = origin->received_ns;
	kept->priority = origin->priority;
	wyn_text_copy(kept->function, sizeof(kept->function), origin->function);
	wyn_text_copy(kept->command, sizeof(kept->command), origin->command);
	wyn_text_copy(kept->label, sizeof(kept->label), origin->label);
	kept->next_in_bucket = *bucket;
	*bucket = kept;
	return kept;
}

/* Nobody is to miss what he waits for. */
static struct wyn_kept *oldest_of(const struct wyn_kept_user *user)
{
	struct wyn_list *link;

	wyn_list_for_each (link, &user->ended) {
		struct wyn_kept *kept =
			wyn_list_entry(link, struct wyn_kept, of_user);

		if (wyn_list_empty(&kept->waiters)) {
			return kept;
		}
	}
	return NULL;
}

/* Makes room for so many bytes, at the cost of the user's older ends. Returns:
 * whether there is. */
static bool room_make(struct wyn_keep *keep, struct wyn_kept *kept, size_t more)
{
	struct wyn_kept_user *user = kept->user;
	uint64_t most = keep->limits->keep_bytes;
	struct wyn_kept *oldest;

	if (more > most) {
		return false;
	}
	while (user->bytes > most - more &&
		(oldest = oldest_of(user)) != NULL && oldest != kept) {
		entry_drop(keep, oldest);
		keep->evicted++;
	}
	while (user->bytes > most - more && kept->head != NULL) {
		piece_drop(kept);
	}
	return user->bytes <= most - more;
}

void wyn_keep_output(struct wyn_keep *keep, struct wyn_kept *kept,
	uint8_t stream, struct wyn_slice bytes)
{
	uint64_t most = keep->limits->keep_output_bytes;
	uint64_t at = kept->output_end;
	struct wyn_kept_piece *piece;
	size_t room;

	kept->output_end += bytes.len;
	if (bytes.len > most) {
		at += bytes.len - most;
		bytes.data += bytes.len - most;
		bytes.len = most;
	}
	room = sizeof(*piece) + bytes.len;
	while (kept->head != NULL &&
		kept->output_bytes + room > most + sizeof(*piece)) {
		piece_drop(kept);
	}
	if (bytes.len == 0 || !room_make(keep, kept, room)) {
		return;
	}
	piece = malloc(room);
	if (piece == NULL) {
		return;
	}
	piece->next = NULL;
	piece->at = at;
	piece->bytes = bytes.len;
	piece->stream = stream;
	memcpy(piece->data, bytes.data, bytes.len);
	*kept->tail = piece;
	kept->tail = &piece->next;
	kept->output_bytes += room;
	kept->user->bytes += room;
}

static void value_copy(struct wyn_keep *keep, struct wyn_kept *kept,
	const struct wyn_outcome *outcome)
{
	size_t bytes = outcome->value_bytes;

	if (outcome->value == NULL || bytes == 0) {
		return;
	}
	if (room_make(keep, kept, bytes)) {
		kept->value = malloc(bytes);
	}
	if (kept->value == NULL) {
		kept->value_lost = true;
		return;
	}
	memcpy(kept->value, outcome->value, bytes);
	kept->value_bytes = bytes;
	kept->user->bytes += bytes;
}

static void end_copy(struct wyn_kept *kept, const struct wyn_outcome *outcome)
{
	if (outcome->message != NULL) {
		kept->message = strdup(outcome->message);
	}
	if (outcome->end == NULL) {
		return;
	}
	kept->end = malloc(sizeof(*kept->end));
	if (kept->end != NULL) {
		*kept->end = *outcome->end;
	}
}

void wyn_keep_end(struct wyn_keep *keep, struct wyn_kept *kept,
	const struct wyn_outcome *outcome, uint8_t ran, uint64_t now_ns)
{
	struct wyn_kept_user *user = kept->user;
	struct wyn_kept *oldest;

	wyn_assert(!kept->ended);
	value_copy(keep, kept, outcome);
	end_copy(kept, outcome);
	kept->code = outcome->code;
	kept->refusal = outcome->refusal;
	kept->ran = ran;
	kept->ended = true;
	kept->ended_ns = now_ns;
	wyn_list_push_back(&user->ended, &kept->of_user);
	wyn_list_push_back(&keep->ended, &kept->of_all);
	user->ended_count++;
	while (user->ended_count > keep->limits->keep_tasks &&
		(oldest = oldest_of(user)) != NULL) {
		bool last = user->entries == 1;

		keep->evicted++;
		entry_drop(keep, oldest);
		if (last) {
			return;
		}
	}
}

void wyn_keep_forget(struct wyn_keep *keep, struct wyn_kept *kept)
{
	wyn_assert(!kept->ended);
	entry_drop(keep, kept);
}

struct wyn_kept *wyn_keep_find(const struct wyn_keep *keep, uint64_t id)
{
	struct wyn_kept *kept = keep->buckets[bucket_of(id)];

	while (kept != NULL && kept->id != id) {
		kept = kept->next_in_bucket;
	}
	return kept;
}

uint64_t wyn_keep_expire(struct wyn_keep *keep, uint64_t now_ns)
{
	uint64_t keep_ns = keep->limits->keep_ms * WYN_NS_PER_MS;
	struct wyn_list *link;
	struct wyn_list *after;

	wyn_list_for_each_safe (link, after, &keep->ended) {
		struct wyn_kept *kept =
			wyn_list_entry(link, struct wyn_kept, of_all);

		if (kept->ended_ns + keep_ns > now_ns) {
			return kept->ended_ns + keep_ns;
		}
		if (wyn_list_empty(&kept->waiters)) {
			entry_drop(keep, kept);
		}
	}
	return UINT64_MAX;
}

const struct wyn_kept_piece *wyn_kept_from(
	const struct wyn_kept *kept, uint64_t at)
{
	const struct wyn_kept_piece *piece = kept->head;

	while (piece != NULL && piece->at + piece->bytes <= at) {
		piece = piece->next;
	}
	return piece;
}
