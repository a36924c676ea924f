// SPDX-License-Identifier: MIT
/*
 * policy.c - see policy.h.
 *
 * The environment. HOME, LANG, PATH, TERM and USER may always be set. Where
 * nothing is listed, so may all else, as long as who asks could run what he
 * likes as himself anyway. Where he could not, because programs are listed or
 * another user is meant, a variable may be a way to run something else, so only
 * those go that say in which language and zone; and what makes the loader run
 * something else goes only if it is listed by its name.
 */
#include "daemon/engine/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/engine.h"

#define SHOWN_BYTES 64u /* of what a message names */

struct wyn_policy *wyn_policy_create(void)
{
	struct wyn_policy *policy = calloc(1, sizeof(*policy));

	if (policy != NULL) {
		atomic_init(&policy->holders, 1);
	}
	return policy;
}

struct wyn_policy *wyn_policy_hold(struct wyn_policy *policy)
{
	if (policy != NULL) {
		/* [policy] who calls has a hold already. */
		atomic_fetch_add_explicit(
			&policy->holders, 1, memory_order_relaxed);
	}
	return policy;
}

static void texts_free(char **texts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(texts[i]);
	}
	free(texts);
}

void wyn_policy_release(struct wyn_policy *policy)
{
	/* [policy] what others have read of it happens before it is freed. */
	if (policy == NULL || atomic_fetch_sub_explicit(&policy->holders, 1,
				      memory_order_acq_rel) > 1) {
		return;
	}
	for (size_t i = 0; i < policy->run_as_count; i++) {
		free(policy->run_as[i].as);
	}
	free(policy->run_as);
	texts_free(policy->programs, policy->programs_count);
	texts_free(policy->names, policy->names_count);
	free(policy->users);
	free(policy->spawner);
	free(policy->cgroup);
	free(policy);
}

/* For a message: printable ASCII, cut. */
static void show(struct wyn_slice text, char ret_shown[SHOWN_BYTES])
{
	size_t bytes = text.len < SHOWN_BYTES - 1 ? text.len : SHOWN_BYTES - 1;

	for (size_t i = 0; i < bytes; i++) {
		uint8_t c = text.data[i];

		ret_shown[i] = c >= ' ' && c <= '~' ? (char)c : '?';
	}
	ret_shown[bytes] = '\0';
}

/* format: of one text, which is `what`. */
static bool WYN_PRINTF(2, 0)
	refuse(enum wyn_refusal refusal, const char *format,
		struct wyn_slice what, struct wyn_answer *ret_answer)
{
	static _Thread_local char text[WYN_VERDICT_TEXT_BYTES_MAX];
	char shown[SHOWN_BYTES];

	show(what, shown);
	(void)snprintf(text, sizeof(text), format, shown);
	*ret_answer = (struct wyn_answer){
		.refusal = refusal, .text = text, .text_borrowed = true};
	return false;
}

static bool is_user(const struct wyn_policy *policy, uint32_t uid)
{
	if (policy->users_count == 0) {
		return uid == 0 || uid == policy->own_uid;
	}
	for (size_t i = 0; i < policy->users_count; i++) {
		if (policy->users[i] == uid) {
			return true;
		}
	}
	return false;
}

static const struct wyn_policy_run_as *run_as_find(
	const struct wyn_policy *policy, uint32_t uid, const char *as)
{
	for (size_t i = 0; i < policy->run_as_count; i++) {
		const struct wyn_policy_run_as *row = &policy->run_as[i];

		if (row->uid == uid && strcmp(row->as, as) == 0) {
			return row;
		}
	}
	return NULL;
}

static struct wyn_slice name_of(const ProtobufCBinaryData *variable)
{
	const uint8_t *equals =
		variable->len == 0 ? NULL
				   : memchr(variable->data, '=', variable->len);

	return (struct wyn_slice){variable->data,
		equals != NULL ? (size_t)(equals - variable->data)
			       : variable->len};
}

/* pattern: NAME or PREFIX*. */
static bool matches(const char *pattern, struct wyn_slice name)
{
	size_t bytes = strlen(pattern);

	if (bytes > 0 && pattern[bytes - 1] == '*') {
		bytes--;
		return name.len >= bytes &&
		       memcmp(name.data, pattern, bytes) == 0;
	}
	return name.len == bytes && memcmp(name.data, pattern, bytes) == 0;
}

static bool matches_any(
	const char *const *patterns, size_t count, struct wyn_slice name)
{
	for (size_t i = 0; i < count; i++) {
		if (name.len > 0 && matches(patterns[i], name)) {
			return true;
		}
	}
	return false;
}

/* What the loader and libc obey before a program's own code runs. */
static bool is_loaders(struct wyn_slice name)
{
	static const char *const patterns[] = {
		"LD_*", "GCONV_PATH", "GLIBC_TUNABLES"};

	return matches_any(patterns, WYN_COUNT_OF(patterns), name);
}

/* Listed so that the loader's are meant; "*" alone means the others. */
static bool is_listed(
	const struct wyn_policy *policy, struct wyn_slice name, bool restricted)
{
	for (size_t i = 0; i < policy->names_count; i++) {
		const char *pattern = policy->names[i];

		if (matches(pattern, name) &&
			(!restricted || !is_loaders(name) ||
				is_loaders(wyn_slice_of(pattern)))) {
			return true;
		}
	}
	return false;
}

/* A zone by a path of the sender's, which libc opens whatever it is. */
static bool is_zone_of_file(
	const ProtobufCBinaryData *variable, struct wyn_slice name)
{
	const uint8_t *at = variable->data + name.len;
	size_t bytes = variable->len - name.len;

	if (!matches("TZ", name)) {
		return false;
	}
	while (bytes > 0 && (*at == '=' || *at == ':')) {
		at++;
		bytes--;
	}
	return bytes > 0 && (*at == '/' || memmem(at, bytes, "..", 2) != NULL);
}

static bool may_set(const struct wyn_policy *policy,
	const ProtobufCBinaryData *variable, struct wyn_slice name,
	bool restricted)
{
	static const char *const always[] = {
		"HOME", "LANG", "PATH", "TERM", "USER"};
	static const char *const harmless[] = {"LC_*", "TZ"};

	if (matches_any(always, WYN_COUNT_OF(always), name)) {
		return true;
	}
	if (policy->names_count > 0) {
		return is_listed(policy, name, restricted);
	}
	return !restricted ||
	       (matches_any(harmless, WYN_COUNT_OF(harmless), name) &&
		       !is_zone_of_file(variable, name));
}

static bool environment_check(const struct wyn_policy *policy,
	const Wyn__V1__Command *command, bool restricted,
	struct wyn_answer *ret_answer)
{
	for (size_t i = 0; i < command->n_env; i++) {
		struct wyn_slice name = name_of(&command->env[i]);

		if (!may_set(policy, &command->env[i], name, restricted)) {
			return refuse(WYN_REFUSAL_COMMAND_ENV,
				"the variable %s may not be set; command_env "
				"in wynd.conf lists those that may",
				name, ret_answer);
		}
	}
	return true;
}

static bool peer_check(const struct wyn_policy *policy,
	const struct wyn_peer *peer, struct wyn_answer *ret_answer)
{
	if (policy == NULL || !policy->commands) {
		*ret_answer = (struct wyn_answer){
			.refusal = WYN_REFUSAL_COMMANDS_OFF};
		return false;
	}
	if (!peer->local) {
		*ret_answer = (struct wyn_answer){
			.refusal = WYN_REFUSAL_COMMANDS_LOCAL_ONLY};
		return false;
	}
	if (!is_user(policy, peer->uid)) {
		*ret_answer = (struct wyn_answer){
			.refusal = WYN_REFUSAL_COMMAND_USERS};
		return false;
	}
	return true;
}

bool wyn_policy_decide(const struct wyn_policy *policy,
	const struct wyn_peer *peer, const Wyn__V1__Command *command,
	uint32_t *ret_uid, uint32_t *ret_gid, struct wyn_answer *ret_answer)
{
	const char *as = command->run_as;
	bool other = as != NULL && *as != '\0';
	uint32_t uid, gid;

	if (!peer_check(policy, peer, ret_answer)) {
		return false;
	}
	uid = policy->root ? peer->uid : policy->own_uid;
	gid = policy->root ? peer->gid : policy->own_gid;
	if (other) {
		const struct wyn_policy_run_as *row =
			run_as_find(policy, peer->uid, as);

		if (row == NULL) {
			return refuse(WYN_REFUSAL_COMMAND_RUN_AS,
				"running as %s is not allowed to this user; "
				"command_run_as in wynd.conf says who may",
				wyn_slice_of(as), ret_answer);
		}
		uid = row->as_uid;
		gid = row->as_gid;
	}
	if (!environment_check(policy, command,
		    other || policy->programs_count > 0, ret_answer)) {
		return false;
	}
	*ret_uid = uid;
	*ret_gid = gid;
	return true;
}
