// SPDX-License-Identifier: MIT
/*
 * session_rig.h - one session of libwynclient, and the script that it is fed.
 *
 * Without sockets. For the test programs of client/, whose own thread it is.
 */
#pragma once

#include <stdbool.h>

#include "client/session.h"
#include "tests/support/script.h"

#define RIG_NO_OPTIONS ((struct wyn_client_options){0})

extern struct wyn_session rig_session;
extern struct wyn_script rig_script;
extern struct wyn_script_reader rig_reader;
extern const struct wyn_script_limits rig_defaults;

/* Around each test: a session that was welcomed, and its end. */
int rig_setup(void **state);
int rig_teardown(void **state);

/* The same under other limits or another configuration. */
void rig_open_with(const struct wyn_script_limits *limits,
	const struct wyn_client_config *config);

/* Hands the script to the session the way a socket would, `piece` at a time. */
void rig_feed(size_t piece);

/* Pulls up to the next event, or to what else there is to say. */
int rig_pull(struct wyn_client_event *event);

/* Everything that the session wants to send, to be read by script_next(). */
void rig_sent(bool preface);

/* Submits n echo tasks and returns the first seq. */
uint64_t rig_submit_some(size_t n, struct wyn_client_options options);

/* Submits a command whose input goes on, and returns its seq. */
uint64_t rig_submit_stream(void);

/* The event is the result OK of seq, with this value. */
void rig_assert_value(
	const struct wyn_client_event *event, uint64_t seq, const char *value);
