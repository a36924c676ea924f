// SPDX-License-Identifier: MIT
/*
 * run.c - `wynctl run -- CMD ARG...`: one command, as if it were run here.
 *
 * Its outputs go to ours and our input to it, each at the pace of the slower
 * side, and none of them is ever waited for while another one could go on.
 * The signals that would have met it are passed on (run_signal.c). When nobody
 * reads our output any more the command meets what it would have met here,
 * SIGPIPE, and is cancelled in case it does not mind.
 */
#include "client/wynctl/run.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/wynctl/clock.h"
#include "client/wynctl/detach.h"
#include "client/wynctl/here.h"
#include "client/wynctl/json.h"
#include "client/wynctl/outcome.h"

/* Events in a row before signals and input have their turn. */
#define EVENTS_MAX 64

static void run_end(struct wyn_run *run, int code)
{
	run->ended = true;
	run->code = code;
}

static void run_lost(struct wyn_run *run)
{
	(void)wyn_ctl_fail(run->ctl);
	run_end(run, WYN_EXIT_COMMAND_FAILED);
}

static void run_print_json(
	struct wyn_run *run, const struct wyn_client_event *event)
{
	json_t *object = json_object();

	if (event->kind == WYN_CLIENT_RESULT) {
		wyn_json_end(object, event);
		wyn_json_command(object, event);
	} else {
		wyn_json_bytes(object,
			event->kind == WYN_CLIENT_STDOUT ? "stdout" : "stderr",
			event->value);
	}
	wyn_json_print(&run->ctl->output, object);
}

/* In the order in which it was written, where both are the same file. */
static void run_print(struct wyn_run *run, const struct wyn_client_event *event)
{
	bool error = event->kind == WYN_CLIENT_STDERR;

	run->wrote = true;
	if (run->ctl->arguments->json) {
		run_print_json(run, event);
		return;
	}
	wyn_stdout_flush(error ? &run->ctl->output : &run->errors);
	wyn_stdout_write(error ? &run->errors : &run->ctl->output,
		event->value.data, event->value.size);
}

static void run_complain(
	const struct wyn_run *run, const struct wyn_client_event *event)
{
	if (wyn_outcome_names_what(event)) {
		wyn_ctl_say("%s", event->message);
	} else {
		wyn_ctl_say(
			"%s: %s", run->command.argv[0], wyn_ctl_reason(event));
	}
}

static void run_result(
	struct wyn_run *run, const struct wyn_client_event *event)
{
	if (run->ctl->arguments->json) {
		run_print_json(run, event);
	}
	if (!wyn_outcome_is_silent(event)) {
		wyn_stdout_flush(&run->errors);
		run_complain(run, event);
	}
	run_end(run, wyn_outcome_exit_code(event, run->signal));
}

static void run_event(struct wyn_run *run, const struct wyn_client_event *event)
{
	switch (event->kind) {
	case WYN_CLIENT_CONNECTED:
		run->connected = true;
		break;
	case WYN_CLIENT_STDOUT:
	case WYN_CLIENT_STDERR:
		run_print(run, event);
		break;
	case WYN_CLIENT_RESULT:
		run_result(run, event);
		break;
	default:
		break;
	}
}

/* What does not go out is no more of the command's to send. */
static void run_hold(struct wyn_run *run)
{
	wyn_client_hold(
		run->ctl->client, wyn_stdout_kept_bytes(&run->ctl->output) +
					  wyn_stdout_kept_bytes(&run->errors));
}

/* Returns: whether there were any. */
static bool run_events(struct wyn_run *run)
{
	struct wyn_client_event event;
	bool any = false;
	int result;

	for (int i = 0; i < EVENTS_MAX && !run->ended; i++) {
		run_hold(run);
		result = wyn_client_process(run->ctl->client, &event);
		if (result == 0) {
			break;
		}
		if (result < 0) {
			run_lost(run);
			break;
		}
		run_event(run, &event);
		any = true;
	}
	return any;
}

/* An output of ours takes no more, for whatever reason. */
static void run_output_failed(struct wyn_run *run, int error, bool errors)
{
	if (error == EPIPE) {
		run->broken = SIGPIPE;
		wyn_run_signal(run, SIGPIPE);
	} else if (errors) {
		return; /* nobody wants to read them, as if run here */
	} else {
		run->broken = -1;
		wyn_ctl_say(
			"cannot write to standard output: %s", strerror(error));
	}
	wyn_run_cancel(run);
}

static void run_outputs(struct wyn_run *run)
{
	struct wyn_stdout *output = &run->ctl->output;

	wyn_stdout_flush(output);
	wyn_stdout_flush(&run->errors);
	run_hold(run);
	if (output->error != 0 && run->broken == 0) {
		run_output_failed(run, output->error, false);
	}
	if (run->errors.error != 0 && run->broken == 0) {
		run_output_failed(run, run->errors.error, true);
	}
}

static void run_input(struct wyn_run *run)
{
	if (wyn_stdin_pass(&run->input, run->ctl->client, run->seq) != 0) {
		run_lost(run);
	}
}

/* For how long to sleep at most; -1 = for ever. */
static int run_timeout_ms(const struct wyn_run *run)
{
	int timeout_ms = wyn_client_timeout_ms(run->ctl->client);
	uint64_t now_ns;
	int left_ms = 0;

	if (run->connected || timeout_ms == 0) {
		return timeout_ms;
	}
	now_ns = wyn_ctl_now_ns();
	if (now_ns < run->connect_by_ns) {
		left_ms = (int)((run->connect_by_ns - now_ns) / WYN_NS_PER_MS) +
			  1;
	}
	return timeout_ms < 0 || left_ms < timeout_ms ? left_ms : timeout_ms;
}

static void run_wait(struct wyn_run *run)
{
	int timeout_ms = run_timeout_ms(run);
	/* One that is -1 is passed over. */
	struct pollfd fds[] = {
		{.fd = wyn_client_fd(run->ctl->client),
			.events = (short)wyn_client_events(run->ctl->client)},
		{.fd = run->signals.fd, .events = POLLIN},
		{.fd = wyn_stdin_poll_fd(&run->input, &timeout_ms),
			.events = POLLIN},
		{.fd = wyn_stdout_waits_fd(&run->ctl->output),
			.events = POLLOUT},
		{.fd = wyn_stdout_waits_fd(&run->errors), .events = POLLOUT},
	};
	int number;
	int err;

	if (poll(fds, WYN_COUNT_OF(fds), timeout_ms) < 0) {
		return; /* a stop and SIGCONT */
	}
	while (fds[1].revents != 0 && !run->ended &&
		(number = wyn_signals_next(&run->signals)) != 0) {
		wyn_run_signal(run, number);
	}
	if (fds[2].revents != 0) {
		err = wyn_stdin_read(&run->input);
		if (err != 0) {
			run->unread = true;
			wyn_ctl_say("cannot read standard input: %s",
				strerror(-err));
		}
	}
	if (!run->connected && wyn_ctl_now_ns() >= run->connect_by_ns) {
		wyn_ctl_say("the server did not answer in time");
		run_end(run, WYN_EXIT_COMMAND_FAILED);
	}
}

/* All that it wrote goes out, however long somebody reads; a signal ends us. */
static int run_finish(struct wyn_run *run)
{
	struct wyn_stdout *output = &run->ctl->output;
	int error;

	wyn_stdout_wait(output);
	error = -wyn_stdout_end(&run->errors);
	if (output->error != 0 && run->broken == 0) {
		run_output_failed(run, output->error, false);
	}
	if (error == EPIPE && run->broken == 0) {
		run->broken = SIGPIPE;
	}
	output->error = 0; /* it was told, or need not be */
	if (run->broken > 0) {
		return WYN_EXIT_SIGNALLED + run->broken;
	}
	if (run->broken != 0) {
		return WYN_EXIT_COMMAND_FAILED;
	}
	/* It took what there was for all of it. */
	return run->unread && run->code == WYN_EXIT_OK ? WYN_EXIT_COMMAND_FAILED
						       : run->code;
}

/* A large one has to wait for the Welcome; a small one goes out before it. */
static void run_submit(struct wyn_run *run)
{
	int err = wyn_client_submit_command(run->ctl->client, &run->command,
		(struct wyn_bytes){NULL, 0}, &run->options, &run->seq);

	if (err == 0) {
		run->submitted = true;
	} else if (err == -E2BIG) {
		(void)wyn_ctl_fail(run->ctl);
		run_end(run, WYN_EXIT_COMMAND_REFUSED);
	} else if (err != -EAGAIN) {
		run_lost(run);
	}
}

static void run_turn(struct wyn_run *run)
{
	if (!run->submitted) {
		run_submit(run);
	}
	if (!run->ended && run_events(run) && !run->submitted) {
		return; /* the Welcome, or room for it */
	}
	if (!run->ended && run->submitted) {
		run_input(run);
	}
	if (!run->ended) {
		run_outputs(run);
		run_wait(run);
	}
}

static int run_connected(struct wyn_run *run)
{
	int err = wyn_signals_take(&run->signals);

	if (err != 0) {
		wyn_ctl_say("cannot take signals: %s", strerror(-err));
		return WYN_EXIT_COMMAND_FAILED;
	}
	run->options = wyn_ctl_options(run->ctl->arguments);
	run->options.stream = true;
	run->options.nonblock = true;
	run->connect_by_ns = wyn_client_deadline_in_ms(WYN_CTL_REQUEST_MS);
	run->connected = wyn_client_server(run->ctl->client)->version != 0;
	wyn_stdout_init(&run->errors, STDERR_FILENO);
	while (!run->ended) {
		run_turn(run);
	}
	wyn_signals_leave(&run->signals);
	return run_finish(run);
}

int wyn_command_run(struct wyn_ctl *ctl)
{
	struct wyn_run *run = NULL;
	struct wyn_here here = {0};
	int code = WYN_EXIT_COMMAND_FAILED;

	if (ctl->arguments->detach) {
		return wyn_detach_command(ctl);
	}
	run = calloc(1, sizeof(*run));
	if (run == NULL) {
		wyn_ctl_say("%s", strerror(ENOMEM));
		return code;
	}
	run->ctl = ctl;
	if (wyn_here_command(&here, ctl->arguments, &run->command)) {
		run->command.input_stream =
			wyn_stdin_init(&run->input, STDIN_FILENO);
		code = wyn_ctl_connect_start(ctl) == WYN_EXIT_OK
			       ? run_connected(run)
			       : WYN_EXIT_COMMAND_FAILED;
	}
	wyn_here_fini(&here);
	free(run);
	return code;
}
