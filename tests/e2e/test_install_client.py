# SPDX-License-Identifier: MIT
"""libwynclient as `make install` puts it in place, used as a stranger would.

Programs are built by what pkg-config says about it, with the shared and with
the static library, and call a wynd of their own.
"""
import select
import subprocess
import unittest

from harness import PATIENCE, Wynd
from test_install import CC, ROOT, WARNINGS, Page, Tree, functions, run

HEADERS = ("client", "client_async", "client_command", "client_control",
           "client_inspect", "client_kept")

CPLUSPLUS = r"""
#include <wyn/client.h>

#include <cstdio>
#include <string>

int main(int, char **argv)
{
	wyn_client *client = nullptr;
	wyn_client_event event{};
	wyn_client_loss loss{};
	std::string hello = "hello";
	uint64_t seq = 0;

	if (wyn_client_create(nullptr, &client) < 0 ||
		wyn_client_connect(client, argv[1], WYN_CLIENT_FOREVER) < 0 ||
		wyn_client_submit(client, "echo", {hello.data(), hello.size()},
			nullptr, &seq) < 0 ||
		wyn_client_await(client, seq, WYN_CLIENT_FOREVER, &event) < 0) {
		return 1;
	}
	std::string value(static_cast<const char *>(event.value.data),
		event.value.size);
	std::printf("%s\n", value.c_str());
	if (wyn_client_disconnect(client, &loss) < 0 || loss.ran_maybe != 0) {
		return 1;
	}
	wyn_client_destroy(client);
	return 0;
}
"""

# Names that the library has inside, of each room that it is made of.
CLASHES = r"""
#include <stdlib.h>

#include <wyn/client.h>

void wyn_session_pull(void);
void wyn_client_step(void);
void wyn_frame_next(void);
void wyn_codec_decode(void);
void wyn_endpoint_parse(void);
void wyn__v1__frame__init(void);

void wyn_session_pull(void) { abort(); }
void wyn_client_step(void) { abort(); }
void wyn_frame_next(void) { abort(); }
void wyn_codec_decode(void) { abort(); }
void wyn_endpoint_parse(void) { abort(); }
void wyn__v1__frame__init(void) { abort(); }

int main(int argc, char **argv)
{
	struct wyn_client *client;
	uint64_t ns;
	int bad;

	if (argc != 2 || wyn_client_create(NULL, &client) < 0) {
		return 1;
	}
	bad = wyn_client_connect(client, argv[1], WYN_CLIENT_FOREVER) < 0 ||
	      wyn_client_ping(client, WYN_CLIENT_FOREVER, &ns) < 0;
	wyn_client_destroy(client);
	return bad;
}
"""


class InstalledClient(Tree, unittest.TestCase):
    library = "libwynclient"

    def setUp(self):
        # On leaving it must end well, whatever its clients did.
        self.wynd = self.enterContext(
            Wynd("--commands", listen=("unix:@/s", "tcp:127.0.0.1:0")))
        self.address = self.wynd.address("unix")

    def all_declared(self):
        return sorted(
            name for header in HEADERS
            for name, inline in self.declared(header).items() if not inline)

    def test_shared_library_exports_what_the_headers_declare(self):
        listed = run("nm", "-D", "--defined-only",
                     self.libdir + "/libwynclient.so.0").splitlines()
        exported = sorted(line.split()[-1] for line in listed)
        self.assertEqual(
            [name + "@@WYNCLIENT_0" for name in self.all_declared()],
            [name for name in exported if name != "WYNCLIENT_0"])

    def test_static_library_defines_what_the_headers_declare(self):
        listed = run("nm", "-g", "--defined-only",
                     self.libdir + "/libwynclient.a").splitlines()
        defined = sorted(
            line.split()[-1] for line in listed if len(line.split()) == 3)
        # The sanitizer's own mark each global datum.
        self.assertEqual(self.all_declared(), [
            name for name in defined if not name.startswith("__odr_asan")])

    def test_internal_names_do_not_clash_with_the_programs(self):
        source = self.write("clashes.c", CLASHES)
        for shared in (True, False):
            self.run_program(self.build(source, shared), self.address)

    def test_pages_name_what_the_headers_declare(self):
        for header in HEADERS:
            page = Page(header)
            self.assertEqual(self.public(header), page.names)
            path = self.write(header + "_synopsis.c", page.code("SYNOPSIS"))
            # The compiler refuses a prototype unlike the header's.
            run(CC, *WARNINGS, "-fsyntax-only", path,
                *self.pkg_config("--cflags"))
            self.assertEqual(
                page.names, sorted(functions(
                    page.code("SYNOPSIS").replace("#include", "//"))))

    def test_pages_are_found_by_each_function(self):
        self.check_pages(HEADERS)

    def test_examples_of_the_pages_run(self):
        for header in HEADERS:
            source = self.write(header + ".c", Page(header).code("EXAMPLES"))
            self.assertEqual("hello\n", self.run_program(
                self.build(source), self.address))

    def test_example_in_an_event_loop_runs(self):
        lines = ["line %d" % i for i in range(1, 20001)]
        expected = sorted("%d\t%s" % (i, line)
                          for i, line in enumerate(lines, 1))
        path = self.write("lines", "\n".join(lines))
        for shared in (True, False):
            program = self.build(ROOT + "/examples/client_poll.c", shared)
            for kind in ("unix", "tcp"):
                with open(path) as file:
                    output = subprocess.run(
                        [program, self.wynd.address(kind), "echo"],
                        stdin=file, stdout=subprocess.PIPE, text=True,
                        timeout=PATIENCE, check=True, env=dict(
                            self.environment, LD_LIBRARY_PATH=self.libdir))
                self.assertEqual(expected, sorted(
                    output.stdout.splitlines()))

    def test_example_tells_what_was_lost_when_wynd_dies(self):
        program = self.build(ROOT + "/examples/client_poll.c", shared=False)
        wynd = Wynd()
        self.addCleanup(wynd.destroy)
        with subprocess.Popen(
                [program, wynd.address("unix"), "sleep_ms"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True, bufsize=1) as client:
            # An hour, and one that is answered, so that both have arrived.
            client.stdin.write("3600000\nnonsense\n")
            client.stdin.flush()
            self.assertTrue(
                select.select([client.stdout], [], [], PATIENCE)[0])
            self.assertRegex(client.stdout.readline(), "^2\t")
            wynd.process.kill()
            wynd.process.wait(PATIENCE)
            output, errors = client.communicate(timeout=PATIENCE)
        self.assertEqual(1, client.returncode)
        self.assertRegex(output, "^1\tCONNECTION_[A-Z]*: ")
        self.assertIn("1 tasks may have run, 0 did not", errors)

    def test_cplusplus_program_runs(self):
        self.check_cplusplus(
            self.write("program.cpp", CPLUSPLUS), "hello\n", self.address)


if __name__ == "__main__":
    unittest.main()
