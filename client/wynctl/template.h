// SPDX-License-Identifier: MIT
/*
 * template.h - the words of a command of `xargs`, with input lines put in.
 *
 * The replacement strings are GNU parallel's: {} the line, {.} without its
 * extension, {/} without its directory, {//} the directory, {/.} without
 * both, {#} the number of the command. There is no shell: what is put in stays
 * within its word, whatever is in it. Main's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct wyn_template {
	char **words;
	size_t count;
	bool appends; /* no word has a replacement string */
};

/* Words that are made anew for each command, in memory that is used again. */
struct wyn_argv {
	char **words; /* `count` of them, and a NULL */
	size_t count;
	size_t room;
	char *text;
	size_t used;
	size_t capacity;
	bool broken; /* there was no memory */
};

/* wyn_template_init - borrows the words, of which there is one at least. */
void wyn_template_init(
	struct wyn_template *template, char **words, size_t count);

/*
 * wyn_template_fill - the words of command number `seq`, for these lines.
 *
 * A word with a replacement string other than {#} is there once for each line;
 * where no word has any, the lines follow behind the last. Returns: 0, -ENOMEM.
 */
WYN_NODISCARD
int wyn_template_fill(const struct wyn_template *template, char *const *lines,
	size_t count, uint64_t seq, struct wyn_argv *argv);

/*
 * wyn_argv_clear, _begin, _put, _end - no words; a word begins; text to it; no
 * more words. What did not fit into memory _end says.
 */
void wyn_argv_clear(struct wyn_argv *argv);
void wyn_argv_begin(struct wyn_argv *argv);
void wyn_argv_put(struct wyn_argv *argv, const char *text, size_t size);
WYN_NODISCARD
int wyn_argv_end(struct wyn_argv *argv);

/* wyn_argv_fini - frees. All zero bytes are one without words. */
void wyn_argv_fini(struct wyn_argv *argv);
