// SPDX-License-Identifier: MIT
/*
 * fault.h - why something cannot be done as it was asked: one line for the
 * user, one exit code.
 *
 * At boot it ends the daemon; a reload answers with it and goes on as before.
 * What goes wrong with nobody who asked is logged (log.h).
 */
#pragma once

#include "base/compiler.h"
#include "base/exit_code.h"

struct wyn_fault {
	enum wyn_exit_code exit_code;
	char text[512];
};

/*
 * wyn_fault_set - writes the line; a text that does not fit is cut.
 *
 * Thread: any. Returns: `error`, so that a caller can return it in turn.
 */
int wyn_fault_set(struct wyn_fault *fault, int error,
	enum wyn_exit_code exit_code, const char *format, ...) WYN_PRINTF(4, 5);

/*
 * wyn_fault_system - "cannot DOING: what the system says", with the exit code
 * that the error stands for.
 *
 * Thread: any. Returns: `error`.
 */
int wyn_fault_system(struct wyn_fault *fault, int error, const char *doing);

/*
 * wyn_fault_exit_code - the exit code that a -errno of the system stands for.
 *
 * Thread: any. Not allowed: 77. In use: 69. No memory or descriptors: 75.
 * Everything else: 78.
 */
enum wyn_exit_code wyn_fault_exit_code(int error);
