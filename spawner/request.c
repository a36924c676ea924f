// SPDX-License-Identifier: MIT
/*
 * request.c - see request.h.
 *
 * A message and all that is made of it are in the arena of one pad, which a
 * Start leaves to its child.
 */
#include "spawner/request.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "spawner/command.h"
#include "spawner/link.h"
#include "spawner/loop.h"
#include "spawner/pad.h"
#include "spawner/shared.h"

/* What decoding takes for a byte at most, of messages that are made of empty
 * fields; what is not touched costs nothing. */
#define ARENA_BYTES_PER_BYTE 64u
#define ARENA_BYTES_MORE     (64u << 10)

#define PROBLEM_BYTES 512u

/* ---- Configure ----------------------------------------------------------- */

static void add_problem(char *problem, const char *what, int error)
{
	size_t used = strlen(problem);

	(void)snprintf(problem + used, PROBLEM_BYTES - used, "%s%s: %s",
		used > 0 ? "; " : "", what, strerror(-error));
}

/* Only those that are not as ours, which they would be anyway. Returns: 0;
 * -EPROTO: such a limit cannot be. */
static int take_limits(struct wyn_link_config *config,
	const struct rlimit *files, const Wyn__Spawn__V1__Configure *message)
{
	bool have_files = false;

	config->limits_count = 0;
	for (size_t i = 0; i < message->n_rlimits; i++) {
		const Wyn__Spawn__V1__Rlimit *wanted = message->rlimits[i];
		struct rlimit ours;
		struct rlimit limit = {wanted->soft, wanted->hard};

		if (wanted->resource >= RLIM_NLIMITS ||
			config->limits_count == RLIM_NLIMITS ||
			getrlimit(
				(__rlimit_resource_t)wanted->resource, &ours)) {
			return -EPROTO;
		}
		have_files = have_files || wanted->resource == RLIMIT_NOFILE;
		if (memcmp(&ours, &limit, sizeof(ours)) != 0) {
			config->limits[config->limits_count++] =
				(struct wyn_child_limit){
					(int)wanted->resource, limit};
		}
	}
	if (!have_files && config->limits_count < RLIM_NLIMITS) {
		config->limits[config->limits_count++] =
			(struct wyn_child_limit){RLIMIT_NOFILE, *files};
	}
	return 0;
}

static int take_programs(struct wyn_link_config *config,
	const Wyn__Spawn__V1__Configure *message)
{
	wyn_program_list_fini(&config->programs);
	for (size_t i = 0; i < message->n_programs; i++) {
		const ProtobufCBinaryData *path = &message->programs[i];
		int error;

		if (path->len == 0 || path->data[0] != '/' ||
			memchr(path->data, '\0', path->len)) {
			return -EPROTO;
		}
		error = wyn_program_list_add(
			&config->programs, (const char *)path->data, path->len);
		if (error) {
			return error;
		}
	}
	return 0;
}

/* Where commands are contained and remembered. What was held by the Configure
 * before goes last, so that what is the same stays. */
static void take_shelter(struct wyn_link *link,
	const Wyn__Spawn__V1__Configure *message, unsigned *killed,
	char *problem)
{
	struct wyn_link_config *config = &link->config;
	struct wyn_loop *loop = link->loop;
	struct wyn_shared_cgroups *cgroups = NULL;
	struct wyn_shared_ledger *ledger = NULL;
	int error = wyn_shared_cgroups_hold(
		&loop->cgroups, message->cgroup, killed, &cgroups);

	if (error) {
		add_problem(problem, "cgroup", error);
	}
	if (message->ledger[0] != '\0') {
		error = wyn_shared_ledger_hold(&loop->ledgers, message->ledger,
			&loop->tree.mark, loop->tree.proc, killed, &ledger);
		if (error) {
			add_problem(problem, message->ledger, error);
		}
	}
	wyn_shared_cgroups_release(config->cgroups);
	wyn_shared_ledger_release(config->ledger);
	config->cgroups = cgroups;
	config->ledger = ledger;
}

static void send_ready(
	struct wyn_link *link, unsigned killed, const char *problem)
{
	Wyn__Spawn__V1__Event event = WYN__SPAWN__V1__EVENT__INIT;
	Wyn__Spawn__V1__Ready ready = WYN__SPAWN__V1__READY__INIT;
	const struct wyn_shared_cgroups *shared = link->config.cgroups;
	char *controllers[3];

	ready.version = WYN_SPAWN_VERSION;
	ready.pid = (uint32_t)link->loop->tree.self;
	ready.killed = killed;
	ready.problem = (char *)problem;
	ready.controllers = controllers;
	if (shared) {
		unsigned have = shared->cgroups.controllers;

		ready.cgroup = shared->cgroups.path;
		if (have & WYN_CGROUP_CPU) {
			controllers[ready.n_controllers++] = (char *)"cpu";
		}
		if (have & WYN_CGROUP_MEMORY) {
			controllers[ready.n_controllers++] = (char *)"memory";
		}
		if (have & WYN_CGROUP_PIDS) {
			controllers[ready.n_controllers++] = (char *)"pids";
		}
	}
	event.what_case = WYN__SPAWN__V1__EVENT__WHAT_READY;
	event.ready = &ready;
	wyn_link_send(link, &event);
}

static int configure(
	struct wyn_link *link, const Wyn__Spawn__V1__Configure *message)
{
	struct wyn_link_config *config = &link->config;
	char problem[PROBLEM_BYTES] = "";
	unsigned killed = 0;
	int error;

	if (message->version != WYN_SPAWN_VERSION) {
		send_ready(link, 0, "another version");
		return -EPROTONOSUPPORT;
	}
	error = take_limits(config, &link->loop->files, message);
	if (!error) {
		error = take_programs(config, message);
	}
	if (error) {
		return error;
	}
	config->commands_max = message->commands_max;
	config->umask = message->umask & 0777;
	config->private_tmp = message->private_tmp;
	config->known = true;
	take_shelter(link, message, &killed, problem);
	send_ready(link, killed, problem);
	return 0;
}

/* ---- commands ------------------------------------------------------------ */

static int start(struct wyn_link *link, const Wyn__Spawn__V1__Start *message,
	const int *fds, size_t fds_count, bool lost, struct wyn_pad *pad)
{
	int of[3] = {-1, -1, -1};
	size_t n = 0;
	bool wanted[3] = {message->input, message->output, message->error};

	if (lost) {
		wyn_command_refuse(link, message->id,
			WYN__SPAWN__V1__STAGE__STAGE_PROCESS, EMFILE,
			wyn_slice_of(""));
		return 0;
	}
	for (size_t i = 0; i < 3; i++) {
		if (wanted[i]) {
			if (n == fds_count) {
				return -EPROTO;
			}
			of[i] = fds[n++];
		}
	}
	if (n != fds_count) {
		return -EPROTO;
	}
	return wyn_command_start(link, message, of, pad);
}

static int signal_command(
	struct wyn_link *link, const Wyn__Spawn__V1__Signal *message)
{
	struct wyn_command *command =
		wyn_table_find(&link->loop->table, link, message->id);

	if (message->number == 0 || message->number > (uint32_t)SIGRTMAX) {
		return -EPROTO;
	}
	if (command) {
		wyn_command_signal(link->loop, command, (int)message->number);
	}
	return 0;
}

/* What is over already is no fault of who asks: the two have crossed. */
static int dispatch(struct wyn_link *link,
	const Wyn__Spawn__V1__Request *request, const int *fds,
	size_t fds_count, bool lost, struct wyn_pad *pad)
{
	struct wyn_loop *loop = link->loop;
	struct wyn_command *command;

	if (request->what_case == WYN__SPAWN__V1__REQUEST__WHAT_CONFIGURE) {
		return fds_count > 0 || lost
			       ? -EPROTO
			       : configure(link, request->configure);
	}
	if (!link->config.known) {
		return -EPROTO;
	}
	if (request->what_case == WYN__SPAWN__V1__REQUEST__WHAT_START) {
		return start(link, request->start, fds, fds_count, lost, pad);
	}
	if (fds_count > 0 || lost) {
		return -EPROTO;
	}
	switch (request->what_case) {
	case WYN__SPAWN__V1__REQUEST__WHAT_SIGNAL:
		return signal_command(link, request->signal);
	case WYN__SPAWN__V1__REQUEST__WHAT_STOP:
		command = wyn_table_find(&loop->table, link, request->stop->id);
		if (command) {
			wyn_command_stop(
				loop, command, request->stop->grace_ms);
		}
		return 0;
	case WYN__SPAWN__V1__REQUEST__WHAT_REAP:
		command = wyn_table_find(&loop->table, link, request->reap->id);
		if (command && !command->told) {
			return -EPROTO;
		}
		if (command) {
			wyn_command_abandon(loop, command);
		}
		return 0;
	default:
		return -EPROTO;
	}
}

static int decode_and_do(struct wyn_link *link, struct wyn_slice message,
	const int *fds, size_t fds_count, bool lost, struct wyn_pad *pad)
{
	const Wyn__Spawn__V1__Request *request;
	int error = wyn_spawn_request_decode(message, &pad->arena, &request);

	if (error) {
		return error;
	}
	return dispatch(link, request, fds, fds_count, lost, pad);
}

int wyn_request_handle(struct wyn_link *link, struct wyn_slice message,
	const int *fds, size_t fds_count, bool lost)
{
	struct wyn_pads *pads = &link->loop->pads;
	struct wyn_pad *pad = wyn_pad_acquire(
		pads, message.len * ARENA_BYTES_PER_BYTE + ARENA_BYTES_MORE);
	int error;

	if (!pad) {
		return wyn_request_lose(link, wyn_request_start_id(message));
	}
	if (pads->grown) {
		/* One has landed just now. At the end of the turn it would be
		 * too late: this child may have executed by then. */
		wyn_loop_forget_peak(link->loop);
	}
	error = decode_and_do(link, message, fds, fds_count, lost, pad);
	if (!pad->command) {
		wyn_pad_release(pads, pad);
	}
	return error;
}

/* Returns: bytes read; 0: there is none. */
static size_t read_varint(struct wyn_slice bytes, uint64_t *ret_value)
{
	uint64_t value = 0;

	for (size_t i = 0; i < bytes.len && i < 10; i++) {
		value |= (uint64_t)(bytes.data[i] & 0x7f) << (7 * i);
		if (!(bytes.data[i] & 0x80)) {
			*ret_value = value;
			return i + 1;
		}
	}
	return 0;
}

static void skip(struct wyn_slice *bytes, size_t n)
{
	bytes->data += n;
	bytes->len -= n;
}

uint64_t wyn_request_start_id(struct wyn_slice bytes)
{
	static const uint8_t tags[] = {2 << 3 | 2, 1 << 3};
	uint64_t value = 0;

	/* Start's own field, its length, then its first: as we write it. */
	for (size_t i = 0; i < WYN_COUNT_OF(tags); i++) {
		size_t n;

		if (bytes.len == 0 || bytes.data[0] != tags[i]) {
			return 0;
		}
		skip(&bytes, 1);
		n = read_varint(bytes, &value);
		if (n == 0) {
			return 0;
		}
		skip(&bytes, n);
	}
	return value;
}

int wyn_request_lose(struct wyn_link *link, uint64_t id)
{
	if (id == 0 || !link->config.known) {
		return -ENOMEM;
	}
	wyn_command_refuse(link, id, WYN__SPAWN__V1__STAGE__STAGE_PROCESS,
		ENOMEM, wyn_slice_of(""));
	return 0;
}
