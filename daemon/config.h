// SPDX-License-Identifier: MIT
/*
 * config.h - the configuration file and the files of its .d directory.
 *
 *	max_tasks = 100000
 *	listen = {"unix:/run/wynd/wynd.sock", "tcp:127.0.0.1:7000"}
 *
 * Each key is a setting's (settings.h). A file is read whole and checked key by
 * key; what is wrong names file, line and key. Its .c alone knows libconfuse.
 */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"
#include "daemon/fault.h"
#include "daemon/settings.h"

#define WYN_CONFIG_DEFAULT   "/etc/wynd/wynd.conf"
#define WYN_CONFIG_SUFFIX    ".conf"	  /* of a name in the .d directory */
#define WYN_CONFIG_BYTES_MAX (256u << 10) /* of one file */
#define WYN_CONFIG_FILES_MAX 64u	  /* in the .d directory */

/*
 * wyn_config_read - takes what the file at `path` says, then those of
 * `path`.d/ by name.
 *
 * optional: it need not be there. Thread: boot, aux. Returns: 0; a -errno
 * with the line and exit code 78 (77: may not be read) in *ret_fault; what was
 * taken before stays. Blocks: reads files.
 */
WYN_NODISCARD
int wyn_config_read(const char *path, bool optional,
	struct wyn_settings *settings, struct wyn_fault *ret_fault);
