// SPDX-License-Identifier: MIT
/*
 * meter_words.h - the command line of a benchmark: WORK NAME=NUMBER...
 *
 * The same words for all programs, also those in other languages; each takes
 * from them what its work needs. C and C++.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bench/meter.h"

struct meter {
	const char *work;
	uint64_t n;	    /* tasks of one sample */
	uint64_t workers;   /* threads that run them */
	uint64_t producers; /* threads that spawn; 0 = the main thread */
	uint64_t repeats;   /* samples back to back, and again after pauses */
	uint64_t pause_ms;  /* idleness before each of the latter; 0 = none */
	uint64_t spins;	    /* rounds of meter_spin per task */
	uint64_t inside;    /* 1 = spawned from inside a task */
	uint64_t rate;	    /* tasks per second, for one second */
	uint64_t keep_mib;  /* memory a pool keeps; 0 = its default */

	/* Of the programs that talk over a socket. */
	const char *address;
	uint64_t ms;	      /* how long to call */
	uint64_t in_flight;   /* calls at a time */
	uint64_t connections; /* that share the calls */
	uint64_t bytes;	      /* of one block */
};

static inline void meter_parse(struct meter *meter, int argc, char **argv)
{
	struct {
		const char *name;
		uint64_t *value;
	} words[] = {
		{"n=", &meter->n},
		{"workers=", &meter->workers},
		{"producers=", &meter->producers},
		{"repeats=", &meter->repeats},
		{"pause_ms=", &meter->pause_ms},
		{"spins=", &meter->spins},
		{"inside=", &meter->inside},
		{"rate=", &meter->rate},
		{"keep_mib=", &meter->keep_mib},
		{"ms=", &meter->ms},
		{"in_flight=", &meter->in_flight},
		{"connections=", &meter->connections},
		{"bytes=", &meter->bytes},
	};

	memset(meter, 0, sizeof(*meter));
	meter_require(argc > 1);
	meter->work = argv[1];
	meter->n = meter->workers = meter->repeats = 1;
	meter->in_flight = meter->connections = 1;
	meter->rate = meter->ms = 1000;
	for (int i = 2; i < argc; i++) {
		bool known = false;

		for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++) {
			size_t length = strlen(words[w].name);

			if (strncmp(argv[i], words[w].name, length) == 0) {
				*words[w].value =
					strtoull(argv[i] + length, NULL, 10);
				known = true;
			}
		}
		meter_require(known);
	}
	/* Tasks are told apart by numbers of 32 bits. */
	meter_require(meter->n <= UINT32_MAX && meter->workers > 0);
}

/* WORK ADDRESS NAME=NUMBER... */
static inline void meter_parse_address(
	struct meter *meter, int argc, char **argv)
{
	char *address;

	meter_require(argc > 2);
	address = argv[2];
	argv[2] = argv[1];
	meter_parse(meter, argc - 1, argv + 1);
	meter->address = address;
	meter_require(meter->in_flight > 0 && meter->connections > 0);
}
