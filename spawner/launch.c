// SPDX-License-Identifier: MIT
/*
 * launch.c - see launch.h.
 *
 * A cgroup limits memory, processes and CPU as far as its controllers are
 * there; rlimits stand in for the first two. For the third nothing does, and a
 * limit that was asked for is not left out in silence.
 */
#include "spawner/launch.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "spawner/clone.h"
#include "spawner/command.h"
#include "spawner/link.h"
#include "spawner/loop.h"
#include "spawner/pad.h"
#include "spawner/program.h"
#include "spawner/shared.h"
#include "spawner/sys.h"

#define CGROUPS_TRIED 3u

/* All that is put together. */
struct launch {
	struct wyn_loop *loop;
	struct wyn_link *link;
	struct wyn_command *command;
	const Wyn__Spawn__V1__Start *start;
	const Wyn__V1__Command *message;
	struct wyn_pad *pad;
	struct wyn_arena *arena; /* the pad's */
	struct wyn_child *child; /* likewise */
	struct wyn_launch_failure failure;
	const char *path; /* PATH, or NULL */
	struct wyn_cgroup_limits limits;
};

static int fail(struct launch *launch, Wyn__Spawn__V1__Stage stage, int error,
	struct wyn_slice where)
{
	launch->failure = (struct wyn_launch_failure){
		stage, error < 0 ? -error : error, where};
	return -1;
}

static int fail_process(struct launch *launch, int error)
{
	return fail(launch, WYN__SPAWN__V1__STAGE__STAGE_PROCESS, error,
		wyn_slice_of(""));
}

static struct wyn_slice bytes_of(const ProtobufCBinaryData *bytes)
{
	return (struct wyn_slice){bytes->data, bytes->len};
}

/* As a string of C. Returns: 0; -ENOBUFS; -EINVAL: it has a NUL. */
static int string_of(struct wyn_arena *arena, const ProtobufCBinaryData *bytes,
	char **ret_string)
{
	char *copy;

	if (bytes->len > 0 && memchr(bytes->data, '\0', bytes->len)) {
		return -EINVAL;
	}
	copy = wyn_arena_alloc(arena, bytes->len + 1);
	if (!copy) {
		return -ENOBUFS;
	}
	if (bytes->len > 0) {
		memcpy(copy, bytes->data, bytes->len);
	}
	copy[bytes->len] = '\0';
	*ret_string = copy;
	return 0;
}

static int take_argv(struct launch *launch)
{
	const Wyn__V1__Command *message = launch->message;
	char **argv = wyn_arena_alloc(
		launch->arena, (message->n_argv + 1) * sizeof(*argv));
	int error = argv ? 0 : -ENOBUFS;

	if (message->n_argv == 0) {
		error = -EINVAL;
	}
	for (size_t i = 0; !error && i < message->n_argv; i++) {
		error = string_of(launch->arena, &message->argv[i], &argv[i]);
	}
	if (error) {
		return fail(launch, WYN__SPAWN__V1__STAGE__STAGE_PROGRAM,
			error == -ENOBUFS ? E2BIG : -error,
			message->n_argv > 0 ? bytes_of(&message->argv[0])
					    : wyn_slice_of(""));
	}
	argv[message->n_argv] = NULL;
	launch->child->argv = argv;
	return 0;
}

static bool is_of(const char *variable, const char *name)
{
	size_t bytes = strlen(name);

	return strncmp(variable, name, bytes) == 0 && variable[bytes] == '=';
}

/* The mark in front, where there is no cgroup that tells who is of whom. */
static int take_environment(struct launch *launch, bool marked)
{
	const Wyn__V1__Command *message = launch->message;
	char **environment = wyn_arena_alloc(
		launch->arena, (message->n_env + 2) * sizeof(*environment));
	size_t n = 0;
	int error = environment ? 0 : -ENOBUFS;

	if (!error && marked) {
		environment[n] =
			wyn_arena_alloc(launch->arena, WYN_MARK_TEXT_BYTES);
		error = environment[n] ? 0 : -ENOBUFS;
		if (!error) {
			wyn_mark_text(&launch->loop->tree.mark,
				launch->command->tree.serial, environment[n++]);
		}
	}
	for (size_t i = 0; !error && i < message->n_env; i++) {
		error = string_of(
			launch->arena, &message->env[i], &environment[n]);
		if (error || is_of(environment[n], WYN_MARK_VARIABLE)) {
			continue;
		}
		if (!launch->path && is_of(environment[n], "PATH")) {
			launch->path = environment[n] + strlen("PATH=");
		}
		n++;
	}
	if (error) {
		return fail_process(launch, error == -ENOBUFS ? E2BIG : -error);
	}
	environment[n] = NULL;
	launch->child->environment = environment;
	return 0;
}

static int take_directory(struct launch *launch)
{
	const ProtobufCBinaryData *cwd = &launch->message->cwd;
	char *directory;
	int error;

	launch->child->directory = "/";
	if (cwd->len == 0) {
		return 0;
	}
	error = string_of(launch->arena, cwd, &directory);
	if (!error && directory[0] != '/') {
		error = -EINVAL;
	}
	if (error) {
		return fail(launch, WYN__SPAWN__V1__STAGE__STAGE_DIRECTORY,
			error == -ENOBUFS ? ENAMETOOLONG : -error,
			bytes_of(cwd));
	}
	launch->child->directory = directory;
	return 0;
}

/* Decimal, as where a user or a limit is wanted. */
static struct wyn_slice number_of(struct wyn_arena *arena, uint64_t number)
{
	uint8_t digits[20];
	size_t n = sizeof(digits);
	uint8_t *text;

	do {
		digits[--n] = (uint8_t)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	text = wyn_arena_alloc(arena, sizeof(digits) - n);
	if (!text) {
		return wyn_slice_of("");
	}
	memcpy(text, digits + n, sizeof(digits) - n);
	return (struct wyn_slice){text, sizeof(digits) - n};
}

/* What is kept of a user may be forgotten while the child is on its way. */
static int copy_user(struct launch *launch, const struct wyn_user *user)
{
	struct wyn_user *copy = &launch->pad->user;
	size_t bytes = user->groups_count * sizeof(*user->groups);

	*copy = *user;
	copy->groups = wyn_arena_alloc(launch->arena, bytes);
	if (!copy->groups) {
		return -ENOMEM;
	}
	memcpy(copy->groups, user->groups, bytes);
	launch->child->user = copy;
	return 0;
}

static int take_user(struct launch *launch)
{
	const Wyn__Spawn__V1__Start *start = launch->start;
	const struct wyn_user *user;
	int error = wyn_users_get(&launch->loop->users, start->uid, start->gid,
		launch->command->started_ns, &user);

	if (!error && user) {
		error = copy_user(launch, user);
	}
	if (!error) {
		return 0;
	}
	return fail(launch, WYN__SPAWN__V1__STAGE__STAGE_USER, error,
		number_of(launch->arena, start->uid));
}

static int find_program(struct launch *launch)
{
	int error = wyn_program_find(&launch->link->config.programs,
		launch->child->argv[0], launch->path, launch->child->directory,
		launch->arena, &launch->pad->program);

	switch (error) {
	case 0:
		return 0;
	case -ENOENT:
	case -E2BIG:
		return fail(launch, WYN__SPAWN__V1__STAGE__STAGE_PROGRAM, error,
			wyn_slice_of(launch->child->argv[0]));
	case -EACCES:
		return fail(launch, WYN__SPAWN__V1__STAGE__STAGE_PROGRAMS,
			error, wyn_slice_of(launch->child->argv[0]));
	default:
		return fail_process(launch, error == -ENOBUFS ? E2BIG : -error);
	}
}

static void add_limit(
	struct wyn_child *child, int resource, const struct rlimit *limit)
{
	child->limits[child->limits_count++] =
		(struct wyn_child_limit){resource, *limit};
}

/* Never more than what is configured, or our own: who is root could. */
static void add_bound(struct wyn_child *child, int resource, uint64_t value)
{
	struct rlimit limit;

	if (getrlimit((__rlimit_resource_t)resource, &limit)) {
		return;
	}
	for (size_t i = 0; i < child->limits_count; i++) {
		if (child->limits[i].resource == resource) {
			limit = child->limits[i].limit;
		}
	}
	if (limit.rlim_max > value) {
		limit.rlim_max = value;
	}
	if (limit.rlim_cur > value) {
		limit.rlim_cur = value;
	}
	add_limit(child, resource, &limit);
}

static int take_limits(struct launch *launch, unsigned controllers)
{
	const struct wyn_link_config *config = &launch->link->config;
	const Wyn__V1__CommandLimits *limits = launch->message->limits;
	struct wyn_child *child = launch->child;

	for (size_t i = 0; i < config->limits_count; i++) {
		add_limit(child, config->limits[i].resource,
			&config->limits[i].limit);
	}
	if (!limits) {
		return 0;
	}
	if (limits->cpu_percent > 0 && !(controllers & WYN_CGROUP_CPU)) {
		return fail(launch, WYN__SPAWN__V1__STAGE__STAGE_LIMITS,
			EOPNOTSUPP, wyn_slice_of("cpu_percent"));
	}
	launch->limits = (struct wyn_cgroup_limits){
		.memory_bytes = limits->memory_bytes,
		.processes = limits->processes,
		.cpu_percent = limits->cpu_percent,
	};
	if (limits->memory_bytes > 0 && !(controllers & WYN_CGROUP_MEMORY)) {
		add_bound(child, RLIMIT_AS, limits->memory_bytes);
	}
	if (limits->processes > 0 && !(controllers & WYN_CGROUP_PIDS)) {
		add_bound(child, RLIMIT_NPROC, limits->processes);
	}
	return 0;
}

/* A place to be killed in, or to be remembered by. */
static int take_shelter(struct launch *launch, pid_t **ret_pid)
{
	struct wyn_command *command = launch->command;
	const struct wyn_link_config *config = &launch->link->config;
	int error = 0;

	if (config->cgroups) {
		error = wyn_cgroup_acquire(&config->cgroups->cgroups,
			&launch->limits, &command->cgroup);
		if (!error) {
			command->cgroups = config->cgroups;
			command->cgroups->shared.holders++;
		}
	} else if (config->ledger) {
		error = wyn_ledger_begin(
			&config->ledger->ledger, &command->record, ret_pid);
		if (!error) {
			command->ledger = config->ledger;
			command->ledger->shared.holders++;
		}
	}
	if (!error) {
		return 0;
	}
	return fail(launch, WYN__SPAWN__V1__STAGE__STAGE_PROCESS, error,
		wyn_slice_of(config->cgroups ? "cgroup" : "ledger"));
}

static const char *resource_name(int resource)
{
	static const char *const names[] = {
		[RLIMIT_AS] = "RLIMIT_AS",
		[RLIMIT_CORE] = "RLIMIT_CORE",
		[RLIMIT_CPU] = "RLIMIT_CPU",
		[RLIMIT_DATA] = "RLIMIT_DATA",
		[RLIMIT_FSIZE] = "RLIMIT_FSIZE",
		[RLIMIT_LOCKS] = "RLIMIT_LOCKS",
		[RLIMIT_MEMLOCK] = "RLIMIT_MEMLOCK",
		[RLIMIT_MSGQUEUE] = "RLIMIT_MSGQUEUE",
		[RLIMIT_NICE] = "RLIMIT_NICE",
		[RLIMIT_NOFILE] = "RLIMIT_NOFILE",
		[RLIMIT_NPROC] = "RLIMIT_NPROC",
		[RLIMIT_RSS] = "RLIMIT_RSS",
		[RLIMIT_RTPRIO] = "RLIMIT_RTPRIO",
		[RLIMIT_RTTIME] = "RLIMIT_RTTIME",
		[RLIMIT_SIGPENDING] = "RLIMIT_SIGPENDING",
		[RLIMIT_STACK] = "RLIMIT_STACK",
	};

	return (size_t)resource < WYN_COUNT_OF(names) && names[resource]
		       ? names[resource]
		       : "";
}

/* What the child has told, in our words. */
static struct wyn_slice place_of(struct wyn_pad *pad)
{
	const struct wyn_child_report *report = &pad->report;
	const struct wyn_program *program = &pad->program;
	const char *where = "";

	switch (report->stage) {
	case WYN__SPAWN__V1__STAGE__STAGE_DIRECTORY:
		where = pad->child.directory;
		break;
	case WYN__SPAWN__V1__STAGE__STAGE_USER:
		return number_of(&pad->arena, pad->user.uid);
	case WYN__SPAWN__V1__STAGE__STAGE_LIMITS:
		where = resource_name(report->resource);
		break;
	case WYN__SPAWN__V1__STAGE__STAGE_TMP:
		where = "/tmp";
		break;
	case WYN__SPAWN__V1__STAGE__STAGE_PROGRAMS:
		where = pad->child.argv[0];
		break;
	case WYN__SPAWN__V1__STAGE__STAGE_INTERPRETER:
		where = report->interpreter[0] != '\0'
				? report->interpreter
				: program->paths[report->path];
		break;
	case WYN__SPAWN__V1__STAGE__STAGE_PROGRAM:
		/* In none of several directories, or not looked for yet, by a
		 * user who has no more processes: the name says it best. */
		where = program->count > 1 && (report->error == ENOENT ||
						      report->error == EAGAIN)
				? pad->child.argv[0]
				: program->paths[report->path];
		break;
	default:
		break;
	}
	return wyn_slice_of(where);
}

bool wyn_launch_failed(
	struct wyn_pad *pad, struct wyn_launch_failure *ret_failure)
{
	const struct wyn_child_report *report = &pad->report;

	if (report->stage == WYN__SPAWN__V1__STAGE__STAGE_UNSPECIFIED) {
		return false;
	}
	*ret_failure = (struct wyn_launch_failure){
		report->stage, report->error, place_of(pad)};
	return true;
}

/*
 * While it is on its way a child has our memory, and the kernel kills all that
 * have it with the one that it chooses when a cgroup has no more. So where a
 * limit could be less than the command takes to begin it has a copy.
 */
static bool must_copy(const struct launch *launch)
{
	return launch->command->cgroup && launch->limits.memory_bytes > 0;
}

/*
 * A cgroup that a command of root, or of our own user, had before may have been
 * changed by it so that nobody can be in it any more; a new one can be.
 */
static pid_t clone_child(struct launch *launch)
{
	struct wyn_command *command = launch->command;
	struct wyn_clone clone = {.stack = launch->pad->stack,
		.busy = &launch->pad->busy,
		.cgroup = -1};
	pid_t pid;

	for (unsigned tries = 0; tries < CGROUPS_TRIED; tries++) {
		if (take_shelter(launch, &clone.parent_tid)) {
			return -1;
		}
		if (command->cgroup) {
			clone.cgroup = command->cgroup->directory;
		}
		clone.copy = must_copy(launch);
		command->reuse = true;
		pid = wyn_sys.clone(&clone, wyn_child_run, launch->child);
		if (pid >= 0) {
			return pid;
		}
		(void)fail_process(launch, errno);
		command->reuse = false;
		if (!command->cgroup ||
			(errno != EBUSY && errno != EOPNOTSUPP &&
				errno != ENODEV)) {
			return -1;
		}
		wyn_command_release(command);
	}
	return -1;
}

static bool start_child(struct launch *launch)
{
	struct wyn_loop *loop = launch->loop;
	struct wyn_command *command = launch->command;
	pid_t pid;

	launch->pad->report.stage = WYN__SPAWN__V1__STAGE__STAGE_UNSPECIFIED;
	pid = clone_child(launch);
	if (pid < 0) {
		return false;
	}
	wyn_pad_fly(&loop->pads, launch->pad, command);
	if (command->ledger) {
		wyn_ledger_started(&command->ledger->ledger, command->record);
	}
	wyn_tree_add(&loop->tree, &command->tree, pid, command->cgroup);
	return true;
}

/* Returns: 0; -1: the failure is filled in. */
static int make_child(struct launch *launch)
{
	const struct wyn_link_config *config = &launch->link->config;
	int error = wyn_spawn_command_decode(bytes_of(&launch->start->command),
		launch->arena, &launch->message);

	if (error) {
		return fail_process(
			launch, error == -ENOBUFS ? E2BIG : EBADMSG);
	}
	return take_argv(launch) ||
			       take_environment(launch, !config->cgroups) ||
			       take_directory(launch) || take_user(launch) ||
			       take_limits(launch,
				       config->cgroups
					       ? config->cgroups->cgroups
							 .controllers
					       : 0) ||
			       find_program(launch)
		       ? -1
		       : 0;
}

bool wyn_launch(struct wyn_link *link, struct wyn_command *command,
	const Wyn__Spawn__V1__Start *start, const int fds[static 3],
	struct wyn_pad *pad, struct wyn_launch_failure *ret_failure)
{
	const struct wyn_link_config *config = &link->config;
	struct wyn_loop *loop = link->loop;
	struct launch launch = {
		.loop = loop,
		.link = link,
		.command = command,
		.start = start,
		.pad = pad,
		.arena = &pad->arena,
		.child = &pad->child,
	};
	bool started;
	int program;

	pad->program = (struct wyn_program){.fd = -1};
	pad->child = (struct wyn_child){
		.program = &pad->program,
		.input = fds[0] >= 0 ? fds[0] : loop->null,
		.output = fds[1] >= 0 ? fds[1] : loop->null,
		.umask = config->umask,
		.private_tmp = config->private_tmp,
		.subreaper = !config->cgroups,
		.parent = loop->tree.self,
		.report = &pad->report,
	};
	pad->child.error = fds[2] >= 0 ? fds[2] : pad->child.output;
	wyn_tree_prepare(&loop->tree, &command->tree);
	started = !make_child(&launch) && start_child(&launch);
	/* The child has its own copy of it, and reads what the pad says. */
	program = pad->program.fd;
	if (program >= 0) {
		close(program);
	}
	*ret_failure = launch.failure;
	return started;
}
