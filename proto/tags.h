// SPDX-License-Identifier: MIT
/*
 * tags.h - the tags of the fields that are read and written by hand.
 *
 * Private to proto/. They are those of wyn.proto, which the generated code does
 * not offer as constants; tests/proto/test_tags.c holds them against its
 * descriptors. Bodies of Frame have theirs from enum wyn_message_kind.
 */
#pragma once

#include "proto/field.h"

#define WYN_TAG_SUBMIT_FIRST_SEQ WYN_TAG_VARINT(1)
#define WYN_TAG_SUBMIT_FUNCTION	 WYN_TAG_BYTES(2)
#define WYN_TAG_SUBMIT_OPTIONS	 WYN_TAG_BYTES(3)
#define WYN_TAG_SUBMIT_ARGS	 WYN_TAG_BYTES(4)
#define WYN_TAG_SUBMIT_ARG_SIZES WYN_TAG_BYTES(5) /* packed */

#define WYN_TAG_OPTIONS_PRIORITY      WYN_TAG_VARINT(1)
#define WYN_TAG_OPTIONS_TIMEOUT_MS    WYN_TAG_VARINT(2)
#define WYN_TAG_OPTIONS_DEADLINE_MS   WYN_TAG_VARINT(3)
#define WYN_TAG_OPTIONS_STREAM	      WYN_TAG_VARINT(4)
#define WYN_TAG_OPTIONS_ON_DISCONNECT WYN_TAG_VARINT(5)
#define WYN_TAG_OPTIONS_ACCEPT	      WYN_TAG_VARINT(6)
#define WYN_TAG_OPTIONS_QUIET	      WYN_TAG_VARINT(7)

#define WYN_TAG_RESULTS_SEQ	   WYN_TAG_BYTES(1) /* packed */
#define WYN_TAG_RESULTS_CODE	   WYN_TAG_BYTES(2) /* packed */
#define WYN_TAG_RESULTS_VALUE	   WYN_TAG_BYTES(3)
#define WYN_TAG_RESULTS_DETAILS	   WYN_TAG_BYTES(4)
#define WYN_TAG_RESULTS_QUIET_DONE WYN_TAG_VARINT(5)

#define WYN_TAG_DETAIL_INDEX	      WYN_TAG_VARINT(1)
#define WYN_TAG_DETAIL_MESSAGE	      WYN_TAG_BYTES(2)
#define WYN_TAG_DETAIL_REASON	      WYN_TAG_BYTES(3)
#define WYN_TAG_DETAIL_RAN	      WYN_TAG_VARINT(4)
#define WYN_TAG_DETAIL_RETRY_AFTER_MS WYN_TAG_VARINT(5)

#define WYN_TAG_CHUNK_SEQ    WYN_TAG_VARINT(1)
#define WYN_TAG_CHUNK_STREAM WYN_TAG_VARINT(2)
#define WYN_TAG_CHUNK_OFFSET WYN_TAG_VARINT(3)
#define WYN_TAG_CHUNK_EOF    WYN_TAG_VARINT(4)
#define WYN_TAG_CHUNK_DATA   WYN_TAG_BYTES(5)
