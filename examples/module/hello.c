// SPDX-License-Identifier: MIT
/*
 * hello.c - a whole module: hello NAME. `make`, then copy it to wynd's modules.
 */
#include <wyn/module.h>

static int hello(struct wyn_context *call, const void *name, size_t bytes)
{
	int code = wyn_value_set(call, "hello ", 6);
	return code ? code : wyn_value_append(call, name, bytes);
}

static const struct wyn_function functions[] = {{"hello", "greets", hello, 0}};
const struct wyn_module wyn_module = {WYN_MODULE_HEAD("hello", "1", functions)};
