// SPDX-License-Identifier: MIT
/*
 * server.c - the daemon put together, and taken apart again.
 *
 * Up: policy, modules, pool, loops, listeners, then what loop 0 does beside its
 * own work (drain, notifier, reload); --ready-fd is told; threads last. Down:
 * the loops have ended, so no task is out; wyn-aux ends, which posts to loops;
 * the pool's threads end, so nobody wakes a loop any more; then the loops go,
 * and what had handles on them, then the modules whose code the workers ran.
 * Every step leaves the server in a state that take_down() understands.
 */
#include "daemon/server.h"

#include <assert.h>
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>
#include <wyn/pool.h>

#include "base/version.h"
#include "daemon/io/acceptor.h"
#include "daemon/modules/catalog.h"
#include "daemon/clock.h"
#include "daemon/engine/conn_later.h"
#include "daemon/io/drain.h"
#include "daemon/engine/engine.h"
#include "daemon/modules/loader.h"
#include "daemon/log.h"
#include "daemon/io/loop.h"
#include "daemon/io/notifier.h"
#include "daemon/policy_make.h"
#include "daemon/engine/policy.h"
#include "daemon/io/ready_fd.h"
#include "daemon/io/reload.h"
#include "daemon/engine/stats.h"

/* [I] once the loops run; its own atomics apart. */
struct server {
	struct wyn_shared shared;
	struct wyn_catalog *catalog;
	struct wyn_loader *loader;
	struct wyn_pool *pool;
	struct wyn_engine *engines[WYN_LOOPS_MAX];
	struct wyn_loop *loops[WYN_LOOPS_MAX];
	size_t loops_count;
	struct wyn_acceptor *acceptor;
	struct wyn_drain *drain;
	struct wyn_notifier *notifier;
	struct wyn_reload *reload;
	struct wyn_policy *policy; /* as each loop begins */
	struct wyn_listener_config listening;
	size_t functions; /* at the start */
};

/* Thread: boot, aux. So that each loop goes on to the new functions. */
static void on_functions_published(void *context)
{
	struct server *server = context;

	for (size_t i = 0; i < server->loops_count; i++) {
		wyn_loop_wake(server->loops[i]);
	}
}

static int load_modules(struct server *server,
	const struct wyn_options *options, struct wyn_fault *fault)
{
	struct wyn_loader_report *report = calloc(1, sizeof(*report));
	int error = report ? wyn_catalog_create(&server->catalog) : -ENOMEM;

	if (!error) {
		error = wyn_loader_create(server->catalog, &server->loader);
	}
	if (error) {
		free(report);
		return wyn_fault_system(fault, error, "load modules");
	}
	server->shared.catalog = server->catalog;
	wyn_catalog_watch(server->catalog, on_functions_published, server);
	error = wyn_loader_reload(
		server->loader, options->settings.modules, report);
	if (!error) {
		wyn_loader_tell(report);
		for (size_t i = 0; i < report->count; i++) {
			server->functions += report->changes[i].functions;
		}
	}
	free(report);
	return error ? wyn_fault_set(fault, error, wyn_fault_exit_code(error),
			       "--modules %.300s: %s; name a directory of "
			       "task modules",
			       options->settings.modules, strerror(-error))
		     : 0;
}

static int start_pool(struct server *server, const struct wyn_options *options,
	struct wyn_fault *fault)
{
	struct wyn_pool_config config;
	int error;

	wyn_pool_config_init(&config);
	config.workers = (unsigned)options->settings.workers;
	/* Each task that waits for a slow client or blocks takes one until it
	 * ends; an await that finds none waits in its worker. */
	static_assert(WYN_STREAMS_MAX + WYN_AWAITS_MAX <= WYN_POOL_SPARES_MAX,
		"a task that emits must find a spare");
	config.spare_max = WYN_STREAMS_MAX + WYN_AWAITS_MAX;
	error = wyn_pool_create(&config, &server->pool);
	if (!error) {
		error = wyn_pool_start(server->pool);
	}
	server->shared.pool = server->pool;
	server->catalog->pool = server->pool;
	return error ? wyn_fault_system(fault, error, "start the workers") : 0;
}

static void on_turn_of_first(void *context)
{
	struct server *server = context;

	wyn_drain_turn(server->drain);
	wyn_acceptor_turn(server->acceptor);
	wyn_reload_turn(server->reload, server->notifier);
	wyn_notifier_turn(server->notifier, wyn_drain_begun(server->drain));
}

static void on_socket_gone(void *context)
{
	struct server *server = context;

	wyn_acceptor_gone(server->acceptor);
}

static void on_quiet(void *context)
{
	struct server *server = context;

	wyn_drain_quiet(server->drain);
}

static void on_drain_asked(struct wyn_shared *shared)
{
	struct server *server = WYN_CONTAINER_OF(shared, struct server, shared);

	wyn_log_limited(WYN_LOG_INFO, WYN_LOG_DRAIN_ASKED, "drain-asked",
		WYN_LOG_TEXT("by", "administrator"));
	wyn_drain_request(server->drain);
}

static void on_reload_asked(
	struct wyn_shared *shared, const struct wyn_later *later)
{
	struct server *server = WYN_CONTAINER_OF(shared, struct server, shared);
	Wyn__V1__Reply reply = WYN__V1__REPLY__INIT;

	if (wyn_reload_request(server->reload, later)) {
		return;
	}
	reply.code = WYN_STATUS_RESOURCE_EXHAUSTED;
	reply.reason = wyn_message_text("RELOADS_MAX");
	reply.message = wyn_message_text("too many wait for a reload already");
	wyn_later_answer(later, &reply);
}

static void on_crowded(struct wyn_shared *shared)
{
	wyn_log_limited(WYN_LOG_WARNING, WYN_LOG_CROWDED, "connection-refused",
		WYN_LOG_NUMBER(
			"max_connections", shared->limits.connections_max));
}

static int create_loops(struct server *server,
	const struct wyn_options *options, struct wyn_fault *fault)
{
	server->shared.limits = options->settings.limits;
	server->shared.engines = server->engines;
	server->shared.engines_count = options->settings.loops;
	server->shared.drain = on_drain_asked;
	server->shared.crowded = on_crowded;
	server->shared.reload = on_reload_asked;
	for (size_t i = 0; i < options->settings.loops; i++) {
		const struct wyn_loop_hooks hooks = {
			.turn = i == 0 ? on_turn_of_first : NULL,
			.gone = on_socket_gone,
			.quiet = on_quiet,
			.context = server,
		};
		int error = wyn_loop_create(&server->shared, i, server->pool,
			&hooks, &server->loops[i]);

		if (error) {
			return wyn_fault_system(fault, error, "make a loop");
		}
		server->engines[i] = wyn_loop_engine(server->loops[i]);
		server->loops_count++;
	}
	return 0;
}

/* What the group of Unix sockets is to be: see WYN_SOCKET_GROUP. */
static int find_group(const struct wyn_options *options, gid_t *ret_group,
	struct wyn_fault *fault)
{
	const char *name = options->settings.socket_group[0] != '\0'
				   ? options->settings.socket_group
				   : NULL;
	const struct group *group;

	*ret_group = WYN_NO_GROUP;
	if (!name && geteuid() != 0) {
		return 0;
	}
	group = getgrnam(name ? name : WYN_SOCKET_GROUP);
	if (group) {
		*ret_group = group->gr_gid;
		return 0;
	}
	return name ? wyn_fault_set(fault, -ENOENT, WYN_EXIT_CONFIGURATION,
			      "--socket-group %.200s: there is no such group; "
			      "create it with groupadd, or name another",
			      name)
		    : 0;
}

/* What the service manager passed, and what was asked for beside it. */
static int open_all(struct server *server, const struct wyn_options *options,
	const struct wyn_activation *passed,
	const struct wyn_listener_config *config, struct wyn_fault *fault)
{
	struct wyn_endpoint addresses[WYN_LISTEN_MAX];
	size_t count = wyn_settings_addresses(
		&options->settings, passed->count > 0, addresses);
	int error = 0;

	for (size_t i = 0; !error && i < passed->count; i++) {
		error = wyn_acceptor_adopt(server->acceptor,
			passed->sockets[i].fd, passed->sockets[i].name, config,
			fault);
	}
	for (size_t i = 0; !error && i < count; i++) {
		error = wyn_acceptor_listen(
			server->acceptor, &addresses[i], config, fault);
	}
	return error;
}

static int open_listeners(struct server *server,
	const struct wyn_options *options, const struct wyn_activation *passed,
	struct wyn_fault *fault)
{
	struct wyn_listener_config *config = &server->listening;
	int error = find_group(options, &config->socket_group, fault);

	if (error) {
		return error;
	}
	config->allow_plaintext = options->settings.allow_plaintext;
	config->socket_mode = options->settings.socket_mode;
	error = wyn_acceptor_create(
		server->loops, server->loops_count, &server->acceptor);
	if (error) {
		return wyn_fault_system(fault, error, "listen");
	}
	return open_all(server, options, passed, config, fault);
}

/* Beside the first Unix socket, which nobody else has; "" = there is none, and
 * then nobody's commands are run either. */
static void find_ledger(const struct server *server, size_t loop,
	char ret_path[WYN_LEDGER_PATH_BYTES])
{
	const struct wyn_endpoint *endpoint;

	ret_path[0] = '\0';
	for (size_t i = 0;
		(endpoint = wyn_acceptor_endpoint(server->acceptor, i)); i++) {
		if (endpoint->kind == WYN_ENDPOINT_UNIX) {
			(void)snprintf(ret_path, WYN_LEDGER_PATH_BYTES,
				"%s.commands-%zu", endpoint->path, loop);
			return;
		}
	}
}

static void allow_commands(struct server *server)
{
	char ledger[WYN_LEDGER_PATH_BYTES];

	for (size_t i = 0; i < server->loops_count; i++) {
		find_ledger(server, i, ledger);
		wyn_loop_commands(server->loops[i], ledger);
		wyn_engine_policy(server->engines[i], server->policy);
	}
}

/* Loop 0 last: nothing is accepted before every loop can take it. */
static int start_threads(struct server *server, struct wyn_fault *fault)
{
	int error = wyn_acceptor_start(server->acceptor);

	if (!error) {
		error = wyn_reload_start(server->reload);
	}
	for (size_t i = server->loops_count; !error && i > 0; i--) {
		error = wyn_loop_start(server->loops[i - 1]);
	}
	return error ? wyn_fault_system(fault, error, "start the loops") : 0;
}

/* What loop 0 does beside its own work. */
static int create_duties(struct server *server,
	const struct wyn_options *options, const struct wyn_activation *passed,
	struct wyn_fault *fault)
{
	struct wyn_reload_config config = {
		.options = options,
		.listener = server->listening,
		.passed_count = passed->count,
		.shared = &server->shared,
		.acceptor = server->acceptor,
		.loader = server->loader,
		.first = server->loops[0],
	};
	int error = wyn_drain_create(&server->shared, server->loops,
		server->loops_count, server->acceptor, &server->drain);

	if (error) {
		return wyn_fault_system(fault, error, "watch signals");
	}
	error = wyn_notifier_create(&server->shared, server->loops,
		server->loops_count, &server->notifier);
	/* They were adopted before anything else was opened. */
	for (size_t i = 0; i < passed->count; i++) {
		config.passed[i] = *wyn_acceptor_endpoint(server->acceptor, i);
	}
	if (!error) {
		error = wyn_reload_create(&config, &server->reload);
	}
	return error ? wyn_fault_system(fault, error, "start") : 0;
}

static int bring_up(struct server *server, const struct wyn_options *options,
	const struct wyn_activation *passed, struct wyn_fault *fault)
{
	int error = wyn_policy_make(&options->settings, &server->policy, fault);

	if (!error) {
		error = load_modules(server, options, fault);
	}
	if (!error) {
		error = start_pool(server, options, fault);
	}
	if (!error) {
		error = create_loops(server, options, fault);
	}
	if (!error) {
		error = open_listeners(server, options, passed, fault);
	}
	if (!error) {
		allow_commands(server);
		error = create_duties(server, options, passed, fault);
	}
	return error;
}

static void take_down(struct server *server)
{
	for (size_t i = 0; i < server->loops_count; i++) {
		wyn_loop_enter(server->loops[i], WYN_LOOP_END);
		wyn_loop_join(server->loops[i]);
	}
	wyn_reload_stop(server->reload);
	wyn_acceptor_stop(server->acceptor);
	wyn_drain_stop(server->drain);
	wyn_notifier_stop(server->notifier);
	wyn_pool_destroy(server->pool);
	for (size_t i = server->loops_count; i > 0; i--) {
		wyn_loop_destroy(server->loops[i - 1]);
	}
	wyn_drain_destroy(server->drain);
	wyn_notifier_destroy(server->notifier);
	wyn_reload_destroy(server->reload);
	wyn_acceptor_destroy(server->acceptor);
	wyn_loader_destroy(server->loader);
	wyn_catalog_destroy(server->catalog);
	wyn_policy_release(server->policy);
}

/* What listens takes connections already, and they wait for the loops; from
 * those on all of this is theirs. */
static void announce(
	const struct server *server, const struct wyn_options *options)
{
	const struct wyn_endpoint *endpoint;
	char text[WYN_ENDPOINT_TEXT_BYTES];

	wyn_log(WYN_LOG_INFO, "started", WYN_LOG_TEXT("version", WYN_VERSION),
		WYN_LOG_NUMBER("pid", (uint64_t)getpid()),
		WYN_LOG_NUMBER("uid", geteuid()),
		WYN_LOG_NUMBER("workers", wyn_pool_workers(server->pool)),
		WYN_LOG_NUMBER("loops", server->loops_count),
		WYN_LOG_NUMBER("modules", wyn_loader_count(server->loader)),
		WYN_LOG_NUMBER("functions", server->functions),
		WYN_LOG_TEXT("directory", options->settings.modules),
		WYN_LOG_NUMBER("max_connections",
			options->settings.limits.connections_max),
		WYN_LOG_NUMBER(
			"max_tasks", options->settings.limits.daemon_tasks_max),
		WYN_LOG_NUMBER("max_bytes",
			options->settings.limits.daemon_bytes_max));
	for (size_t i = 0;
		(endpoint = wyn_acceptor_endpoint(server->acceptor, i)); i++) {
		wyn_endpoint_format(endpoint, text, sizeof(text));
		wyn_log(WYN_LOG_INFO, "listening",
			WYN_LOG_TEXT("address", text));
	}
	if (options->ready_fd >= 0) {
		int error =
			wyn_ready_fd_tell(options->ready_fd, server->acceptor);

		/* Whoever waited is gone; the service is not. */
		if (error) {
			wyn_log(WYN_LOG_WARNING, "ready-fd-failed",
				WYN_LOG_TEXT("error", strerror(-error)));
		}
	}
}

/* Only here may the signals come: everything they act on exists. */
static void serve(struct server *server)
{
	sigset_t signals;

	wyn_drain_signals(&signals);
	pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
	for (size_t i = 0; i < server->loops_count; i++) {
		wyn_loop_join(server->loops[i]);
	}
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

/* The loops have ended: nobody counts any more. */
static void tell_ended(
	const struct server *server, enum wyn_exit_code exit_code)
{
	uint64_t now_ns = uv_hrtime();
	struct wyn_stats sum;

	wyn_stats_init(&sum);
	for (size_t i = 0; i < server->loops_count; i++) {
		wyn_stats_sum(&sum, wyn_engine_stats(server->engines[i]));
	}
	wyn_log_settle();
	wyn_log(WYN_LOG_INFO, "ended", WYN_LOG_NUMBER("exit_code", exit_code),
		WYN_LOG_NUMBER("uptime_ms",
			(now_ns - server->shared.started_ns) / 1000000),
		WYN_LOG_NUMBER("connections", sum.connections_accepted_approx),
		WYN_LOG_NUMBER("failed", sum.connections_failed_approx),
		WYN_LOG_NUMBER("tasks", sum.tasks_accepted_approx),
		WYN_LOG_NUMBER("tasks_ok", sum.tasks_ok_approx),
		WYN_LOG_NUMBER("tasks_failed", sum.tasks_failed_approx),
		WYN_LOG_NUMBER("tasks_cancelled", sum.tasks_cancelled_approx),
		WYN_LOG_NUMBER("tasks_expired", sum.tasks_expired_approx),
		WYN_LOG_NUMBER("tasks_refused", sum.tasks_refused_approx),
		WYN_LOG_NUMBER("tasks_discarded", sum.tasks_discarded_approx));
}

int wyn_server_run(const struct wyn_options *options,
	const struct wyn_activation *passed, enum wyn_exit_code *ret_exit_code,
	struct wyn_fault *ret_fault)
{
	/* Zeroed, it is a server of which nothing stands yet. */
	struct server *server = calloc(1, sizeof(*server));
	int error;

	if (!server) {
		return wyn_fault_system(ret_fault, -ENOMEM, "start");
	}
	/* A task takes longer than a nanosecond, so the ids of this run stay
	 * below the time, and the next run starts above them. */
	server->shared.id_base = wyn_clock_ns(CLOCK_REALTIME);
	server->shared.started_ns = uv_hrtime();
	error = bring_up(server, options, passed, ret_fault);
	if (!error) {
		announce(server, options);
		error = start_threads(server, ret_fault);
	}
	if (!error) {
		serve(server);
		*ret_exit_code = wyn_drain_exit_code(server->drain);
		tell_ended(server, *ret_exit_code);
	}
	take_down(server);
	free(server);
	return error;
}
