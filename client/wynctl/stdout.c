// SPDX-License-Identifier: MIT
/*
 * stdout.c - stdio with its errors collected. main() has SIGPIPE ignored, so a
 * closed pipe is EPIPE here.
 */
#include "client/wynctl/stdout.h"

#include <errno.h>
#include <stdarg.h>

#define BUFFER_BYTES (64u << 10)

static void stdout_failed(struct wyn_stdout *output)
{
	if (output->error == 0) {
		output->error = errno != 0 ? errno : EIO;
	}
}

void wyn_stdout_init(struct wyn_stdout *output, FILE *file)
{
	*output = (struct wyn_stdout){.file = file};
	(void)setvbuf(file, NULL, _IOFBF, BUFFER_BYTES);
}

void wyn_stdout_write(struct wyn_stdout *output, const void *data, size_t size)
{
	if (output->error == 0 && size > 0 &&
		fwrite(data, 1, size, output->file) != size) {
		stdout_failed(output);
	}
}

void wyn_stdout_print(struct wyn_stdout *output, const char *format, ...)
{
	va_list arguments;

	if (output->error != 0) {
		return;
	}
	va_start(arguments, format);
	if (vfprintf(output->file, format, arguments) < 0) {
		stdout_failed(output);
	}
	va_end(arguments);
}

void wyn_stdout_flush(struct wyn_stdout *output)
{
	if (output->error == 0 && fflush(output->file) != 0) {
		stdout_failed(output);
	}
}

int wyn_stdout_end(struct wyn_stdout *output)
{
	wyn_stdout_flush(output);
	return -output->error;
}
