// SPDX-License-Identifier: MIT
/*
 * cgroup_file.h - the files of a cgroup: small, of text, read and written
 * whole.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/* What a file that we read whole may have; cgroup.procs is read in pieces. */
#define WYN_CGROUP_FILE_BYTES 4096u

/*
 * wyn_cgroup_file_read - as a string. Returns: 0; -errno; -EMSGSIZE.
 */
WYN_NODISCARD
int wyn_cgroup_file_read(int directory, const char *name,
	char text[static WYN_CGROUP_FILE_BYTES]);

/* wyn_cgroup_file_write - to a file that is there. Returns: 0; -errno. */
WYN_NODISCARD
int wyn_cgroup_file_write(int directory, const char *name, const char *text);

/* wyn_cgroup_file_has_word - in text with spaces and newlines between words. */
bool wyn_cgroup_file_has_word(const char *text, const char *word);

/* wyn_cgroup_file_value - of the line "KEY NUMBER"; 0 where there is none. */
uint64_t wyn_cgroup_file_value(const char *text, const char *key);

/*
 * wyn_cgroup_file_directories - calls with the name of each directory in one,
 * until that returns something else than 0.
 *
 * Returns: that; 0; -errno.
 */
WYN_NODISCARD
int wyn_cgroup_file_directories(int directory,
	int (*each)(int directory, const char *name, void *data), void *data);

/*
 * wyn_cgroup_file_processes - calls with each number in cgroup.procs.
 *
 * Returns: 0; -errno.
 */
WYN_NODISCARD
int wyn_cgroup_file_processes(
	int directory, void (*each)(int pid, void *data), void *data);
