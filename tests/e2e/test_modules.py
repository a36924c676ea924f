# SPDX-License-Identifier: MIT
"""Modules of others: built here, loaded by wynd, called by a client."""
import hashlib
import os
import select
import shutil
import struct
import subprocess
import tempfile
import time
import unittest

from harness import PATIENCE, WYNCTL, WYND, Wynd, main, refused
from wyn_client import Client
from wynctl_json import rows_of

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
CC = os.environ.get("CC", "cc")
PROGRESS = 7

HEAD = """
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <wyn/module.h>
#define BODY(name) static int name(struct wyn_context *context, \\
	const void *argument, size_t argument_bytes)
#define UNUSED (void)context, (void)argument, (void)argument_bytes
"""

TAIL = """
const struct wyn_module wyn_module = {
	.abi = WYN_MODULE_ABI,
	.size_bytes = sizeof(struct wyn_module),
	.name = "%s",
	.version = "1",
	.functions = functions,
	.functions_count = sizeof(functions) / sizeof(functions[0]),
	%s
};
"""

# Everything that a module may have.
FULL = HEAD + """
static int made;
static int initial;
static int init(char *why, size_t bytes)
{
	(void)why, (void)bytes;
	initial = 40;
	return 0;
}
static void fini(void)
{
	(void)!write(2, "fini was called\\n", 16);
}
static void *create(void)
{
	made++;
	return calloc(1, sizeof(int));
}
static void destroy(void *state)
{
	free(state);
}
BODY(count_up)
{
	int *count = wyn_state(context);
	char text[32];

	(void)argument, (void)argument_bytes;
	*count += 1;
	return wyn_value_set(context, text, (size_t)snprintf(text, sizeof(text),
		"%d %d", initial + made, *count));
}
/* Until there is a file of that name. */
BODY(wait_for)
{
	char path[256];

	snprintf(path, sizeof(path), "%.*s", (int)argument_bytes,
		(const char *)argument);
	(void)wyn_progress(context, 1, 2);
	while (access(path, F_OK) != 0 && !wyn_cancelled(context)) {
		usleep(1000);
	}
	return WYN_STATUS_OK;
}
BODY(pieces)
{
	(void)argument, (void)argument_bytes;
	for (int i = 0; i < 100000; i++) {
		if (wyn_value_append(context, "abcdefghij", 10) != 0) {
			return WYN_STATUS_RESOURCE_EXHAUSTED;
		}
	}
	return WYN_STATUS_OK;
}
BODY(reports)
{
	(void)argument, (void)argument_bytes;
	for (uint64_t i = 1; i <= 5; i++) {
		if (wyn_progress(context, i, 5) != 0) {
			return WYN_STATUS_CANCELLED;
		}
		(void)wyn_emit(context, "x", 1);
	}
	return WYN_STATUS_OK;
}
BODY(deadline)
{
	char text[32];

	(void)argument, (void)argument_bytes;
	return wyn_value_set(context, text, (size_t)snprintf(text, sizeof(text),
		"%llu", (unsigned long long)wyn_deadline_ns(context)));
}
BODY(says)
{
	UNUSED;
	wyn_log(context, WYN_MODULE_LOG_WARNING, "two\\nlines");
	return WYN_STATUS_OK;
}
BODY(calls)
{
	struct wyn_spawned *spawned;
	const void *value;
	size_t bytes;
	int code = wyn_spawn(context, "sha256", argument, argument_bytes,
		&spawned);

	if (code == 0) {
		code = wyn_await(context, spawned, &value, &bytes);
	}
	return code == 0 ? wyn_value_set(context, value, bytes) : code;
}
static const struct wyn_function functions[] = {
	{"count-up", "", count_up, WYN_FUNCTION_SHORT},
	{"wait-for", "", wait_for, WYN_FUNCTION_BLOCKING},
	{"pieces", "", pieces, 0},
	{"reports", "", reports, 0},
	{"deadline", "", deadline, 0},
	{"says", "", says, 0},
	{"calls", "", calls, 0},
};
""" + TAIL % ("full", """
	.init = init, .fini = fini,
	.state_create = create, .state_destroy = destroy,""")

PLAIN = HEAD + """
BODY(%s)
{
	return wyn_value_set(context, argument, argument_bytes);
}
static const struct wyn_function functions[] = {{"%s", "", %s, 0}};
""" + TAIL

# As the first <wyn/module.h> had it.
FIRST_ABI = """
#include <stddef.h>
#include <stdint.h>
#include <string.h>
struct wyn_context;
struct ops {
	uint32_t size_bytes;
	void *(*value_reserve)(struct wyn_context *context, size_t bytes);
};
struct wyn_context {
	const struct ops *ops;
};
struct function {
	const char *name, *summary;
	int (*run)(struct wyn_context *, const void *, size_t);
};
static int first(struct wyn_context *context, const void *argument, size_t n)
{
	memcpy(context->ops->value_reserve(context, n), argument, n);
	return 0;
}
static const struct function functions[] = {
	{"first", "", first}, {"second", "", first}};
__attribute__((visibility("default"))) const struct {
	uint32_t abi, size_bytes;
	const char *name, *version;
	const struct function *functions;
	size_t functions_count;
} wyn_module = {1, 40, "first", "1", functions, 2};
"""


def plain(name, more=""):
    return PLAIN % (name, name, name, name, more)


class Modules(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="wyn-modules-")
        self.addCleanup(shutil.rmtree, self.directory)

    def build(self, name, source, *flags):
        """Returns the path of a module that was built of C text."""
        path = "%s/%s" % (self.directory, name)
        with open(path + ".c", "w") as file:
            file.write(source)
        subprocess.run(
            [CC, "-std=gnu17", "-Wall", "-Wextra", "-Werror", "-O2", "-fPIC",
             "-fvisibility=hidden", "-shared", "-I" + ROOT + "/include",
             *flags, "-o", path + ".so", path + ".c"], check=True)
        os.chmod(path + ".so", 0o644)
        return path + ".so"

    def take(self, *names):
        """Shipped modules too."""
        modules = os.environ["WYND_MODULES"]
        for name in names:
            shutil.copy("%s/%s.so" % (modules, name), self.directory)
            os.chmod("%s/%s.so" % (self.directory, name), 0o644)

    def start(self, *flags):
        return Wynd(*flags, modules=self.directory)

    def client(self, wynd):
        client = Client(wynd.addresses[0])
        self.addCleanup(client.sock.close)
        return client

    def call(self, client, function, *arguments, **options):
        """The values."""
        client.submit(function, [a.encode() for a in arguments], **options)
        results = {}
        while (event := client.next()) is not None:
            if hasattr(event, "code"):
                results[event.seq] = event
        rows = [results[seq] for seq in sorted(results)]
        self.assertEqual([0] * len(arguments), [row.code for row in rows])
        return [row.value for row in rows]


class Calls(Modules):
    def setUp(self):
        super().setUp()
        self.build("full", FULL)

    def test_init_comes_before_calls_and_fini_after_them(self):
        with self.start() as wynd:
            client = self.client(wynd)
            value, = self.call(client, "count-up", "")
            self.assertEqual(b"41 1", value)
            self.assertNotIn("fini", wynd.log())
            client.sock.close()
            wynd.stop()
            self.assertIn("fini was called", wynd.log())

    def test_state_is_kept_from_call_to_call(self):
        with self.start("--workers", 1) as wynd:
            client = self.client(wynd)
            for i in range(1, 10):
                self.assertEqual(b"41 %d" % i,
                                 self.call(client, "count-up", "")[0])

    def test_what_blocks_does_not_occupy_the_workers(self):
        self.take("diag")
        path = self.directory + "/go"
        with self.start("--workers", 1) as wynd:
            waiting = self.client(wynd)
            waiting.submit("wait-for", [path.encode()] * 30)
            # None of them can end, and all have the only worker's seat.
            other = self.client(wynd)
            self.assertEqual([b"x"] * 100,
                             self.call(other, "echo", *["x"] * 100))
            open(path, "w").close()
            waiting.wait(lambda: waiting.answered == 30)

    def test_value_grows_by_pieces(self):
        with self.start() as wynd:
            client = self.client(wynd)
            value, = self.call(client, "pieces", "")
            self.assertEqual(b"abcdefghij" * 100000, value)

    def test_progress_comes_where_it_is_wanted(self):
        with self.start() as wynd:
            client = self.client(wynd)
            self.call(client, "reports", "", stream=True)
            reports = [chunk for kind, chunk in client.others
                       if kind == "chunk" and chunk.stream == PROGRESS]
            self.assertIn(len(reports), range(1, 6))
            self.assertEqual(struct.pack(">QQ", 5, 5), reports[-1].data)
            self.assertEqual(0, reports[-1].offset)
            before = len(client.others)
            self.call(client, "reports", "")
            self.assertEqual(before, len(client.others))

    def test_wynctl_prints_no_progress_among_values(self):
        with self.start() as wynd:
            process = subprocess.run(
                [WYNCTL, "--connect", wynd.addresses[0], "call", "--stream",
                 "reports"], capture_output=True, text=True)
            self.assertEqual((0, ""), (process.returncode, process.stderr))
            self.assertEqual("x\n" * 5, process.stdout[:10])

    def test_wynctl_prints_progress_as_json(self):
        with self.start() as wynd:
            process = subprocess.run(
                [WYNCTL, "--connect", wynd.addresses[0], "call", "--stream",
                 "--json", "reports"], capture_output=True, text=True)
            rows = rows_of("call", process.stdout)
            self.assertIn({"progress": 5, "total": 5}, rows)
            self.assertEqual(5, rows.count({"partial": True, "value": "x"}))

    def test_wynctl_shows_progress_on_a_terminal(self):
        path = self.directory + "/go"
        ours, theirs = os.openpty()
        self.addCleanup(os.close, ours)
        with self.start() as wynd:
            process = subprocess.Popen(
                [WYNCTL, "--connect", wynd.addresses[0], "call", "--stream",
                 "wait-for", path], stdout=subprocess.DEVNULL, stderr=theirs)
            os.close(theirs)
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
            seen = b""
            while b"50% 1/2" not in seen:
                self.assertTrue(
                    select.select([ours], [], [], PATIENCE)[0], seen)
                seen += os.read(ours, 4096)
            open(path, "w").close()
            self.assertEqual(0, process.wait(PATIENCE))

    def test_deadline_is_the_earlier_of_both(self):
        with self.start() as wynd:
            client = self.client(wynd)

            def deadline(**options):
                return int(self.call(client, "deadline", "", **options)[0])

            self.assertEqual(0, deadline())
            before = time.monotonic_ns()
            late = deadline(deadline_ms=100000)
            soon = deadline(deadline_ms=100000, timeout_ms=50000)
            after = time.monotonic_ns()
            second = 10**9
            # libuv's time of a turn is cut to nothing coarser than this.
            self.assertTrue(
                before + 99 * second < late <= after + 100 * second)
            self.assertTrue(
                before + 49 * second < soon <= after + 50 * second)

    def test_log_is_one_line_and_limited(self):
        with self.start() as wynd:
            client = self.client(wynd)
            self.call(client, "says", *[""] * 100)
            lines = [line for line in wynd.log().splitlines()
                     if "module-said" in line]
            self.assertEqual(5, len(lines))
            self.assertIn('warning module-said module=full function=says '
                          'text="two\\x0alines"', lines[0])

    def test_function_calls_that_of_another_module(self):
        self.take("digest")
        with self.start() as wynd:
            client = self.client(wynd)
            self.assertEqual(
                [hashlib.sha256(text.encode()).hexdigest().encode()
                 for text in ("a", "b")],
                self.call(client, "calls", "a", "b"))

    def test_fib_by_nested_calls(self):
        self.take("diag")
        with self.start() as wynd:
            client = self.client(wynd)
            self.assertEqual([b"6765", b"610"],
                             self.call(client, "fib", "20", "15"))


class Loading(Modules):
    def test_module_of_the_first_abi_runs(self):
        self.build("first", FIRST_ABI)
        with self.start() as wynd:
            client = self.client(wynd)
            self.assertEqual([b"abc", b"x"],
                             self.call(client, "second", "abc", "x"))

    def refusals(self, wynd):
        return [line.partition("module-refused ")[2]
                for line in wynd.log().splitlines()
                if "module-refused" in line]

    def test_rest_loads_when_some_are_refused(self):
        self.build("good", plain("good"))
        self.build("duplicate", plain("duplicate").replace(
            '"duplicate", "", dup', '"good", "", dup'))
        self.build("later", plain("later").replace(
            "WYN_MODULE_ABI,", "9,"))
        self.build("unhappy", plain("unhappy", ".init = init,").replace(
            "BODY(unhappy)", """static int init(char *why, size_t bytes)
            {
                snprintf(why, bytes, "no licence\\nhere");
                return 1;
            }
            BODY(unhappy)"""))
        self.build("flags", plain("flags").replace(", 0}", ", 3}"))
        self.build("empty", "int nothing;")
        self.build("missing", plain("missing").replace(
            "return wyn", "extern int nowhere(void); nowhere(); return wyn"))
        path = self.directory + "/writable.so"
        shutil.copy(self.directory + "/good.so", path)
        os.chmod(path, 0o666)
        with open(self.directory + "/text.so", "w") as file:
            file.write("no module" * 1000)
        os.mkdir(self.directory + "/directory.so")
        os.symlink("/nowhere", self.directory + "/dangling.so")
        with self.start() as wynd:
            # It is the other's, whose name comes first.
            self.assertEqual([b"x"], self.call(
                self.client(wynd), "good", "x"))
            text = "\n".join(self.refusals(wynd))
        self.assertEqual(10, text.count("\n") + 1, text)
        for name, why in (
                ("good", "there is a function good already"),
                ("later", "ABI 9, this wynd knows 1 to 2"),
                ("unhappy", "its init failed: no licence here"),
                ("flags", "function flags has flags"),
                ("empty", "no symbol wyn_module"),
                ("missing", "undefined symbol: nowhere"),
                ("writable", "writable by its group or by others"),
                ("text", "invalid ELF header"),
                ("directory", "not a regular file"),
                ("dangling", "No such file")):
            self.assertRegex(text, 'file=%s.so reason="[^\n]*%s' % (
                name, why))

    def test_refused_one_that_cannot_be_unloaded_is_loaded_once(self):
        self.build("stays", "int none;", "-Wl,-z,nodelete")
        with self.start() as wynd:
            client = self.client(wynd)
            self.assertIn("no symbol wyn_module", self.refusals(wynd)[0])
            before = wynd.open_fds()
            for _ in range(3):
                reply = client.call(reload={})
                self.assertIn("cannot be unloaded",
                              reply.reload.changes[0].new_value)
            self.assertEqual(before, wynd.open_fds())

    def test_directory_that_cannot_be_read_is_a_fault(self):
        code, text = refused(modules=self.directory + "/none")
        self.assertEqual(78, code)
        self.assertIn("No such file or directory", text)
        with open(self.directory + "/file", "w"):
            pass
        code, text = refused(modules=self.directory + "/file")
        self.assertEqual(78, code)
        self.assertIn("Not a directory", text)

    def test_module_written_over_in_place_goes_on_as_it_was(self):
        path = self.build("good", plain("good"))
        with self.start() as wynd:
            client = self.client(wynd)
            with open(path, "r+b") as file:
                file.write(bytes(os.path.getsize(path)))
            os.truncate(path, 0)
            self.assertEqual([b"x"] * 1000,
                             self.call(client, "good", *["x"] * 1000))


class Check(Modules):
    def check(self, path, command=("wynd", "--check-module")):
        programs = {"wynd": WYND, "wynctl": os.environ["WYNCTL"]}
        process = subprocess.run(
            [programs[command[0]], *command[1:], path],
            capture_output=True, text=True, timeout=60)
        return process.returncode, process.stdout, process.stderr

    def test_prints_a_line_for_each_function(self):
        path = self.build("full", FULL.replace('"", count', '"a\\nb", count'))
        code, out, err = self.check(path)
        self.assertEqual((0, "fini was called\n"), (code, err))
        self.assertEqual(
            ["count-up (short): a b", "wait-for (blocking): ", "pieces: "],
            out.splitlines()[:3])
        self.assertEqual(7, len(out.splitlines()))

    def test_wynctl_has_wynd_look(self):
        path = self.build("good", plain("good"))
        command = ("wynctl", "module", "check")
        self.assertEqual((0, "good: \n", ""), self.check(path, command))
        code, out, err = self.check(path + "x", command)
        self.assertEqual((78, ""), (code, out))
        self.assertEqual(
            "wynd: %sx: No such file or directory\n" % path, err)
        self.assertEqual(64, self.check(path, ("wynctl", "module", "look"))[0])
        # Text where JSON was asked for would break who reads it.
        code, out, err = self.check(path, (*command, "--json"))
        self.assertEqual((64, ""), (code, out))
        self.assertIn("module check has no --json", err)

    def refused_because(self, path):
        code, out, err = self.check(path)
        self.assertEqual((78, ""), (code, out))
        lines = [line for line in err.splitlines()
                 if line.startswith("wynd: %s: " % path)]
        self.assertEqual(1, len(lines), err)
        return lines[0].partition(path + ": ")[2]

    def with_constructor(self, body):
        return self.build("bad", plain("bad") + """
            static void __attribute__((constructor)) begin(void)
            {
                %s
            }
            """ % body)

    def test_says_why_not(self):
        path = self.build("bad", plain("bad", ".init = init,").replace(
            "BODY(bad)", """static int init(char *why, size_t bytes)
            {
                snprintf(why, bytes, "no licence");
                return 1;
            }
            BODY(bad)"""))
        self.assertEqual("its init failed: no licence",
                         self.refused_because(path))
        with open(path, "w") as file:
            file.write("text")
        self.assertEqual("file too short", self.refused_because(path))
        os.chmod(path, 0o666)
        self.assertIn("writable by its group", self.refused_because(path))
        self.assertEqual("not a regular file",
                         self.refused_because(self.directory))

    def test_survives_a_module_that_crashes(self):
        path = self.with_constructor("abort();")
        self.assertIn("killed by signal 6", self.refused_because(path))
        path = self.with_constructor("_exit(0);")
        self.assertEqual("it ended the process while it was loaded",
                         self.refused_because(path))
        path = self.build("bad", plain("bad", ".fini = abort,"))
        self.assertIn("killed by signal 6", self.refused_because(path))

    def test_gives_up_on_a_module_that_hangs(self):
        path = self.with_constructor("for (;;) pause();")
        self.assertEqual("it was not loaded within 10 s",
                         self.refused_because(path))
        path = self.with_constructor(
            "closefrom(3); for (;;) pause();")
        self.assertEqual("it was not loaded within 10 s",
                         self.refused_because(path))

    def test_believes_no_size_that_is_none(self):
        table = "sizeof(struct wyn_module),"
        path = self.build("bad", plain("bad").replace(table, "65000,"))
        self.assertIn("fewer than a struct wyn_module or than its size_bytes",
                      self.refused_because(path))
        path = self.build("bad", """__attribute__((visibility("default")))
            const short wyn_module = 2;""")
        self.assertIn("symbol wyn_module has 2 bytes",
                      self.refused_because(path))


if __name__ == "__main__":
    main()
