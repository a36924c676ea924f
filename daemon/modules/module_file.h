// SPDX-License-Identifier: MIT
/*
 * module_file.h - the file of a task module: read, checked, copied, opened.
 *
 * What is opened is a sealed copy in memory of what was checked, so whoever
 * writes over the file changes nothing that is loaded. Modules run with all
 * rights of the daemon, so only what root or the daemon's own user wrote, and
 * nobody else can change, is taken.
 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "base/compiler.h"
#include "daemon/modules/module.h"

#define WYN_MODULE_FILE_BYTES_MAX (256u << 20)

struct wyn_module_file {
	int fd;		    /* of the copy */
	void *handle;	    /* dlopen's; NULL = not opened */
	struct stat status; /* of the file when it was copied */
};

/*
 * wyn_module_file_read - copies a file of a directory, unless it is the same as
 * `old` (NULL = there is none).
 *
 * Thread: boot, aux. Owns: gives *ret_file, for wyn_module_file_close().
 * Returns: 0; 1 when nothing changed, and old->status is that of the file now;
 * -errno, and *ret_why is one line of text. Blocks: reads a file.
 */
WYN_NODISCARD
int wyn_module_file_read(int directory_fd, const char *name,
	struct wyn_module_file *old, struct wyn_module_file *ret_file,
	char ret_why[WYN_WHY_BYTES_MAX]);

/*
 * wyn_module_file_open - dlopen; its constructors run here.
 *
 * Its dependencies are found as for any library, but not by $ORIGIN. Thread:
 * boot, aux. Returns: 0, and its table; -EINVAL, and *ret_why.
 */
WYN_NODISCARD
int wyn_module_file_open(struct wyn_module_file *file,
	const struct wyn_module **ret_module, char ret_why[WYN_WHY_BYTES_MAX]);

/*
 * wyn_module_file_equal - whether both copies have the same bytes.
 *
 * Thread: boot, aux. Returns: false without memory too. Blocks: no.
 */
bool wyn_module_file_equal(
	const struct wyn_module_file *a, const struct wyn_module_file *b);

/*
 * wyn_module_file_close - dlclose and all.
 *
 * Thread: boot, aux. Returns: false when it is loaded still, whatever
 * dlclose was told, and its descriptor stays open.
 */
bool wyn_module_file_close(struct wyn_module_file *file);
