// SPDX-License-Identifier: MIT
/*
 * ledger_file.h - the bytes of a ledger, in the order of this machine: whoever
 * reads them is of the same boot. And whom they name, for ledger.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "spawner/ledger.h"
#include "spawner/process.h"

#define WYN_LEDGER_MAGIC   UINT64_C(0x72656764656c7977) /* "wyledger" */
#define WYN_LEDGER_VERSION 1u

#define WYN_LEDGER_BOOT_BYTES 37u /* of random/boot_id, and a NUL */

/* A pid of 0: nobody. An `after` of 0: whoever wrote it was killed in
 * between. */
struct wyn_ledger_record {
	pid_t pid;
	uint32_t reserved;
	uint64_t before_ns; /* CLOCK_BOOTTIME */
	uint64_t after_ns;
};

struct wyn_ledger_file {
	uint64_t magic;
	uint32_t version;
	uint32_t records;
	char boot[WYN_LEDGER_BOOT_BYTES + 3];
	struct wyn_mark mark;
	char reserved[64 - 33 - 24];
	struct wyn_ledger_record record[];
};

/* The records that name somebody, by pid. */
struct wyn_ledger_names {
	int proc;
	pid_t self;
	struct wyn_mark mark;
	uint64_t ticks_per_s;
	struct wyn_ledger_record *record;
	size_t count;
};

/* wyn_ledger_names_init - Returns: 0; -ENOMEM. */
WYN_NODISCARD
int wyn_ledger_names_init(struct wyn_ledger_names *names,
	const struct wyn_ledger_file *file, int proc, pid_t self);
void wyn_ledger_names_fini(struct wyn_ledger_names *names);

/*
 * wyn_ledger_names_look - a new look at /proc, in which whom the ledger names
 * by the rules of ledger.h has WYN_HUNT_TAG. The `look` of a hunt.
 */
WYN_NODISCARD
int wyn_ledger_names_look(void *names, struct wyn_processes *processes);

/*
 * wyn_ledger_sweep - kills them, until a look sees none that lives.
 *
 * Returns: 0: *ret_killed of them; -EAGAIN: some would not die; -EPERM: some we
 * may not kill; -ENOMEM; -errno of a look. Blocks: for WYN_LEDGER_SWEEP_MS at
 * most. Costs: nothing when the ledger names nobody.
 */
WYN_NODISCARD
int wyn_ledger_sweep(
	const struct wyn_ledger_file *file, int proc, unsigned *ret_killed);
