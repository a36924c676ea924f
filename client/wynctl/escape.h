// SPDX-License-Identifier: MIT
/*
 * escape.h - what others wrote, made fit for a line of output.
 *
 * File names as sha256sum(1) writes them: a name with a backslash, a newline or
 * a carriage return is escaped, and the line then begins with a backslash, so
 * that `sha256sum --check` reads it. Texts of a server without what a terminal
 * would obey.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* wyn_escape_needed - whether the line begins with a backslash. */
bool wyn_escape_needed(const char *name);

/*
 * wyn_escape - writes the name with \\, \n and \r for those bytes.
 *
 * out has room for 2 * strlen(name) + 1 bytes. Returns: its length.
 */
size_t wyn_escape(const char *name, char *out);

/*
 * wyn_escape_text - copies a text, with a ? for each control character.
 *
 * What does not fit into `room` bytes with its NUL is cut off. Returns: out.
 */
const char *wyn_escape_text(const char *text, char *out, size_t room);
