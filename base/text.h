// SPDX-License-Identifier: MIT
/*
 * text.h - is this a string as protobuf means it, and as C can hold it? Is it
 * still one when it was cut?
 *
 * For what comes from outside: protobuf-c takes any bytes for a string and cuts
 * it at the first NUL for whoever reads it as one, and a module may write what
 * it likes into a message. Any room, any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

/*
 * wyn_text_valid - well-formed UTF-8 (no surrogates, nothing over U+10FFFF, no
 * longer form than needed) without a NUL.
 *
 * Thread: any. The ranges are those of table 3-7 of the Unicode standard.
 */
bool wyn_text_valid(struct wyn_slice text);

/*
 * wyn_text_whole - how many bytes of a text that was perhaps cut are whole
 * characters: all but those of one whose end is missing.
 *
 * Thread: any. Of what is no UTF-8 it may keep any.
 */
size_t wyn_text_whole(struct wyn_slice text);

/*
 * wyn_text_cut - how many bytes of a valid text fit into bytes_max, without the
 * half of a character.
 *
 * Thread: any.
 */
size_t wyn_text_cut(struct wyn_slice text, size_t bytes_max);

/*
 * wyn_text_copy - what fits of a text, whole characters and a NUL; of one that
 * is not valid, which would make a message void, what is not ASCII becomes `?`.
 *
 * bytes: the room, with the NUL. Thread: any.
 */
void wyn_text_copy(char *to, size_t bytes, const char *from);
