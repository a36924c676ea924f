// SPDX-License-Identifier: MIT
/*
 * escape.c - the escaping of coreutils' digest programs (9.0 and later, which
 * also escape the carriage return), and texts without control characters.
 */
#include "client/wynctl/escape.h"

#include <string.h>

bool wyn_escape_needed(const char *name)
{
	return strpbrk(name, "\\\n\r") != NULL;
}

size_t wyn_escape(const char *name, char *out)
{
	size_t size = 0;

	for (; *name != '\0'; name++) {
		switch (*name) {
		case '\\':
			out[size++] = '\\';
			out[size++] = '\\';
			break;
		case '\n':
			out[size++] = '\\';
			out[size++] = 'n';
			break;
		case '\r':
			out[size++] = '\\';
			out[size++] = 'r';
			break;
		default:
			out[size++] = *name;
			break;
		}
	}
	out[size] = '\0';
	return size;
}

const char *wyn_escape_text(const char *text, char *out, size_t room)
{
	size_t size = 0;

	for (; *text != '\0' && size + 1 < room; text++) {
		unsigned char byte = (unsigned char)*text;
		unsigned char next = (unsigned char)text[1];

		if (byte < 0x20 || byte == 0x7f) {
			out[size++] = '?';
		} else if (byte == 0xc2 && next >= 0x80 && next < 0xa0) {
			/* U+0080 to U+009F: controls of eight bits. */
			out[size++] = '?';
			text++;
		} else {
			out[size++] = *text;
		}
	}
	out[size] = '\0';
	return out;
}
