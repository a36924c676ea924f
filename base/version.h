// SPDX-License-Identifier: MIT
/*
 * version.h - the version of wynd, its client and its libraries.
 *
 * The only place that names it: the Makefile reads it here too. It says
 * nothing about compatibility; the wire and the module ABI count on their own.
 */
#pragma once

#define WYN_VERSION "0.1.0"
