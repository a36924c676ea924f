// SPDX-License-Identifier: MIT
/*
 * reason.h - the reasons that the library gives, each by a name.
 *
 * Programs go by these words, so wyn/client_types.h lists those of the first
 * group; scripts/reasons compares. Private to client/. Any thread.
 */
#pragma once

#define WYN_REASON_ARGUMENT_INCOMPLETE "ARGUMENT_INCOMPLETE"
#define WYN_REASON_CANNOT_CONNECT      "CANNOT_CONNECT"
#define WYN_REASON_CLIENT_NO_MEMORY    "CLIENT_NO_MEMORY"
#define WYN_REASON_CONNECTED	       "CONNECTED"
#define WYN_REASON_CONNECTION_CLOSED   "CONNECTION_CLOSED"
#define WYN_REASON_CONNECTION_LOST     "CONNECTION_LOST"
#define WYN_REASON_FINISHED	       "FINISHED"
#define WYN_REASON_FUNCTION_NAME       "FUNCTION_NAME"
#define WYN_REASON_INTERRUPTED	       "INTERRUPTED"
#define WYN_REASON_IN_FLIGHT	       "IN_FLIGHT"
#define WYN_REASON_NOTHING_IN_FLIGHT   "NOTHING_IN_FLIGHT"
#define WYN_REASON_NOT_CONNECTED       "NOT_CONNECTED"
#define WYN_REASON_NO_ANSWER	       "NO_ANSWER"
#define WYN_REASON_NO_SUCH_TASK	       "NO_SUCH_TASK"
#define WYN_REASON_PARTIAL_VALUES      "PARTIAL_VALUES"
#define WYN_REASON_PROTOCOL_VIOLATION  "PROTOCOL_VIOLATION"
#define WYN_REASON_TIMED_OUT	       "TIMED_OUT"
#define WYN_REASON_VALUE_PARTS	       "VALUE_PARTS"
#define WYN_REASON_VERSION_MISMATCH    "VERSION_MISMATCH"

/* The server's own (docs/wire.md, section 7), where it need not be asked. */
#define WYN_REASON_ARGUMENT_TOO_LARGE "ARGUMENT_TOO_LARGE"
#define WYN_REASON_COMMAND_INVALID    "COMMAND_INVALID"
#define WYN_REASON_COMMAND_TOO_LARGE  "COMMAND_TOO_LARGE"
#define WYN_REASON_DRAINING	      "DRAINING"
#define WYN_REASON_OPTION_INVALID     "OPTION_INVALID"
