// SPDX-License-Identifier: MIT
/*
 * quote.h - the words of a command as one line, as a shell would read it.
 *
 * For people and for logs, to be run again by hand. Nothing here runs it by a
 * shell. Any thread.
 */
#pragma once

#include <stddef.h>

/*
 * wyn_quote_words - the words with blanks between them.
 *
 * A word with anything but letters, digits and some harmless signs is in single
 * quotes. Owns: the caller's, to free(). Returns: NULL when there is no memory.
 */
char *wyn_quote_words(char *const *words, size_t count);
