// SPDX-License-Identifier: MIT
/*
 * ledger.c - the file: opened with care, locked, begun anew, and written as
 * memory. ledger_sweep.c has what is done with one that was found.
 *
 * A SIGKILL comes between two instructions, so what was written before it is in
 * the file in the order in which it was written: the compiler is all that could
 * change it.
 */
#include "spawner/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/time.h"
#include "spawner/ledger_file.h"
#include "spawner/lock.h"
#include "spawner/sys.h"

/* A name that another spawner's rename takes from us, while we wait for it. */
#define OPENS_MAX 10u

static size_t bytes_of(uint32_t records)
{
	return sizeof(struct wyn_ledger_file) +
	       records * sizeof(struct wyn_ledger_record);
}

static int read_boot(int proc, char boot[static WYN_LEDGER_BOOT_BYTES])
{
	int fd = wyn_sys.openat(
		proc, "sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		return -errno;
	}
	ssize_t bytes = read(fd, boot, WYN_LEDGER_BOOT_BYTES - 1);
	int error = bytes < 0 ? -errno : 0;
	close(fd);
	if (error == 0 && bytes != WYN_LEDGER_BOOT_BYTES - 1) {
		error = -EBADMSG;
	}
	boot[WYN_LEDGER_BOOT_BYTES - 1] = '\0';
	return error;
}

/* Whoever could write in it would have us kill whom he likes. */
static int check_file(const struct stat *about)
{
	return S_ISREG(about->st_mode) && about->st_uid == geteuid() &&
			       (about->st_mode & 077) == 0 &&
			       about->st_nlink <= 1
		       ? 0
		       : -EPERM;
}

/* Returns: 0: it is open, locked and has its name; -ESTALE: it has lost it. */
static int open_once(const char *path, int *ret_fd, size_t *ret_bytes)
{
	struct stat about;
	struct stat named;
	int fd = open(path,
		O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY |
			O_NONBLOCK,
		0600);

	if (fd < 0) {
		return -errno;
	}
	int error = fstat(fd, &about) == 0 ? check_file(&about) : -errno;
	if (error == 0) {
		error = wyn_lock_wait(fd, WYN_LOCK_WAIT_MS);
	}
	if (error == 0) {
		error = fstat(fd, &about) == 0 ? check_file(&about) : -errno;
	}
	if (error == 0 &&
		(lstat(path, &named) != 0 || named.st_ino != about.st_ino ||
			named.st_dev != about.st_dev)) {
		error = -ESTALE;
	}
	if (error != 0) {
		close(fd);
		return error;
	}
	*ret_fd = fd;
	*ret_bytes = (size_t)about.st_size;
	return 0;
}

static int open_file(const char *path, int *ret_fd, size_t *ret_bytes)
{
	int error = -ESTALE;

	for (unsigned i = 0; i < OPENS_MAX && error == -ESTALE; i++) {
		error = open_once(path, ret_fd, ret_bytes);
	}
	return error;
}

static bool is_whole(const struct wyn_ledger_file *file, size_t bytes)
{
	return bytes >= sizeof(*file) && file->magic == WYN_LEDGER_MAGIC &&
	       file->version == WYN_LEDGER_VERSION &&
	       file->records <= WYN_LEDGER_RECORDS_MAX &&
	       bytes == bytes_of(file->records) &&
	       file->boot[WYN_LEDGER_BOOT_BYTES - 1] == '\0' &&
	       strnlen(file->mark.digits, sizeof(file->mark.digits)) ==
		       sizeof(file->mark.digits) - 1;
}

/*
 * What an earlier one has left. Returns: 0; -EBADMSG: it is no ledger; -errno
 * of a sweep.
 */
static int settle(int fd, size_t bytes, int proc, unsigned *ret_killed)
{
	char boot[WYN_LEDGER_BOOT_BYTES];

	*ret_killed = 0;
	if (bytes == 0) {
		return 0;
	}
	int error = read_boot(proc, boot);
	if (error != 0) {
		return error;
	}
	/* A copy: a file that somebody cuts under a mapping is a SIGBUS. */
	size_t room = bytes_of(WYN_LEDGER_RECORDS_MAX);
	struct wyn_ledger_file *file =
		bytes <= room ? wyn_sys.calloc(1, room) : NULL;
	if (file == NULL) {
		return bytes <= room ? -ENOMEM : -EBADMSG;
	}
	ssize_t got = pread(fd, file, bytes, 0);
	if (got < 0) {
		error = -errno;
	} else if ((size_t)got != bytes || !is_whole(file, bytes)) {
		error = -EBADMSG;
	} else if (strcmp(file->boot, boot) == 0) {
		error = wyn_ledger_sweep(file, proc, ret_killed);
	}
	free(file);
	return error;
}

static int set_aside(const char *path)
{
	char bad[PATH_MAX];
	int bytes = snprintf(bad, sizeof(bad), "%s.bad", path);

	if (bytes >= (int)sizeof(bad)) {
		return -ENAMETOOLONG;
	}
	return rename(path, bad) == 0 ? 0 : -errno;
}

/* From a file that is empty, so that all of it is zeroes: the magic comes
 * last. */
static int begin_anew(
	struct wyn_ledger *ledger, const struct wyn_mark *mark, int proc)
{
	char boot[WYN_LEDGER_BOOT_BYTES];
	int error = read_boot(proc, boot);

	if (error != 0) {
		return error;
	}
	ledger->bytes = bytes_of(ledger->records);
	if (ftruncate(ledger->fd, 0) != 0) {
		return -errno;
	}
	/* A page that the disk has no room for is a SIGBUS. */
	error = posix_fallocate(ledger->fd, 0, (off_t)ledger->bytes);
	if (error != 0) {
		return -error;
	}
	void *memory = wyn_sys.mmap(NULL, ledger->bytes, PROT_READ | PROT_WRITE,
		MAP_SHARED, ledger->fd, 0);
	if (memory == MAP_FAILED) {
		return -errno;
	}
	ledger->file = memory;
	ledger->file->version = WYN_LEDGER_VERSION;
	ledger->file->records = ledger->records;
	memcpy(ledger->file->boot, boot, sizeof(boot));
	ledger->file->mark = *mark;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	ledger->file->magic = WYN_LEDGER_MAGIC;
	return 0;
}

void wyn_ledger_none(struct wyn_ledger *ledger)
{
	*ledger = (struct wyn_ledger){.fd = -1};
}

/* The lowest number is on top: few pages of the file are touched. */
static int make_free(struct wyn_ledger *ledger)
{
	ledger->free = wyn_sys.calloc(ledger->records, sizeof(ledger->free[0]));
	if (ledger->free == NULL) {
		return -ENOMEM;
	}
	for (uint32_t i = ledger->records; i-- > 0;) {
		ledger->free[ledger->free_count++] = i;
	}
	return 0;
}

int wyn_ledger_init(struct wyn_ledger *ledger, const char *path,
	uint32_t records, const struct wyn_mark *mark, int proc,
	unsigned *ret_killed)
{
	size_t bytes = 0;
	unsigned killed = 0;

	wyn_assert(records > 0);
	wyn_assert(records <= WYN_LEDGER_RECORDS_MAX);
	wyn_ledger_none(ledger);
	ledger->records = records;
	int error = open_file(path, &ledger->fd, &bytes);
	if (error == 0) {
		error = settle(ledger->fd, bytes, proc, &killed);
	}
	if (error == -EBADMSG) {
		error = set_aside(path);
		close(ledger->fd);
		ledger->fd = -1;
		if (error == 0) {
			error = open_file(path, &ledger->fd, &bytes);
		}
	}
	if (error == 0) {
		error = make_free(ledger);
	}
	if (error == 0) {
		error = begin_anew(ledger, mark, proc);
	}
	if (error != 0) {
		wyn_ledger_fini(ledger);
		return error;
	}
	*ret_killed = killed;
	return 0;
}

void wyn_ledger_fini(struct wyn_ledger *ledger)
{
	if (ledger->file != NULL) {
		munmap(ledger->file, ledger->bytes);
	}
	if (ledger->fd >= 0) {
		close(ledger->fd);
	}
	free(ledger->free);
	wyn_ledger_none(ledger);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * WYN_NS_PER_S + (uint64_t)now.tv_nsec;
}

int wyn_ledger_begin(
	struct wyn_ledger *ledger, uint32_t *ret_record, pid_t **ret_pid)
{
	if (ledger->file == NULL) {
		*ret_record = 0;
		*ret_pid = NULL;
		return 0;
	}
	if (ledger->free_count == 0) {
		return -ENOBUFS;
	}
	uint32_t number = ledger->free[--ledger->free_count];
	struct wyn_ledger_record *record = &ledger->file->record[number];
	record->after_ns = 0;
	record->before_ns = now_ns();
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	*ret_record = number;
	*ret_pid = &record->pid;
	return 0;
}

void wyn_ledger_started(struct wyn_ledger *ledger, uint32_t record)
{
	if (ledger->file != NULL) {
		ledger->file->record[record].after_ns = now_ns();
	}
}

void wyn_ledger_clear(struct wyn_ledger *ledger, uint32_t record)
{
	if (ledger->file == NULL) {
		return;
	}
	wyn_assert(record < ledger->records);
	wyn_assert(ledger->free_count < ledger->records);
	ledger->file->record[record].pid = 0;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	ledger->free[ledger->free_count++] = record;
}
