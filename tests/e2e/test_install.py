# SPDX-License-Identifier: MIT
"""What `make install` puts in place, used as a stranger would use it.

The tree goes into a DESTDIR of its own; programs are built against it by what
pkg-config says about libwyn, with the shared and with the static library.
"""
import glob
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from harness import BUILD_DIR, PATIENCE, SANITIZED, Wynd

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILT = os.path.abspath(BUILD_DIR)
CC = os.environ.get("CC", "gcc")
# Every header of libwyn has a page.
HEADERS = sorted(
    {os.path.basename(path)[:-2]
     for path in glob.glob(ROOT + "/include/wyn/*.h")
     if "/client" not in path} - {"context", "module", "status"})
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
SANITIZE = ["-fsanitize=address,undefined"] if SANITIZED else []

CPLUSPLUS = r"""
#include <wyn/client.h>
#include <wyn/forkjoin.h>
#include <wyn/future.h>
#include <wyn/job.h>
#include <wyn/module.h>
#include <wyn/pool.h>

#include <cstdio>

int main()
{
	wyn_pool *pool = nullptr;
	wyn_future *future = nullptr;
	wyn_value value{};
	wyn_sink sink;
	auto twice = [](void *arg, wyn_value *ret_value) -> int {
		ret_value->u64[0] = 2 * *static_cast<uint64_t *>(arg);
		return 0;
	};
	uint64_t n = 21;

	wyn_sink_init(&sink, [](wyn_sink *) {});
	if (wyn_pool_create(nullptr, &pool) < 0 || wyn_pool_start(pool) < 0 ||
		wyn_pool_spawn(pool, twice, &n, nullptr, &future) < 0 ||
		wyn_future_await(future, &value) < 0) {
		return 1;
	}
	wyn_future_drop(future);
	wyn_pool_destroy(pool);
	std::printf("%d\n", static_cast<int>(value.u64[0]));
	return 0;
}
"""


UNLOAD = r"""
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#include <wyn/pool.h>

#define FIND(name) __typeof__(name) *name##_ = dlsym(library, #name)

static void nothing(void *arg)
{
	(void)arg;
}

/* Unloads the library, and ends, after that, as a thread that spawned. */
static void *use(void *path)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	struct wyn_pool *pool;
	FIND(wyn_pool_create);
	FIND(wyn_pool_start);
	FIND(wyn_pool_spawn_detached);
	FIND(wyn_pool_drain);
	FIND(wyn_pool_destroy);

	if (wyn_pool_create_(NULL, &pool) < 0 || wyn_pool_start_(pool) < 0 ||
		wyn_pool_spawn_detached_(pool, nothing, NULL) < 0 ||
		wyn_pool_drain_(pool, WYN_DEADLINE_NONE) < 0) {
		return NULL;
	}
	wyn_pool_destroy_(pool);
	return dlclose(library) == 0 ? path : NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	void *done = NULL;

	return argc != 2 || pthread_create(&thread, NULL, use, argv[1]) != 0 ||
	       pthread_join(thread, &done) != 0 || done == NULL;
}
"""


def run(*command, **more):
    """Runs it, which must end with 0; returns what it printed."""
    more.setdefault("cwd", ROOT)
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL, text=True, timeout=PATIENCE, **more)
    if done.returncode != 0:
        raise AssertionError("%s ended with %d:\n%s" % (
            " ".join(command), done.returncode, done.stdout))
    return done.stdout


def make(target, destdir):
    """In the tree that is tested; what it holds is not built again."""
    build, variant = os.path.split(BUILT)
    run(os.environ.get("MAKE", "make"), "-s", target, "DESTDIR=" + destdir,
        "BUILD=" + os.path.relpath(build, ROOT), "VARIANT=" + variant)


def functions(text):
    """The functions that C text, after the preprocessor, declares or defines:
    {name: whether it is inline}."""
    before = None
    while text != before:
        before, text = text, re.sub(r"\{[^{}]*\}", ";", text)
    text = re.sub(r"__attribute__\s*\(\(.*?\)\)", "", text)
    found = {}
    for declaration in text.split(";"):
        name = re.search(r"\b(wyn_\w+)\s*\(", declaration)
        if name and not re.search(r"\btypedef\b", declaration):
            found[name.group(1)] = " inline " in declaration
    return found


def fnv(data):
    value = 14695981039346656037
    for byte in data:
        value = ((value ^ byte) * 1099511628211) % 2**64
    return "%016x" % value


class Page:
    """A manual page: the names it is about, and its blocks of code."""

    def __init__(self, header):
        with open("%s/docs/wyn_%s.3.scd" % (ROOT, header)) as file:
            self.text = file.read()
        name = self.text.split("# NAME")[1].split(" - ")[0]
        self.names = sorted(re.findall(r"\bwyn_\w+", name))

    def code(self, section):
        block = self.text.split("\n# " + section)[1].split("```")[1]
        return re.sub(r"\\(.)", r"\1", block)


class Tree:
    """What was installed, for the users of one of its libraries."""
    library = "libwyn"

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.mkdtemp(prefix="wyn-install-")
        cls.addClassCleanup(shutil.rmtree, cls.temporary)
        cls.root = cls.temporary + "/root"
        make("install", cls.root)
        found, = glob.glob(cls.root + "/**/libwyn.pc", recursive=True)
        cls.libdir = os.path.dirname(os.path.dirname(found))
        cls.environment = dict(
            os.environ, PKG_CONFIG_SYSROOT_DIR=cls.root,
            PKG_CONFIG_PATH=os.path.dirname(found))

    def pkg_config(self, *wanted):
        return run("pkg-config", *wanted, self.library,
                   env=self.environment).split()

    def build(self, source, shared=True, compiler=CC, flags=()):
        """Compiles and links a program; returns its path."""
        if shared:
            library = self.pkg_config("--cflags", "--libs")
        else:
            library = [
                "-l:%s.a" % self.library
                if word == "-l" + self.library[3:] else word
                for word in self.pkg_config("--static", "--cflags", "--libs")]
        program = "%s/%s-%s" % (
            self.temporary, os.path.basename(source), self.id())
        run(compiler, *WARNINGS, *SANITIZE, *flags, "-o", program, source,
            *library)
        needed = run("readelf", "-d", program)
        self.assertEqual(shared, "[%s.so.0]" % self.library in needed)
        return program

    def run_program(self, *command):
        return run(*command, env=dict(
            self.environment, LD_LIBRARY_PATH=self.libdir))

    def check_pages(self, headers):
        """Of each function of the headers there is one; returns where."""
        if shutil.which("scdoc") is None:
            self.skipTest("scdoc is not installed")
        man, = glob.glob(self.root + "/**/share/man", recursive=True)
        for header in headers:
            for name in Page(header).names:
                self.assertTrue(os.path.samefile(
                    "%s/man3/%s.3" % (man, name),
                    "%s/man3/wyn_%s.3" % (man, header)))
        return man

    def check_cplusplus(self, source, expected, *args):
        # Sanitizers of two compilers do not link.
        wanted = ["g++"] if SANITIZED else ["g++", "clang++"]
        compilers = [name for name in wanted if shutil.which(name)]
        if not compilers:
            self.skipTest("there is none of " + ", ".join(wanted))
        for compiler in compilers:
            for shared in (True, False):
                program = self.build(
                    source, shared, compiler, ["-std=c++17"])
                self.assertEqual(expected, self.run_program(program, *args))

    def write(self, name, text):
        path = self.temporary + "/" + name
        with open(path, "w") as file:
            file.write(text)
        return path

    def declared(self, header):
        """The functions that one installed header itself declares."""
        path = self.write(header + "_all.c", "#include <wyn/%s.h>\n" % header)
        text = run(CC, "-E", *self.pkg_config("--cflags"), path)
        own = ""
        for part in re.split(r"^# \d+ ", text, flags=re.M)[1:]:
            mark, _, lines = part.partition("\n")
            if "/wyn/%s.h" % header in mark:
                own += lines
        return functions(own)

    def public(self, header):
        """Those for its users: a name that ends in _ is for our own."""
        return sorted(
            name for name in self.declared(header) if name[-1] != "_")


class Installed(Tree, unittest.TestCase):
    def test_library_exports_what_the_headers_declare(self):
        declared = [
            name for header in HEADERS
            for name, inline in self.declared(header).items() if not inline]
        listed = run("nm", "-D", "--defined-only", self.libdir + "/libwyn.so")
        self.assertIn("wyn_pool_create", declared)
        self.assertEqual(
            sorted(declared),
            sorted(line.split()[-1] for line in listed.splitlines()))

    def test_manual_names_what_the_headers_declare(self):
        names = sum((Page(header).names for header in HEADERS), [])
        public = sum((self.public(header) for header in HEADERS), [])
        self.assertEqual(sorted(public), sorted(names))

    def test_synopsis_agrees_with_the_headers(self):
        for header in HEADERS:
            page = Page(header)
            synopsis = page.code("SYNOPSIS")
            path = self.write(header + "_synopsis.c", synopsis)
            # The compiler refuses a prototype unlike the header's.
            run(CC, *WARNINGS, "-fsyntax-only", path,
                *self.pkg_config("--cflags"))
            shown = functions(re.sub(r"#.*", "", synopsis))
            self.assertEqual(page.names, sorted(shown))

    def test_examples_of_the_manual_run(self):
        expected = {"pool": "1000000\n", "future": "100\n400\n",
                    "job": "285\n", "forkjoin": "500000500000\n",
                    "combine": "42\n", "counters": "1000\n"}
        for header in HEADERS:
            source = self.write(header + ".c", Page(header).code("EXAMPLES"))
            output = self.run_program(self.build(source))
            self.assertEqual(expected[header], output)

    def test_pages_are_found_by_each_function(self):
        man = self.check_pages(HEADERS)
        pages = ["man8/wynd.8", "man1/wynctl.1", "man5/wynd.conf.5"]
        for page in pages + ["man3/" + name for name in os.listdir(
                man + "/man3")]:
            self.assertTrue(os.path.isfile(man + "/" + page), page)

    def check_examples(self, shared):
        def example(name):
            return self.build("%s/examples/%s.c" % (ROOT, name), shared)

        names = []
        hashes = ""
        for i in range(40):
            content = "x" * (i * 997 % 5000)
            names.append(self.write("file-%d" % i, content))
            hashes += "%s  %s\n" % (fnv(content.encode()), names[-1])
        program = example("file_hash")
        self.assertEqual(hashes, self.run_program(program, *names))
        with self.assertRaisesRegex(
                AssertionError, "ended with 1:\nfile_hash: /none: No such"):
            self.run_program(program, "/none")
        program = example("merge_sort")
        for n in (0, 1, 4097, 300000):
            self.assertEqual(
                "%d numbers sorted\n" % n, self.run_program(program, str(n)))
        self.assertEqual(
            "slow: Connection timed out\n"
            "never: Operation canceled\n"
            "slow: Operation canceled\n"
            "late: dear reader\n"
            "pool: done\n"
            "unread: 1\n", self.run_program(example("timeouts")))

    def test_examples_run_with_the_shared_library(self):
        self.check_examples(shared=True)

    def test_examples_run_with_the_static_library(self):
        self.check_examples(shared=False)

    def test_thread_that_spawned_outlives_a_dlclose(self):
        source = self.write("unload.c", UNLOAD)
        program = self.temporary + "/unload"
        run(CC, "-Wall", "-Wextra", "-Werror", *SANITIZE, "-o", program,
            source, *self.pkg_config("--cflags"))
        self.run_program(program, self.libdir + "/libwyn.so.0")

    def test_cplusplus_program_runs(self):
        self.check_cplusplus(self.write("program.cpp", CPLUSPLUS), "42\n")


class Module(Tree, unittest.TestCase):
    """A module's author has headers, a pkg-config file, a page and two
    programs."""

    def setUp(self):
        if SANITIZED:
            self.skipTest("wynd has no sanitizer that a module could miss")

    def build_module(self, directory):
        run("make", "-s", "-C", directory, "CC=" + CC, env=self.environment)

    def copy_example(self):
        directory = tempfile.mkdtemp(dir=self.temporary)
        shutil.copytree(ROOT + "/examples/module", directory,
                        dirs_exist_ok=True)
        return directory

    def installed(self, name):
        path, = glob.glob(self.root + "/**/bin/" + name, recursive=True)
        return path

    def check_called(self, path):
        """The installed wynd finds it where modules are installed."""
        modules = run("pkg-config", "--variable=moduledir", "libwyn-module",
                      env=self.environment).strip()
        # Of the root it has been prefixed with, or not, by its age.
        if not modules.startswith(self.root):
            modules = self.root + modules
        self.assertTrue(os.path.exists(modules + "/diag.so"))
        shutil.copy(path, modules)
        os.chmod(modules + "/hello.so", 0o644)
        self.addCleanup(os.unlink, modules + "/hello.so")
        with Wynd(program=self.installed("wynd"), modules=modules) as wynd:
            self.assertEqual("hello world\n", run(
                self.installed("wynctl"), "--connect", wynd.addresses[0],
                "call", "hello", "world"))

    def test_example_is_short(self):
        with open(ROOT + "/examples/module/Makefile") as file:
            self.assertEqual(3, len(file.readlines()))
        with open(ROOT + "/examples/module/hello.c") as file:
            code = file.read().partition("*/\n")[2]
        self.assertLessEqual(
            len([line for line in code.splitlines() if line]), 10)

    def test_example_is_built_checked_and_called(self):
        directory = self.copy_example()
        self.build_module(directory)
        self.assertEqual("hello: greets\n", run(
            self.installed("wynctl"), "module", "check",
            directory + "/hello.so"))
        self.check_called(directory + "/hello.so")

    def test_example_of_the_page_is_called(self):
        directory = self.copy_example()
        with open(directory + "/hello.c", "w") as file:
            file.write(Page("module").code("EXAMPLES"))
        self.build_module(directory)
        self.check_called(directory + "/hello.so")

    def test_page_names_what_the_headers_define(self):
        page = Page("module")
        # In parentheses there, which keeps a macro of wynd's off its name.
        defined = [*self.declared("context"), "wyn_log", "wyn_module"]
        self.assertEqual(sorted(defined), page.names)
        path = self.write("module_synopsis.c", page.code("SYNOPSIS"))
        run(CC, *WARNINGS, "-fsyntax-only", path,
            *self.pkg_config("--cflags"))


class Elsewhere(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="wyn-install-")
        self.addCleanup(shutil.rmtree, self.root)

    def files(self):
        return sorted(
            os.path.relpath(os.path.join(directory, name), self.root)
            for directory, _, names in os.walk(self.root) for name in names)

    def script(self, verb, prefix="/opt/wyn"):
        """Another PREFIX, without building everything again for it."""
        run("scripts/install", verb, env=dict(
            os.environ, B=BUILT, DESTDIR=self.root, PREFIX=prefix,
            LIBDIR=prefix + "/lib64", VERSION="1.2.3", SONAME="libwyn.so.0 libwynclient.so.0"))

    def test_uninstall_leaves_nothing(self):
        make("install", self.root)
        self.assertNotEqual([], self.files())
        make("uninstall", self.root)
        self.assertEqual([], self.files())
        self.assertEqual(
            [], glob.glob(self.root + "/**/*wyn*", recursive=True))

    def test_uninstall_leaves_what_is_not_ours(self):
        self.script("install")
        mine = "opt/wyn/lib64/wynd/modules/mine.so"
        open(self.root + "/" + mine, "w").close()
        self.script("uninstall")
        self.assertEqual([mine], self.files())

    def configuration(self, prefix, path):
        """Installs with that PREFIX; what stands in the file at PATH then."""
        self.script("install", prefix)
        with open(self.root + path) as file:
            return file.read()

    def check_config(self, text):
        path = self.root + "/given.conf"
        with open(path, "w") as file:
            file.write(text)
        return run(BUILT + "/wynd", "--config", path, "--check-config")

    def test_configuration_is_all_comments_and_names_every_key(self):
        text = self.configuration(
            "/opt/wyn", "/opt/wyn/share/doc/wynd/examples/wynd.conf")
        self.assertRegex(text, r"\A(#.*\n|\n)*\Z")
        self.assertFalse(os.path.exists(self.root + "/etc"))
        table = run(BUILT + "/wynd", "--list-settings").splitlines()
        self.assertEqual(
            [line.split("\t")[0] for line in table],
            re.findall(r"^#(\w+) = ", text, re.M))
        # A key that has no default shows the kind of its value.
        said = re.sub(r"^#(\w+ = (?![A-Z]+$))", r"\1", text, flags=re.M)
        settings = [line for line in self.check_config(said).splitlines()
                    if " = " in line]
        self.assertEqual(
            re.sub(r"(?m)^# | #.*$", "", self.check_config("")).splitlines(),
            [re.sub(r"^# | #.*$", "", line) for line in settings])

    def test_configuration_of_an_administrator_stays(self):
        path = "/etc/wynd/wynd.conf"
        shipped = self.configuration("/usr", path)
        self.assertRegex(shipped, r"\A(#.*\n|\n)*\Z")
        with open(self.root + path, "w") as file:
            file.write("# outdated\n")
        self.assertEqual(shipped, self.configuration("/usr", path))
        with open(self.root + path, "w") as file:
            file.write("\tloops = 2\n")
        self.assertEqual("\tloops = 2\n", self.configuration("/usr", path))
        self.script("uninstall", "/usr")
        self.assertEqual([path[1:]], self.files())

    def test_prefix_and_libdir_are_in_what_is_installed(self):
        self.script("install")
        lib = self.root + "/opt/wyn/lib64"
        for name in ("libwyn.so", "libwynclient.so"):
            self.assertEqual(name + ".0", os.readlink(lib + "/" + name))
        with open(lib + "/pkgconfig/libwyn.pc") as file:
            text = file.read()
        for line in ("prefix=/opt/wyn", "libdir=/opt/wyn/lib64",
                     "Version: 1.2.3", "Libs.private: -pthread"):
            self.assertIn(line + "\n", text)
        unit = self.root + "/opt/wyn/lib/systemd/system/wynd.service"
        with open(unit) as file:
            self.assertIn("ExecStart=/opt/wyn/bin/wynd\n", file.read())


if __name__ == "__main__":
    unittest.main()
