// SPDX-License-Identifier: MIT
/*
 * text.c - the check that every string from outside goes through, and where one
 * that was cut ends.
 *
 * Nearly all of them are ASCII, so eight bytes are looked at together while
 * they are; the rest goes character by character.
 */
#include "base/text.h"

#include <string.h>

#include "base/compiler.h"

#define ONES  UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* Each byte is 1 to 127: the subtraction borrows into the high bit of the
 * first zero byte, and the high bits show the rest. */
static bool word_is_ascii(const uint8_t *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return ((word | (word - ONES)) & HIGHS) == 0;
}

/* A lead byte above ASCII, its length, and what the byte after it may be. */
struct lead {
	uint8_t first;
	uint8_t last;
	uint8_t bytes;
	uint8_t second_min;
	uint8_t second_max;
};

static const struct lead leads[] = {
	{0xc2, 0xdf, 2, 0x80, 0xbf},
	{0xe0, 0xe0, 3, 0xa0, 0xbf},
	{0xe1, 0xec, 3, 0x80, 0xbf},
	{0xed, 0xed, 3, 0x80, 0x9f},
	{0xee, 0xef, 3, 0x80, 0xbf},
	{0xf0, 0xf0, 4, 0x90, 0xbf},
	{0xf1, 0xf3, 4, 0x80, 0xbf},
	{0xf4, 0xf4, 4, 0x80, 0x8f},
};

static const struct lead *lead_find(uint8_t byte)
{
	for (size_t i = 0; i < WYN_COUNT_OF(leads); i++) {
		if (byte >= leads[i].first && byte <= leads[i].last) {
			return &leads[i];
		}
	}
	return NULL;
}

/* Returns: the bytes of the character at `at`; 0 when it is none. */
static size_t character_bytes(const uint8_t *at, size_t left)
{
	const struct lead *lead = lead_find(at[0]);

	if (lead == NULL || lead->bytes > left) {
		return 0;
	}
	if (at[1] < lead->second_min || at[1] > lead->second_max) {
		return 0;
	}
	for (size_t i = 2; i < lead->bytes; i++) {
		if ((at[i] & 0xc0) != 0x80) {
			return 0;
		}
	}
	return lead->bytes;
}

/* Two words that overlap cover a text of 4 to 15 bytes, as names are. */
static bool short_is_ascii(struct wyn_slice text)
{
	const uint8_t *end = text.data + text.len;
	uint32_t head;
	uint32_t tail;
	uint64_t both;

	if (text.len >= 8) {
		return word_is_ascii(text.data) && word_is_ascii(end - 8);
	}
	memcpy(&head, text.data, sizeof(head));
	memcpy(&tail, end - sizeof(tail), sizeof(tail));
	both = (uint64_t)head << 32 | tail;
	return word_is_ascii((const uint8_t *)&both);
}

bool wyn_text_valid(struct wyn_slice text)
{
	size_t i = 0;

	if (text.len >= 4 && text.len < 16 && short_is_ascii(text)) {
		return true;
	}

	while (i < text.len) {
		size_t n;

		if (text.len - i >= 8 && word_is_ascii(text.data + i)) {
			i += 8;
			continue;
		}
		if (text.data[i] - 1u < 0x7f) {
			i++;
			continue;
		}
		n = character_bytes(text.data + i, text.len - i);
		if (n == 0) {
			return false;
		}
		i += n;
	}
	return true;
}

size_t wyn_text_whole(struct wyn_slice text)
{
	size_t at = text.len;
	const struct lead *lead;

	/* Back to the last lead byte; three bytes at most follow one. */
	while (at > 0 && text.len - at < 3 &&
		(text.data[at - 1] & 0xc0) == 0x80) {
		at--;
	}
	if (at == 0) {
		return text.len;
	}
	lead = lead_find(text.data[--at]);
	return lead != NULL && lead->bytes > text.len - at ? at : text.len;
}

size_t wyn_text_cut(struct wyn_slice text, size_t bytes_max)
{
	text.len = text.len < bytes_max ? text.len : bytes_max;
	return wyn_text_whole(text);
}

void wyn_text_copy(char *to, size_t bytes, const char *from)
{
	size_t n = wyn_text_cut(wyn_slice_of(from), bytes - 1);

	memcpy(to, from, n);
	to[n] = '\0';
	if (wyn_text_valid((struct wyn_slice){(const uint8_t *)to, n})) {
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)to[i] >= 0x80) {
			to[i] = '?';
		}
	}
}
