// SPDX-License-Identifier: MIT
/*
 * rig_kept.h - what clients of the rig read of tasks that outlive their
 * connection.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RIG_KEPT_WORD_BYTES 64u
#define RIG_KEPT_DATA_BYTES 4096u

/* The last OutcomeReply; its task is the first that is listed. */
struct rig_outcome {
	bool ended;
	uint32_t code;
	char reason[RIG_KEPT_WORD_BYTES];
	char message[RIG_KEPT_DATA_BYTES];
	int ran;
	uint32_t exit_status;
	uint32_t signal;
	bool has_usage;
	size_t bytes; /* of value, that came */
	char value[RIG_KEPT_DATA_BYTES];
	uint64_t value_bytes;
	bool value_lost;
	uint64_t output_bytes;
	uint64_t ended_ns;
};

/* The last LogsReply. */
struct rig_logs {
	size_t pieces;
	uint64_t first_at; /* of the first piece */
	int last_stream;   /* of the last one */
	size_t bytes;
	char text[RIG_KEPT_DATA_BYTES]; /* of all, as far as it fits */
	uint64_t next;
	bool ended;
};
