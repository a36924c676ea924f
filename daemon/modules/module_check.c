// SPDX-License-Identifier: MIT
/*
 * module_check.c - see module_check.h.
 *
 * The child writes what is to be printed, or why not, to a pipe, once it has
 * unloaded the module again; so nothing of a module that crashes on its way out
 * looks good. What the module itself prints goes to stderr.
 */
#include "daemon/modules/module_check.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "daemon/modules/catalog.h"
#include "daemon/clock.h"
#include "daemon/limits.h"
#include "daemon/modules/loader.h"
#include "daemon/write.h"

#define DOING		 "check a module"
#define ANSWER_BYTES_MAX ((size_t)1 << 20)

/* How the child ends. */
enum {
	CHILD_GOOD = 0,
	CHILD_REFUSED = 1,
};

static void print_word(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		(void)fputc(iscntrl((unsigned char)*text) ? ' ' : *text, out);
	}
}

static void print_functions(FILE *out, const struct wyn_module_version *version)
{
	for (size_t i = 0; i < version->functions_count; i++) {
		const struct wyn_function_entry *entry = &version->functions[i];

		(void)fprintf(out, "%s", entry->name);
		if (entry->flags & WYN_FUNCTION_SHORT) {
			(void)fputs(" (short)", out);
		}
		if (entry->flags & WYN_FUNCTION_BLOCKING) {
			(void)fputs(" (blocking)", out);
		}
		(void)fputs(": ", out);
		print_word(out, entry->summary);
		(void)fputc('\n', out);
	}
	if (version->functions_count == 0) {
		(void)fprintf(
			out, "%s has no functions\n", version->module->name);
	}
}

/* What the child does: writes into `out`. */
static int child_check(const char *path, FILE *out)
{
	char why[WYN_WHY_BYTES_MAX];
	const struct wyn_module_version *version;
	struct wyn_catalog *catalog;
	struct wyn_loader *loader = NULL;
	int rc = wyn_catalog_create(&catalog);

	if (rc == 0) {
		rc = wyn_loader_create(catalog, &loader);
	}
	if (rc < 0) {
		(void)fprintf(out, "%s", strerror(-rc));
		return CHILD_REFUSED;
	}
	if (wyn_loader_load_file(loader, path, why) < 0) {
		(void)fprintf(out, "%s", why);
		rc = CHILD_REFUSED;
	} else {
		version = wyn_registry_module(wyn_catalog_now(catalog), 0);
		print_functions(out, version);
		rc = CHILD_GOOD;
	}
	wyn_loader_destroy(loader);
	wyn_catalog_destroy(catalog);
	return rc;
}

static void __attribute__((noreturn)) child_run(const char *path, int answer)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);
	int code = CHILD_REFUSED;

	(void)dup2(STDERR_FILENO, STDOUT_FILENO);
	if (out != NULL) {
		code = child_check(path, out);
		(void)fclose(out);
		(void)!wyn_write_all(answer, text, bytes);
	}
	/* Not exit(): what the module left behind to be run then is its own. */
	_exit(code);
}

/* Waits until it can be read. Returns: false when that takes too long. */
static bool is_ready(int fd, uint64_t end_ns)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	uint64_t now_ns;

	while ((now_ns = wyn_clock_ns(CLOCK_MONOTONIC)) < end_ns) {
		if (poll(&ready, 1,
			    (int)((end_ns - now_ns) / WYN_NS_PER_MS) + 1) > 0) {
			return true;
		}
	}
	return false;
}

/* Reads until the child has closed its end. Returns: false when that takes too
 * long. */
static bool answer_read(int fd, uint64_t end_ns, char *text, size_t *ret_bytes)
{
	size_t used = 0;

	for (;;) {
		ssize_t n;

		if (used == ANSWER_BYTES_MAX || !is_ready(fd, end_ns)) {
			return false;
		}
		n = read(fd, text + used, ANSWER_BYTES_MAX - used);
		if (n <= 0) {
			*ret_bytes = used;
			return true;
		}
		used += (size_t)n;
	}
}

/* A module may close what is not its own, and go on. Where a process cannot be
 * polled we trust that it does not. */
static bool child_ended(pid_t child, uint64_t end_ns)
{
	int fd = pidfd_open(child, 0);
	bool ended = fd < 0 || is_ready(fd, end_ns);

	if (fd >= 0) {
		(void)close(fd);
	}
	return ended;
}

static int verdict(const char *path, int status, const char *text, size_t bytes,
	FILE *out, struct wyn_fault *fault)
{
	if (WIFSIGNALED(status)) {
		return wyn_fault_set(fault, -ECANCELED, WYN_EXIT_CONFIGURATION,
			"%.300s: it was killed by signal %d (%s) while it was "
			"loaded",
			path, WTERMSIG(status), strsignal(WTERMSIG(status)));
	}
	if (WEXITSTATUS(status) == CHILD_GOOD && bytes > 0) {
		(void)fwrite(text, 1, bytes, out);
		return 0;
	}
	return wyn_fault_set(fault, -EINVAL, WYN_EXIT_CONFIGURATION,
		"%.300s: %s", path,
		bytes > 0 ? text : "it ended the process while it was loaded");
}

static int parent_wait(const char *path, pid_t child, int fd, char *text,
	FILE *out, struct wyn_fault *fault)
{
	const uint64_t end_ns = wyn_clock_ns(CLOCK_MONOTONIC) +
				WYN_MODULE_CHECK_MS * WYN_NS_PER_MS;
	size_t bytes = 0;
	bool answered = answer_read(fd, end_ns, text, &bytes) &&
			child_ended(child, end_ns);
	int status;

	if (!answered) {
		(void)kill(child, SIGKILL);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
	}
	if (!answered) {
		return wyn_fault_set(fault, -ETIMEDOUT, WYN_EXIT_CONFIGURATION,
			"%.300s: it was not loaded within %d s", path,
			WYN_MODULE_CHECK_MS / 1000);
	}
	text[bytes] = '\0';
	return verdict(path, status, text, bytes, out, fault);
}

int wyn_module_check_file(
	const char *path, FILE *out, struct wyn_fault *ret_fault)
{
	char *text = malloc(ANSWER_BYTES_MAX + 1);
	pid_t child;
	int ends[2];
	int rc;

	if (text == NULL) {
		return wyn_fault_system(ret_fault, -ENOMEM, DOING);
	}
	if (pipe2(ends, O_CLOEXEC) < 0) {
		rc = wyn_fault_system(ret_fault, -errno, DOING);
		goto free_text;
	}
	child = fork();
	if (child == 0) {
		(void)close(ends[0]);
		child_run(path, ends[1]);
	}
	rc = child < 0 ? wyn_fault_system(ret_fault, -errno, DOING) : 0;
	(void)close(ends[1]);
	if (child > 0) {
		rc = parent_wait(path, child, ends[0], text, out, ret_fault);
	}
	(void)close(ends[0]);
free_text:
	free(text);
	return rc;
}
