// SPDX-License-Identifier: MIT
/*
 * main.c - wynd-spawner.
 */
#include <stdlib.h>

int main(void)
{
	return EXIT_FAILURE;
}
