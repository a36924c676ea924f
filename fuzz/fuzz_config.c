// SPDX-License-Identifier: MIT
/*
 * fuzz_config.c - any bytes as a configuration file.
 *
 * It is read or refused with a reason, and whatever it was, the next file means
 * what it says: libconfuse has one scanner for the process.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"
#include "daemon/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int text_read(
	const void *bytes, size_t count, struct wyn_settings *settings)
{
	struct wyn_fault fault = {.text = ""};
	char path[32];
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	int error;

	wyn_assert(fd >= 0);
	wyn_assert(write(fd, bytes, count) == (ssize_t)count);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	wyn_settings_init(settings);
	error = wyn_config_read(path, false, settings, &fault);
	wyn_assert(error == 0 || fault.text[0] != '\0');
	(void)close(fd);
	return error;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char good[] = "# a\nmax_tasks = 77\nmodules = \"/m\"\n";
	static struct wyn_settings settings;

	(void)text_read(data, size, &settings);
	wyn_assert(text_read(good, strlen(good), &settings) == 0);
	wyn_assert(settings.limits.daemon_tasks_max == 77);
	wyn_assert(strcmp(settings.modules, "/m") == 0);
	return 0;
}
