// SPDX-License-Identifier: MIT
/*
 * exports.h - what libwynclient exports: all that its installed headers
 * declare.
 *
 * The Makefile includes it before each file of the room, which is compiled
 * with hidden visibility; no file of the room names it.
 */
#pragma once

#pragma GCC visibility push(default)
#include <wyn/client.h>
#pragma GCC visibility pop
