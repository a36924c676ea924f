// SPDX-License-Identifier: MIT
/*
 * words.h - the names of states, priorities and what a task waits for.
 *
 * The same on the command line, in what is printed and in JSON. Any thread.
 */
#pragma once

/*
 * wyn_word_state, _priority, _why - the name of such a number, of the enums in
 * wyn/client_inspect.h and wyn/client_types.h; for 0 "any", "default" and
 * "unknown".
 *
 * Returns: NULL for a number without a name.
 */
const char *wyn_word_state(unsigned number);
const char *wyn_word_priority(unsigned number);
const char *wyn_word_why(unsigned number);

/* wyn_word_or_unknown - the word, or "unknown" for NULL. */
static inline const char *wyn_word_or_unknown(const char *word)
{
	return word ? word : "unknown";
}
