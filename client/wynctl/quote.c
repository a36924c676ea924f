// SPDX-License-Identifier: MIT
/*
 * quote.c - single quotes, in which a shell takes all but themselves as it is.
 */
#include "client/wynctl/quote.h"

#include <stdlib.h>
#include <string.h>

#define PLAIN                        \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789%+,-./:@_"

static char *quote_word(char *out, const char *word)
{
	size_t plain = strspn(word, PLAIN);

	if (plain > 0 && word[plain] == '\0') {
		memcpy(out, word, plain);
		return out + plain;
	}
	*out++ = '\'';
	for (; *word != '\0'; word++) {
		if (*word == '\'') {
			memcpy(out, "'\\''", 4);
			out += 4;
		} else {
			*out++ = *word;
		}
	}
	*out++ = '\'';
	return out;
}

char *wyn_quote_words(char *const *words, size_t count)
{
	size_t room = 1;
	char *line;
	char *end;

	for (size_t i = 0; i < count; i++) {
		room += 4 * strlen(words[i]) + 3;
	}
	line = malloc(room);
	if (line == NULL) {
		return NULL;
	}
	end = line;
	for (size_t i = 0; i < count; i++) {
		if (i > 0) {
			*end++ = ' ';
		}
		end = quote_word(end, words[i]);
	}
	*end = '\0';
	return line;
}
