// SPDX-License-Identifier: MIT
/*
 * bench_config.c - which options of `bench` go together.
 */
#include "client/wynctl/bench_config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"

/* Two options of which there can be one only. */
static const char *config_conflict(const struct wyn_arguments *arguments)
{
	if (arguments->rate > 0 && arguments->jobs > 0) {
		return "--rate makes an open loop, --in-flight bounds a closed "
		       "one: give one of them";
	}
	if (arguments->count > 0 && arguments->duration_ms > 0) {
		return "--count and --duration both say when to end: give one "
		       "of them";
	}
	if (arguments->operand_count > 1 &&
		arguments->size != WYN_ARGUMENTS_UNSET) {
		return "--size makes an argument, and there is one already: "
		       "give one of them";
	}
	return NULL;
}

static int config_flight(const struct wyn_arguments *arguments,
	struct wyn_bench_config *config, char why[WYN_ARGUMENTS_WHY_BYTES])
{
	uint64_t least = config->connections * config->batch;

	if (config->open) {
		return 0;
	}
	config->in_flight = arguments->jobs;
	if (config->in_flight == 0) {
		config->in_flight =
			least > WYN_FLIGHT_DEFAULT ? least : WYN_FLIGHT_DEFAULT;
	}
	if (config->in_flight < least) {
		(void)snprintf(why, WYN_ARGUMENTS_WHY_BYTES,
			"--in-flight %" PRIu64 " is less than one batch on "
			"each connection (%" PRIu64 " x %" PRIu64 ")",
			config->in_flight, config->connections, config->batch);
		return -EINVAL;
	}
	return 0;
}

int wyn_bench_configure(const struct wyn_arguments *arguments,
	struct wyn_bench_config *ret_config, char why[WYN_ARGUMENTS_WHY_BYTES])
{
	const char *conflict = config_conflict(arguments);
	struct wyn_bench_config config = {
		.function = arguments->operands[0],
		.open = arguments->rate > 0,
		.rate = arguments->rate,
		.connections = arguments->connections,
		.batch = arguments->batch > 0 ? arguments->batch : 1,
		.count = arguments->count,
	};
	uint64_t warmup_ms = arguments->warmup_ms;
	uint64_t duration_ms = arguments->duration_ms;
	int err;

	if (conflict != NULL) {
		(void)snprintf(why, WYN_ARGUMENTS_WHY_BYTES, "%s", conflict);
		return -EINVAL;
	}
	if (warmup_ms == WYN_ARGUMENTS_UNSET) {
		warmup_ms = config.count > 0 ? 0 : WYN_BENCH_WARMUP_MS;
	}
	if (config.count == 0 && duration_ms == 0) {
		duration_ms = WYN_BENCH_DURATION_MS;
	}
	config.warmup_ns = warmup_ms * WYN_NS_PER_MS;
	config.duration_ns = duration_ms * WYN_NS_PER_MS;
	if (arguments->operand_count > 1) {
		config.text = arguments->operands[1];
		config.size = strlen(config.text);
	} else if (arguments->size != WYN_ARGUMENTS_UNSET) {
		config.size = arguments->size;
	} else {
		config.size = WYN_BENCH_SIZE_DEFAULT;
	}
	err = config_flight(arguments, &config, why);
	if (err == 0) {
		*ret_config = config;
	}
	return err;
}
