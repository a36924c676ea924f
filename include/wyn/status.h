// SPDX-License-Identifier: MIT
/*
 * wyn/status.h - how a task ended: the codes of google.rpc, in one table.
 *
 * The same numbers are on the wire (Results.code, Reply.code, Error.code), in
 * what a module's function returns, and in what libwynclient reports.
 */
#pragma once

/* X(name, number, what it means here) */
#define WYN_STATUS_TABLE(X)                                              \
	X(OK, 0, "done")                                                 \
	X(CANCELLED, 1, "cancelled before or while it ran")              \
	X(UNKNOWN, 2, "failed without a code of its own")                \
	X(INVALID_ARGUMENT, 3, "the request is wrong")                   \
	X(DEADLINE_EXCEEDED, 4, "its deadline or timeout passed")        \
	X(NOT_FOUND, 5, "no such function or object")                    \
	X(ALREADY_EXISTS, 6, "the object exists already")                \
	X(PERMISSION_DENIED, 7, "the caller may not do this")            \
	X(RESOURCE_EXHAUSTED, 8, "over a limit or over credit")          \
	X(FAILED_PRECONDITION, 9, "not in this state, draining for one") \
	X(ABORTED, 10, "given up because of something concurrent")       \
	X(OUT_OF_RANGE, 11, "past a valid range")                        \
	X(UNIMPLEMENTED, 12, "this server cannot do that")               \
	X(INTERNAL, 13, "a fault of the server or of a module")          \
	X(UNAVAILABLE, 14, "the server cannot be reached or went away")  \
	X(DATA_LOSS, 15, "data was lost or damaged")                     \
	X(UNAUTHENTICATED, 16, "the caller has not said who it is")

enum wyn_status {
#define WYN_STATUS_ENUM(name, number, text) WYN_STATUS_##name = number,
	WYN_STATUS_TABLE(WYN_STATUS_ENUM)
#undef WYN_STATUS_ENUM
};

#define WYN_STATUS_COUNT 17
