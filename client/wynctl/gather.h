// SPDX-License-Identifier: MIT
/*
 * gather.h - the outputs of commands that run side by side, made into ours.
 *
 * By default each command's come together when it has ended. What has to wait
 * goes into spill.h, and is printed piece by piece as our outputs take it: so a
 * reader who is slow costs disk at most, and of that no more than what runs has
 * written. Main's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/list.h"
#include "client/wynctl/spill.h"
#include "client/wynctl/stdout.h"

/* A longer line may be broken up by WYN_GATHER_LINES. */
#define WYN_GATHER_LINE_BYTES_MAX (1u << 20)

enum wyn_gather_mode {
	WYN_GATHER_GROUPS = 0, /* each when its command has ended */
	WYN_GATHER_ORDER,      /* and in the order in which they began */
	WYN_GATHER_LINES,      /* whole lines, as they come */
	WYN_GATHER_PIECES,     /* as it comes */
};

/* Standard output and standard error, of a command or of ours. */
enum wyn_gather_stream {
	WYN_GATHER_STDOUT = 0,
	WYN_GATHER_STDERR = 1,
	WYN_GATHER_STREAMS = 2,
};

struct wyn_gathered;

/* Writes a piece of a command's output to one of ours; it is not empty. */
typedef void wyn_gather_writer(void *context, struct wyn_gathered *one,
	enum wyn_gather_stream stream, struct wyn_slice bytes);

struct wyn_gather {
	enum wyn_gather_mode mode;
	struct wyn_stdout *outputs[WYN_GATHER_STREAMS];
	struct wyn_spill spill;
	struct wyn_list queue;	  /* of wyn_gathered: in turn to be printed */
	bool shares_terminal;	  /* with a bar, which is in the way */
	wyn_gather_writer *write; /* NULL = as it is, with the tag */
	void *context;
};

/* One command. */
struct wyn_gathered {
	struct wyn_list link;
	bool ended;
	char *tag; /* before each line, and a tab; ours to free, NULL = none */
	struct wyn_held held[WYN_GATHER_STREAMS];
	bool in_line[WYN_GATHER_STREAMS]; /* what is out ends within one */
};

/* wyn_gather_init - borrows the outputs. */
void wyn_gather_init(struct wyn_gather *gather, enum wyn_gather_mode mode,
	struct wyn_stdout *output, struct wyn_stdout *error);

/* wyn_gather_fini - when all commands were dropped. */
void wyn_gather_fini(struct wyn_gather *gather);

/* wyn_gather_begin - a command. Takes the tag. */
void wyn_gather_begin(
	struct wyn_gather *gather, struct wyn_gathered *one, char *tag);

/* wyn_gather_put - what it wrote. Returns: 0, or as wyn_held_put(). */
WYN_NODISCARD
int wyn_gather_put(struct wyn_gather *gather, struct wyn_gathered *one,
	enum wyn_gather_stream stream, struct wyn_slice bytes);

/* wyn_gather_end - it writes nothing more. Returns: as wyn_held_take(). */
WYN_NODISCARD
int wyn_gather_end(struct wyn_gather *gather, struct wyn_gathered *one);

/*
 * wyn_gather_print - prints what is in turn, until our outputs are full.
 *
 * *ret_one is a command all of which is printed, and has been dropped, or NULL.
 * Returns: 0, or as wyn_held_take().
 */
WYN_NODISCARD
int wyn_gather_print(struct wyn_gather *gather, struct wyn_gathered **ret_one);

/* wyn_gather_full - whether one of our outputs is. */
bool wyn_gather_full(const struct wyn_gather *gather);

/* wyn_gather_drop - forgets a command, printed or not. */
void wyn_gather_drop(struct wyn_gather *gather, struct wyn_gathered *one);
