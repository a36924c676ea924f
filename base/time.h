// SPDX-License-Identifier: MIT
/*
 * time.h - how many of one unit of time are in another.
 *
 * Constants only: who may read a clock does so in a unit of its own. Any room.
 */
#pragma once

#include <stdint.h>

#define WYN_NS_PER_US UINT64_C(1000)
#define WYN_NS_PER_MS UINT64_C(1000000)
#define WYN_NS_PER_S  UINT64_C(1000000000)
