// SPDX-License-Identifier: MIT
/*
 * fault.c - the line that says why not, and its exit code.
 */
#include "daemon/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int wyn_fault_set(struct wyn_fault *fault, int error,
	enum wyn_exit_code exit_code, const char *format, ...)
{
	va_list args;

	fault->exit_code = exit_code;
	va_start(args, format);
	vsnprintf(fault->text, sizeof(fault->text), format, args);
	va_end(args);
	return error;
}

int wyn_fault_system(struct wyn_fault *fault, int error, const char *doing)
{
	return wyn_fault_set(fault, error, wyn_fault_exit_code(error),
		"cannot %s: %s", doing, strerror(-error));
}

enum wyn_exit_code wyn_fault_exit_code(int error)
{
	switch (-error) {
	case EACCES:
	case EPERM:
		return WYN_EXIT_PERMISSION;
	case EADDRINUSE:
		return WYN_EXIT_UNAVAILABLE;
	case ENOMEM:
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case EAGAIN:
		return WYN_EXIT_TRY_AGAIN;
	default:
		return WYN_EXIT_CONFIGURATION;
	}
}
