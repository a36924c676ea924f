// SPDX-License-Identifier: MIT
/*
 * reload.c - the thread that reads everything again.
 *
 *	IDLE    asked for, or old modules are left   -> WORKS, or a sweep
 *	WORKS   the errand is sent                   -> UNDER WAY
 *	UNDER WAY  the errand is over                -> IDLE
 *
 * One errand at a time: a path that one closes may be one that the next opens.
 */
#include "daemon/io/reload.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/modules/loader.h"
#include "daemon/log.h"
#include "daemon/io/loop.h"
#include "daemon/io/notifier.h"
#include "daemon/engine/policy.h"
#include "daemon/policy_make.h"
#include "daemon/io/reload_errand.h"

struct wyn_reload {
	struct wyn_reload_config config;  /* [I] */
	struct wyn_settings running;	  /* its thread's alone */
	struct wyn_options options;	  /* likewise: the ones that are read */
	struct wyn_loader_report modules; /* likewise */

	pthread_t thread;
	bool started;		/* boot's */
	_Atomic uint64_t begun; /* [A reloads] */
	_Atomic uint64_t over;	/* [A reloads] */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool requested; /* [M lock] and what follows */
	bool under_way;
	bool stopping;
	struct wyn_errand *loads; /* modules, and its listeners are open */
	size_t askers_count;
	struct wyn_later askers[WYN_RELOAD_ASKERS_MAX];
};

/* [reloads] pairs with wyn_reload_turn(), where the wake leads. */
static void tell(struct wyn_reload *reload, _Atomic uint64_t *count)
{
	atomic_fetch_add_explicit(count, 1, memory_order_release);
	wyn_loop_wake(reload->config.first);
}

static void opened_close(struct wyn_errand *errand)
{
	for (size_t i = 0; i < errand->opened_count; i++) {
		wyn_listener_close(&errand->opened[i].listener);
	}
}

static void on_over(struct wyn_errand *errand)
{
	struct wyn_reload *reload = errand->context;

	opened_close(errand);
	wyn_policy_release(errand->policy);
	if (errand->error == 0) {
		wyn_log(WYN_LOG_INFO, "reloaded",
			WYN_LOG_NUMBER("changes", errand->changes_count));
	}
	/* Else the loops have ended. */
	if (errand->error != -ESHUTDOWN) {
		tell(reload, &reload->over);
	}
	pthread_mutex_lock(&reload->lock);
	reload->under_way = false;
	pthread_cond_signal(&reload->changed);
	pthread_mutex_unlock(&reload->lock);
	free(errand);
}

/* Notes what differs, and takes over what a reload may. */
static void settings_take(struct wyn_errand *errand,
	struct wyn_settings *running, const struct wyn_settings *wanted)
{
	char before[WYN_SETTING_TEXT_BYTES];
	char after[WYN_SETTING_TEXT_BYTES];
	char key[WYN_SETTING_NAME_BYTES];
	const struct wyn_setting *setting;

	for (size_t i = 0; (setting = wyn_setting_at(i)) != NULL; i++) {
		bool reloads = wyn_setting_reloads(setting);

		wyn_setting_format(running, setting, before);
		wyn_setting_format(wanted, setting, after);
		if (strcmp(before, after) != 0) {
			wyn_setting_key(setting, key);
			wyn_errand_note(errand, key, before, after, !reloads);
			wyn_log(WYN_LOG_INFO, "setting-changed",
				WYN_LOG_TEXT("key", key),
				WYN_LOG_TEXT("before", before),
				WYN_LOG_TEXT("after", after),
				WYN_LOG_TEXT("applies",
					reloads ? "now" : "restart"));
		}
		if (reloads) {
			wyn_setting_copy(running, wanted, setting);
		}
	}
}

static bool has_address(const struct wyn_endpoint *addresses, size_t count,
	const struct wyn_endpoint *address)
{
	for (size_t i = 0; i < count; i++) {
		if (wyn_endpoint_equal(&addresses[i], address)) {
			return true;
		}
	}
	return false;
}

/* Those that are asked for, without the service manager's. */
static size_t addresses_of(const struct wyn_reload *reload,
	const struct wyn_settings *settings, struct wyn_endpoint *addresses)
{
	const struct wyn_reload_config *config = &reload->config;
	struct wyn_endpoint asked[WYN_LISTEN_MAX];
	size_t asked_count = wyn_settings_addresses(
		settings, config->passed_count > 0, asked);
	size_t count = 0;

	for (size_t i = 0; i < asked_count; i++) {
		if (!has_address(
			    config->passed, config->passed_count, &asked[i])) {
			addresses[count++] = asked[i];
		}
	}
	return count;
}

/* The acceptor has room for no more, and whoever asked is told before anything
 * has changed. */
static int check_count(
	const struct wyn_reload *reload, size_t count, struct wyn_fault *fault)
{
	if (count + reload->config.passed_count <= WYN_LISTEN_MAX) {
		return 0;
	}
	return wyn_fault_set(fault, -EMFILE, WYN_EXIT_CONFIGURATION,
		"wynd listens on %u sockets at most, with the %zu of the "
		"service manager; name fewer",
		WYN_LISTEN_MAX, reload->config.passed_count);
}

/* What is new is opened here, where it may take its time. */
static int listeners_prepare(struct wyn_reload *reload,
	const struct wyn_settings *wanted, struct wyn_errand *errand)
{
	struct wyn_listener_config config = reload->config.listener;
	struct wyn_endpoint now[WYN_LISTEN_MAX];
	struct wyn_endpoint then[WYN_LISTEN_MAX];
	size_t now_count = addresses_of(reload, &reload->running, now);
	size_t then_count = addresses_of(reload, wanted, then);
	int error = check_count(reload, then_count, &errand->fault);

	config.allow_plaintext = wanted->allow_plaintext;
	for (size_t i = 0; i < now_count; i++) {
		if (!has_address(then, then_count, &now[i])) {
			errand->removed[errand->removed_count++] = now[i];
		}
	}
	for (size_t i = 0; error == 0 && i < then_count; i++) {
		struct wyn_opened *opened =
			&errand->opened[errand->opened_count];

		if (has_address(now, now_count, &then[i])) {
			continue;
		}
		opened->asked = then[i];
		error = wyn_listener_open(
			&then[i], &config, &opened->listener, &errand->fault);
		errand->opened_count += error == 0;
	}
	return error;
}

static void module_note(
	struct wyn_errand *errand, const struct wyn_loader_change *change)
{
	char what[WYN_CHANGE_WHAT_BYTES];

	if (change->verb == WYN_LOADER_KEPT) {
		return;
	}
	(void)snprintf(what, sizeof(what), "module %.80s", change->file);
	switch (change->verb) {
	case WYN_LOADER_REFUSED:
		wyn_errand_note(errand, what, change->old_kept ? "kept" : "",
			change->why, false);
		break;
	case WYN_LOADER_REMOVED:
		wyn_errand_note(errand, what, change->version, "", false);
		break;
	default:
		wyn_errand_note(
			errand, what, change->before, change->version, false);
	}
}

static int modules_take(struct wyn_reload *reload, struct wyn_errand *errand)
{
	const char *directory = reload->running.modules;
	int error = wyn_loader_reload(
		reload->config.loader, directory, &reload->modules);

	if (error != 0) {
		return wyn_fault_set(&errand->fault, error,
			wyn_fault_exit_code(error), "modules %.300s: %s",
			directory, strerror(-error));
	}
	wyn_loader_tell(&reload->modules);
	for (size_t i = 0; i < reload->modules.count; i++) {
		module_note(errand, &reload->modules.changes[i]);
	}
	return 0;
}

/* What was taken over has to fit what stays until a restart. */
static int check_mixture(const struct wyn_settings *running,
	const struct wyn_settings *wanted, struct wyn_errand *errand)
{
	struct wyn_settings mixed = *running;
	const struct wyn_setting *setting;
	int error;

	for (size_t i = 0; (setting = wyn_setting_at(i)) != NULL; i++) {
		if (wyn_setting_reloads(setting)) {
			wyn_setting_copy(&mixed, wanted, setting);
		}
	}
	error = wyn_settings_check(&mixed, &errand->fault);
	return error != 0 ? error
			  : wyn_policy_make(
				    &mixed, &errand->policy, &errand->fault);
}

static void loads_set(struct wyn_reload *reload, struct wyn_errand *errand)
{
	pthread_mutex_lock(&reload->lock);
	reload->loads = errand;
	pthread_mutex_unlock(&reload->lock);
}

static int prepare(struct wyn_reload *reload, struct wyn_errand *errand)
{
	const struct wyn_settings *wanted = &reload->options.settings;
	const struct wyn_options *first = reload->config.options;
	int error = wyn_options_parse(
		first->argc, first->argv, &reload->options, &errand->fault);

	if (error == 0) {
		error = check_mixture(&reload->running, wanted, errand);
	}
	if (error == 0) {
		error = listeners_prepare(reload, wanted, errand);
	}
	if (error == 0) {
		loads_set(reload, errand);
		error = modules_take(reload, errand);
		loads_set(reload, NULL);
	}
	if (error == 0) {
		settings_take(errand, &reload->running, wanted);
		errand->limits = reload->running.limits;
		wyn_log_level_set(reload->running.log_level);
	}
	return error;
}

static void work(struct wyn_reload *reload, struct wyn_errand *errand)
{
	tell(reload, &reload->begun);
	errand->shared = reload->config.shared;
	errand->acceptor = reload->config.acceptor;
	errand->over = on_over;
	errand->context = reload;
	errand->error = prepare(reload, errand);
	if (errand->error != 0) {
		wyn_log(WYN_LOG_ERROR, "reload-failed",
			WYN_LOG_TEXT("reason", errand->fault.text));
	}
	wyn_errand_send(errand);
}

/* Under the lock. Sleeps until there is something to do; while old modules are
 * left it looks after them. */
static void wait_for_work(struct wyn_reload *reload, bool old_left)
{
	struct timespec until;

	if (!old_left) {
		pthread_cond_wait(&reload->changed, &reload->lock);
		return;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += WYN_RELOAD_SWEEP_MS / 1000;
	(void)pthread_cond_timedwait(&reload->changed, &reload->lock, &until);
}

/* Under the lock, which it lets go of meanwhile. False: no memory yet. */
static bool reload_once(struct wyn_reload *reload)
{
	struct wyn_errand *errand = calloc(1, sizeof(*errand));

	if (errand == NULL) {
		return false;
	}
	memcpy(errand->askers, reload->askers, sizeof(errand->askers));
	errand->askers_count = reload->askers_count;
	reload->askers_count = 0;
	reload->requested = false;
	reload->under_way = true;
	pthread_mutex_unlock(&reload->lock);
	work(reload, errand);
	pthread_mutex_lock(&reload->lock);
	return true;
}

static void *thread_main(void *argument)
{
	struct wyn_reload *reload = argument;
	bool old_left = false;

	(void)pthread_setname_np(pthread_self(), "wyn-aux");
	pthread_mutex_lock(&reload->lock);
	while (!reload->stopping) {
		if (reload->requested && !reload->under_way) {
			old_left = true;
			if (reload_once(reload)) {
				continue;
			}
		}
		wait_for_work(reload, old_left);
		pthread_mutex_unlock(&reload->lock);
		old_left = wyn_loader_sweep(reload->config.loader) > 0;
		pthread_mutex_lock(&reload->lock);
	}
	pthread_mutex_unlock(&reload->lock);
	return NULL;
}

int wyn_reload_create(
	const struct wyn_reload_config *config, struct wyn_reload **ret_reload)
{
	struct wyn_reload *reload = calloc(1, sizeof(*reload));
	pthread_condattr_t attributes;

	if (reload == NULL) {
		return -ENOMEM;
	}
	reload->config = *config;
	reload->running = config->options->settings;
	pthread_mutex_init(&reload->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&reload->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	*ret_reload = reload;
	return 0;
}

int wyn_reload_start(struct wyn_reload *reload)
{
	int error = pthread_create(&reload->thread, NULL, thread_main, reload);

	reload->started = error == 0;
	return -error;
}

bool wyn_reload_request(
	struct wyn_reload *reload, const struct wyn_later *later)
{
	bool taken = true;

	pthread_mutex_lock(&reload->lock);
	if (later != NULL && reload->askers_count == WYN_RELOAD_ASKERS_MAX) {
		taken = false;
	} else if (later != NULL) {
		reload->askers[reload->askers_count++] = *later;
	}
	reload->requested = true;
	pthread_cond_signal(&reload->changed);
	pthread_mutex_unlock(&reload->lock);
	return taken;
}

void wyn_reload_turn(struct wyn_reload *reload, struct wyn_notifier *notifier)
{
	/* [reloads] the later one first, so that none is over that was not
	 * begun. */
	uint64_t over =
		atomic_load_explicit(&reload->over, memory_order_acquire);
	uint64_t begun =
		atomic_load_explicit(&reload->begun, memory_order_acquire);

	wyn_notifier_reloads(notifier, begun, over);
}

/* A module hangs at its load. Its thread waits for the lock if it comes back
 * now; the socket files go first, as wherever wynd ends. */
static _Noreturn void give_up(struct wyn_reload *reload)
{
	pthread_mutex_lock(&reload->lock);
	if (reload->loads != NULL) {
		opened_close(reload->loads);
	}
	wyn_log(WYN_LOG_ERROR, "reload-stuck");
	_exit(WYN_EXIT_TIMED_OUT);
}

void wyn_reload_stop(struct wyn_reload *reload)
{
	struct timespec until;

	if (reload == NULL || !reload->started) {
		return;
	}
	pthread_mutex_lock(&reload->lock);
	reload->stopping = true;
	pthread_cond_signal(&reload->changed);
	pthread_mutex_unlock(&reload->lock);
	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WYN_RELOAD_STOP_MS / 1000;
	if (pthread_timedjoin_np(reload->thread, NULL, &until) != 0) {
		give_up(reload);
	}
	reload->started = false;
}

void wyn_reload_destroy(struct wyn_reload *reload)
{
	if (reload == NULL) {
		return;
	}
	pthread_cond_destroy(&reload->changed);
	pthread_mutex_destroy(&reload->lock);
	free(reload);
}
