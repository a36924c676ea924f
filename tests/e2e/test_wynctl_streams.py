# SPDX-License-Identifier: MIT
"""wynctl and what its standard streams are: closed, stuck, a terminal."""
import json
import subprocess

from harness import PATIENCE, WYNCTL, Wynd, main
from test_wynctl import FAILED, OK, Case, environment


class Streams(Case):
    @classmethod
    def setUpClass(cls):
        cls.wynd = cls.enterClassContext(Wynd("--keepalive", "1s"))
        cls.address = cls.wynd.address("unix")

    def shell(self, line, **options):
        """Runs a line of sh, in which $W is wynctl with its address."""
        return subprocess.run(
            ["sh", "-c", line.replace("$W", "%s -c %s" % (
                WYNCTL, self.address))],
            env=environment(), capture_output=True, timeout=PATIENCE,
            check=False, **options)

    def stats(self):
        return json.loads(self.ends(self.shell("$W stats --json"), OK))

    # Closed

    def test_no_standard_input(self):
        for command in "map echo", "call echo -":
            done = self.shell("$W %s <&-" % command)
            self.assertEqual(self.ends(done, FAILED, [b"input"]), b"")

    def test_no_standard_input_that_is_wanted(self):
        self.assertEqual(
            self.ends(self.shell("$W call echo x <&-"), OK), b"x\n")

    def test_no_standard_output(self):
        self.ends(self.shell("$W call echo hi >&-"), FAILED,
                  [b"cannot write to standard output"])

    def test_no_standard_error(self):
        for streams in "2>&-", "<&- 2>&-", "<&- >&- 2>&-":
            done = self.shell("$W call ecko hi " + streams)
            self.assertEqual(
                (done.returncode, done.stdout, done.stderr),
                (FAILED, b"", b""))
        self.assertEqual(self.stats()["connections_failed"], 0)


if __name__ == "__main__":
    main()
