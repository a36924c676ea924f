// SPDX-License-Identifier: MIT
/*
 * fake_cgroup.h - a directory of ordinary files that looks like a cgroup: what
 * the kernel would do with them, the test does.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#define WYN_FAKE_CGROUP_BYTES 256u

/* As mkdirat(2) and rmdir: the files of a new cgroup come and go with it. One
 * that is populated, or has others below it, is busy. */
int wyn_fake_cgroup_make(int directory, const char *name, mode_t mode);
int wyn_fake_cgroup_remove(int directory, const char *name);

/* Puts `text` in place of what is in the file. */
void wyn_fake_cgroup_write(int directory, const char *name, const char *text);

/* What was written last, for a file of one line. Returns `text`. */
const char *wyn_fake_cgroup_read(int directory, const char *name,
	char text[static WYN_FAKE_CGROUP_BYTES]);
