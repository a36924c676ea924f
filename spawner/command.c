// SPDX-License-Identifier: MIT
/*
 * command.c - see command.h.
 */
#include "spawner/command.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "spawner/launch.h"
#include "spawner/link.h"
#include "spawner/loop.h"
#include "spawner/pad.h"
#include "spawner/shared.h"
#include "spawner/sys.h"

/* So many times as long as a signal took there is none for that command. */
#define SIGNAL_PAUSES 4u

/* What one link sees of another's fault is one line of it. */
#define WHERE_BYTES_MAX 4096u

static void tell(struct wyn_link *link, Wyn__Spawn__V1__Ended *ended)
{
	Wyn__Spawn__V1__Event event = WYN__SPAWN__V1__EVENT__INIT;

	event.what_case = WYN__SPAWN__V1__EVENT__WHAT_ENDED;
	event.ended = ended;
	wyn_link_send(link, &event);
}

void wyn_command_refuse(struct wyn_link *link, uint64_t id,
	Wyn__Spawn__V1__Stage stage, int error, struct wyn_slice where)
{
	Wyn__Spawn__V1__Ended ended = WYN__SPAWN__V1__ENDED__INIT;

	ended.id = id;
	ended.how = WYN__SPAWN__V1__HOW__HOW_NOT_STARTED;
	ended.status = (uint32_t)error;
	ended.stage = stage;
	ended.where.data = (uint8_t *)where.data;
	ended.where.len =
		where.len < WHERE_BYTES_MAX ? where.len : WHERE_BYTES_MAX;
	tell(link, &ended);
}

static uint64_t ns_of(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * WYN_NS_PER_S +
	       (uint64_t)time->tv_usec * WYN_NS_PER_US;
}

static void tell_end(struct wyn_command *command, bool left)
{
	Wyn__Spawn__V1__Ended ended = WYN__SPAWN__V1__ENDED__INIT;
	Wyn__V1__Usage usage = WYN__V1__USAGE__INIT;

	usage.wall_ns = command->wall_ns;
	usage.user_ns = ns_of(&command->usage.ru_utime);
	usage.system_ns = ns_of(&command->usage.ru_stime);
	usage.peak_rss_bytes = (uint64_t)command->usage.ru_maxrss << 10;
	ended.id = command->id;
	ended.usage = &usage;
	ended.left = left;
	if (WIFEXITED(command->status)) {
		ended.how = WYN__SPAWN__V1__HOW__HOW_EXITED;
		ended.status = (uint32_t)WEXITSTATUS(command->status);
	} else {
		ended.how = WYN__SPAWN__V1__HOW__HOW_SIGNALLED;
		ended.status = (uint32_t)WTERMSIG(command->status);
		if (command->cgroup &&
			wyn_cgroup_out_of_memory(command->cgroup)) {
			ended.how = WYN__SPAWN__V1__HOW__HOW_OUT_OF_MEMORY;
		}
	}
	tell(command->owner, &ended);
}

static void unlist(struct wyn_loop *loop, struct wyn_command *command)
{
	if (command->listed) {
		command->listed = false;
		command->owner->listed_count--;
		wyn_table_remove(&loop->table, command);
	}
}

static void unwatch(struct wyn_loop *loop, struct wyn_command *command)
{
	if (command->cgroup && command->watched) {
		command->watched = false;
		wyn_loop_unwatch(loop, command->cgroup->events);
	}
}

void wyn_command_release(struct wyn_command *command)
{
	if (command->cgroup) {
		wyn_cgroup_release(&command->cgroups->cgroups, command->cgroup,
			command->reuse);
		wyn_shared_cgroups_release(command->cgroups);
		command->cgroup = NULL;
	}
	if (command->ledger) {
		wyn_ledger_clear(&command->ledger->ledger, command->record);
		wyn_shared_ledger_release(command->ledger);
		command->ledger = NULL;
	}
}

/* Nobody is left of it. */
static void forget(struct wyn_loop *loop, struct wyn_command *command)
{
	unlist(loop, command);
	unwatch(loop, command);
	wyn_tree_remove(&loop->tree, &command->tree);
	wyn_command_release(command);
	wyn_list_remove(&command->left);
	wyn_list_remove(&command->stopping);
	wyn_list_remove(&command->signalled);
	wyn_list_remove(&command->link);
	wyn_list_push_back(&loop->dead, &command->link);
	wyn_link_thin(command->owner);
}

static void kill_later(
	struct wyn_loop *loop, struct wyn_command *command, uint64_t at_ns)
{
	command->kill_at_ns = at_ns;
	if (wyn_list_empty(&command->stopping)) {
		wyn_list_push_back(&loop->stopping, &command->stopping);
	}
}

static void kill_tree(struct wyn_loop *loop, struct wyn_command *command)
{
	int error = command->cgroup
			    ? wyn_cgroup_kill(command->cgroup)
			    : wyn_tree_kill(&loop->tree, &command->tree);

	wyn_list_remove(&command->stopping);
	wyn_list_remove(&command->signalled);
	command->signals = 0;
	command->kill_at_ns = UINT64_MAX;
	loop->tree_asked = true;
	if (error && error != -ESRCH) {
		kill_later(loop, command, wyn_loop_now() + WYN_AGAIN_NS);
	}
}

/* What is left of one that has not begun is an orphan of nobody's: there is no
 * output to wait for, and wynd asks for no Reap. */
static void tell_how(
	struct wyn_loop *loop, struct wyn_command *command, bool left)
{
	struct wyn_launch_failure failure;

	if (!command->pad || !wyn_launch_failed(command->pad, &failure)) {
		tell_end(command, left);
		return;
	}
	wyn_command_refuse(command->owner, command->id, failure.stage,
		failure.error, failure.where);
	if (left) {
		kill_tree(loop, command);
	}
}

static void settle(
	struct wyn_loop *loop, struct wyn_command *command, bool sure)
{
	bool gone = command->cgroup ? wyn_cgroup_is_empty(command->cgroup)
				    : sure && wyn_tree_is_gone(&command->tree);

	if (!command->told) {
		command->told = true;
		tell_how(loop, command, !gone);
	}
	wyn_pad_land(&loop->pads, command);
	if (gone) {
		forget(loop, command);
		return;
	}
	if (command->cgroup && !command->watched &&
		wyn_loop_watch(loop, command->cgroup->events, EPOLLPRI,
			&command->watch)) {
		loop->look_again = true;
	} else if (command->cgroup) {
		command->watched = true;
	}
}

static void on_cgroup(
	struct wyn_loop *loop, struct wyn_watch *watch, uint32_t events)
{
	struct wyn_command *command =
		WYN_CONTAINER_OF(watch, struct wyn_command, watch);

	(void)events;
	if (command->watched) {
		settle(loop, command, true);
	}
}

int wyn_commands_wait(struct wyn_loop *loop)
{
	struct wyn_tree_exit exited;
	struct wyn_list *link;
	struct wyn_list *after;
	int error;

	loop->look_again = false;
	while (wyn_tree_wait(&loop->tree, &exited) == 1) {
		struct wyn_command *command = WYN_CONTAINER_OF(
			exited.command, struct wyn_command, tree);

		command->status = exited.status;
		command->usage = exited.usage;
		command->wall_ns = wyn_loop_now() - command->started_ns;
		if (WIFSIGNALED(exited.status) &&
			WTERMSIG(exited.status) == SIGKILL) {
			/* By who may write to its cgroup, perhaps. */
			command->reuse = false;
		}
		wyn_list_push_back(&loop->left, &command->left);
	}
	error = wyn_tree_look(&loop->tree);
	wyn_list_for_each_safe (link, after, &loop->left) {
		settle(loop, wyn_list_entry(link, struct wyn_command, left),
			!error);
	}
	return error ? error : loop->look_again ? -EAGAIN : 0;
}

static void signal_tree(struct wyn_loop *loop, struct wyn_command *command,
	int number, int after)
{
	/* Who is not there any more, or not yet, does not get it. */
	if (command->cgroup) {
		(void)!wyn_cgroup_signal(
			command->cgroup, loop->tree.proc, number, after);
	} else {
		(void)!wyn_tree_signal(
			&loop->tree, &command->tree, number, after);
	}
}

static uint64_t bit_of(int number)
{
	return UINT64_C(1) << (number - 1);
}

static uint64_t stopping_signals(void)
{
	return bit_of(SIGSTOP) | bit_of(SIGTSTP) | bit_of(SIGTTIN) |
	       bit_of(SIGTTOU);
}

/*
 * One of those that are to come. A look at thousands of processes takes as many
 * tens of microseconds, and whoever asks for it again and again would have us
 * do nothing else: so this long nothing, and what is asked for meanwhile once.
 */
static void signal_next(struct wyn_loop *loop, struct wyn_command *command)
{
	uint64_t begin_ns = wyn_loop_now();
	bool terminates = command->terminates;
	int number =
		terminates ? SIGTERM : __builtin_ctzll(command->signals) + 1;
	uint64_t end_ns;

	command->signals &= ~bit_of(number);
	command->terminates = false;
	signal_tree(loop, command, number, terminates ? SIGCONT : 0);
	end_ns = wyn_loop_now();
	command->signals_from_ns = end_ns + SIGNAL_PAUSES * (end_ns - begin_ns);
	if (command->signals == 0) {
		wyn_list_remove(&command->signalled);
	} else if (wyn_list_empty(&command->signalled)) {
		wyn_list_push_back(&loop->signalled, &command->signalled);
	}
}

/* As the kernel does it: who is to go on is not to stop any more, and the other
 * way round. */
static void signal_soon(
	struct wyn_loop *loop, struct wyn_command *command, int number)
{
	if (number == SIGCONT) {
		command->signals &= ~stopping_signals();
	} else if (bit_of(number) & stopping_signals()) {
		command->signals &= ~bit_of(SIGCONT);
	}
	command->signals |= bit_of(number);
	if (wyn_list_empty(&command->signalled) &&
		wyn_loop_now() >= command->signals_from_ns) {
		signal_next(loop, command);
	} else if (wyn_list_empty(&command->signalled)) {
		wyn_list_push_back(&loop->signalled, &command->signalled);
	}
}

static uint64_t signals_due(struct wyn_loop *loop, uint64_t now_ns)
{
	uint64_t next_ns = UINT64_MAX;
	struct wyn_list *link;
	struct wyn_list *after;

	wyn_list_for_each_safe (link, after, &loop->signalled) {
		struct wyn_command *command =
			wyn_list_entry(link, struct wyn_command, signalled);

		if (command->signals_from_ns <= now_ns) {
			signal_next(loop, command);
		}
		if (command->signals != 0 &&
			command->signals_from_ns < next_ns) {
			next_ns = command->signals_from_ns;
		}
	}
	return next_ns;
}

uint64_t wyn_commands_due(struct wyn_loop *loop, uint64_t now_ns)
{
	uint64_t next_ns = signals_due(loop, now_ns);
	struct wyn_list *link;
	struct wyn_list *after;

	wyn_list_for_each_safe (link, after, &loop->stopping) {
		struct wyn_command *command =
			wyn_list_entry(link, struct wyn_command, stopping);

		if (command->kill_at_ns <= now_ns) {
			kill_tree(loop, command);
		}
		if (command->kill_at_ns < next_ns) {
			next_ns = command->kill_at_ns;
		}
	}
	return next_ns;
}

static struct wyn_command *create(struct wyn_link *link, uint64_t id)
{
	struct wyn_command *command = wyn_sys.calloc(1, sizeof(*command));

	if (!command) {
		return NULL;
	}
	command->owner = link;
	command->id = id;
	command->kill_at_ns = UINT64_MAX;
	command->started_ns = wyn_loop_now();
	command->watch.ready = on_cgroup;
	wyn_list_init(&command->link);
	wyn_list_init(&command->left);
	wyn_list_init(&command->stopping);
	wyn_list_init(&command->signalled);
	return command;
}

int wyn_command_start(struct wyn_link *link, const Wyn__Spawn__V1__Start *start,
	const int fds[static 3], struct wyn_pad *pad)
{
	struct wyn_loop *loop = link->loop;
	struct wyn_launch_failure failure;
	struct wyn_command *command;

	if (wyn_table_find(&loop->table, link, start->id)) {
		return -EPROTO;
	}
	if (link->listed_count >= link->config.commands_max) {
		wyn_command_refuse(link, start->id,
			WYN__SPAWN__V1__STAGE__STAGE_PROCESS, EAGAIN,
			wyn_slice_of("commands_max"));
		return 0;
	}
	command = create(link, start->id);
	if (!command) {
		wyn_command_refuse(link, start->id,
			WYN__SPAWN__V1__STAGE__STAGE_PROCESS, ENOMEM,
			wyn_slice_of(""));
		return 0;
	}
	if (!wyn_launch(link, command, start, fds, pad, &failure)) {
		wyn_command_refuse(link, start->id, failure.stage,
			failure.error, failure.where);
		wyn_command_release(command);
		free(command);
		return 0;
	}
	wyn_list_push_back(&link->commands, &command->link);
	command->listed = true;
	link->listed_count++;
	wyn_table_add(&loop->table, command);
	return 0;
}

void wyn_command_signal(
	struct wyn_loop *loop, struct wyn_command *command, int number)
{
	if (number == SIGKILL) {
		kill_tree(loop, command);
		return;
	}
	signal_soon(loop, command, number);
}

void wyn_command_stop(
	struct wyn_loop *loop, struct wyn_command *command, uint64_t grace_ms)
{
	uint64_t now_ns = wyn_loop_now();
	uint64_t at_ns = UINT64_MAX;

	if (grace_ms == 0) {
		kill_tree(loop, command);
		return;
	}
	if (grace_ms < (UINT64_MAX - now_ns) / WYN_NS_PER_MS) {
		at_ns = now_ns + grace_ms * WYN_NS_PER_MS;
	}
	if (at_ns < command->kill_at_ns) {
		kill_later(loop, command, at_ns);
	}
	command->terminates = true;
	command->signals &= ~stopping_signals();
	signal_soon(loop, command, SIGTERM);
}

void wyn_command_abandon(struct wyn_loop *loop, struct wyn_command *command)
{
	unlist(loop, command);
	command->told = true;
	kill_tree(loop, command);
}
