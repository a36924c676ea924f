// SPDX-License-Identifier: MIT
/*
 * words.c - see words.h.
 */
#include "client/wynctl/words.h"

#include <stddef.h>

#include <wyn/client.h>

#include "base/compiler.h"

const char *wyn_word_state(unsigned number)
{
	static const char *const names[] = {
		[WYN_CLIENT_STATE_ANY] = "any",
		[WYN_CLIENT_STATE_UPLOADING] = "uploading",
		[WYN_CLIENT_STATE_QUEUED] = "queued",
		[WYN_CLIENT_STATE_NEXT] = "next",
		[WYN_CLIENT_STATE_RUNNING] = "running",
		[WYN_CLIENT_STATE_OUTPUT] = "output",
		[WYN_CLIENT_STATE_ENDED] = "ended",
	};

	return number < WYN_COUNT_OF(names) ? names[number] : NULL;
}

const char *wyn_word_priority(unsigned number)
{
	static const char *const names[] = {
		[WYN_CLIENT_PRIORITY_DEFAULT] = "default",
		[WYN_CLIENT_PRIORITY_LOW] = "low",
		[WYN_CLIENT_PRIORITY_NORMAL] = "normal",
		[WYN_CLIENT_PRIORITY_HIGH] = "high",
	};

	return number < WYN_COUNT_OF(names) ? names[number] : NULL;
}

const char *wyn_word_why(unsigned number)
{
	static const char *const names[] = {
		[WYN_CLIENT_WHY_UNKNOWN] = "unknown",
		[WYN_CLIENT_WHY_ARGUMENT] = "argument",
		[WYN_CLIENT_WHY_OUTPUT_MAX] = "output-max",
		[WYN_CLIENT_WHY_STREAMS_FULL] = "streams-full",
		[WYN_CLIENT_WHY_EXECUTOR_FULL] = "executor-full",
		[WYN_CLIENT_WHY_TURN] = "turn",
		[WYN_CLIENT_WHY_WORKERS] = "workers",
		[WYN_CLIENT_WHY_FUNCTION] = "function",
		[WYN_CLIENT_WHY_STREAM_ROOM] = "stream-room",
		[WYN_CLIENT_WHY_STREAM_CREDIT] = "stream-credit",
		[WYN_CLIENT_WHY_OUTPUT] = "output",
		[WYN_CLIENT_WHY_COMMANDS_MAX] = "commands-max",
		[WYN_CLIENT_WHY_COMMAND] = "command",
	};

	return number < WYN_COUNT_OF(names) ? names[number] : NULL;
}
