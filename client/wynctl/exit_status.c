// SPDX-License-Identifier: MIT
/*
 * exit_status.c - wire status to exit code.
 *
 * FAILED_PRECONDITION is what a draining daemon answers, so it counts as "try
 * again"; whatever is the task's own affair is plainly "failed".
 */
#include "client/wynctl/exit_status.h"

#include <wyn/status.h>

int wyn_exit_status(uint32_t status)
{
	switch (status) {
	case WYN_STATUS_OK:
		return WYN_EXIT_OK;
	case WYN_STATUS_UNAVAILABLE:
		return WYN_EXIT_UNAVAILABLE;
	case WYN_STATUS_RESOURCE_EXHAUSTED:
	case WYN_STATUS_FAILED_PRECONDITION:
		return WYN_EXIT_TRY_AGAIN;
	case WYN_STATUS_PERMISSION_DENIED:
	case WYN_STATUS_UNAUTHENTICATED:
		return WYN_EXIT_PERMISSION;
	case WYN_STATUS_DEADLINE_EXCEEDED:
		return WYN_EXIT_TIMED_OUT;
	default:
		return WYN_EXIT_FAILED;
	}
}
