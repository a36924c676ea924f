// SPDX-License-Identifier: MIT
/*
 * exports.h - what libwyn.so exports: all that its installed headers declare.
 *
 * The Makefile includes it before each file of the shared library, which is
 * compiled with hidden visibility; no file of the room names it.
 */
#pragma once

#pragma GCC visibility push(default)
#include <wyn/combine.h>
#include <wyn/counters.h>
#include <wyn/forkjoin.h>
#include <wyn/future.h>
#include <wyn/job.h>
#include <wyn/pool.h>
#pragma GCC visibility pop
