// SPDX-License-Identifier: MIT
/*
 * output.c - stdio with its errors collected. main() has SIGPIPE ignored, so a
 * closed pipe is EPIPE here.
 */
#include "client/wynctl/output.h"

#include <errno.h>
#include <stdarg.h>

#define BUFFER_BYTES (64u << 10)

static void output_failed(struct wyn_output *output)
{
	if (output->error == 0) {
		output->error = errno != 0 ? errno : EIO;
	}
}

void wyn_output_init(struct wyn_output *output, FILE *file)
{
	*output = (struct wyn_output){.file = file};
	(void)setvbuf(file, NULL, _IOFBF, BUFFER_BYTES);
}

void wyn_output_write(struct wyn_output *output, const void *data, size_t size)
{
	if (output->error == 0 && size > 0 &&
		fwrite(data, 1, size, output->file) != size) {
		output_failed(output);
	}
}

void wyn_output_print(struct wyn_output *output, const char *format, ...)
{
	va_list arguments;

	if (output->error != 0) {
		return;
	}
	va_start(arguments, format);
	if (vfprintf(output->file, format, arguments) < 0) {
		output_failed(output);
	}
	va_end(arguments);
}

void wyn_output_flush(struct wyn_output *output)
{
	if (output->error == 0 && fflush(output->file) != 0) {
		output_failed(output);
	}
}

int wyn_output_end(struct wyn_output *output)
{
	wyn_output_flush(output);
	return -output->error;
}
