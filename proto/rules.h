// SPDX-License-Identifier: MIT
/*
 * rules.h - what a hot message must keep beyond its schema.
 *
 * Private to proto/. Both ways of decoding end here, so that they cannot come
 * to differ in what they refuse.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "proto/message.h"

/*
 * wyn_rules_submit_check - a batch has tasks, its arguments come in one way
 * only, and its seqs fit in 64 bits.
 *
 * Thread: any. Returns: 0; -EBADMSG.
 */
WYN_NODISCARD
int wyn_rules_submit_check(const struct wyn_submit *submit);

/*
 * wyn_rules_results_check - columns are empty or as long as seq, details name
 * rows that are there, once each and ascending.
 *
 * Thread: any. codes and values are the lengths of those columns. Returns: 0;
 * -EBADMSG.
 */
WYN_NODISCARD
int wyn_rules_results_check(
	const struct wyn_results *results, size_t codes, size_t values);

/*
 * wyn_rules_enum_narrow - an enum's number as the views hold it.
 *
 * Thread: any. Returns: the number, or 255 for every one that does not fit,
 * which no enum of ours uses; so an unknown number never turns into a known
 * one.
 */
static inline uint8_t wyn_rules_enum_narrow(int64_t number)
{
	return number < 0 || number > UINT8_MAX ? UINT8_MAX : (uint8_t)number;
}

/* wyn_rules_options_default - replaces what was left unspecified. */
static inline void wyn_rules_options_default(struct wyn_submit_options *options)
{
	if (options->priority == WYN__V1__PRIORITY__PRIORITY_UNSPECIFIED) {
		options->priority = WYN__V1__PRIORITY__PRIORITY_NORMAL;
	}
	if (options->on_disconnect ==
		WYN__V1__ON_DISCONNECT__ON_DISCONNECT_UNSPECIFIED) {
		options->on_disconnect =
			WYN__V1__ON_DISCONNECT__ON_DISCONNECT_CANCEL;
	}
}
