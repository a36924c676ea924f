// SPDX-License-Identifier: MIT
/*
 * arguments_operands.h - the last step of reading a command line.
 *
 * For arguments.c. Main's thread.
 */
#pragma once

#include "client/wynctl/arguments.h"

/*
 * wyn_arguments_operands - checks the operands of the command and reads those
 * that are numbers.
 *
 * Returns: 0; -EINVAL, and `why` says what is wrong.
 */
WYN_NODISCARD
int wyn_arguments_operands(
	struct wyn_arguments *arguments, char why[WYN_ARGUMENTS_WHY_BYTES]);
