# SPDX-License-Identifier: MIT
"""What shells complete of wynctl: what --help says, in bash, zsh and fish."""
import os
import shutil
import subprocess
import tempfile
import unittest

from harness import BUILD_DIR, PATIENCE, WYNCTL, Wynd, main
from test_wynctl import environment

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
WHERE = ROOT + "/client/wynctl/completion/"


def run(*command, **variables):
    env = environment(**{
        "PATH": os.path.abspath(BUILD_DIR) + ":" + os.environ["PATH"],
        **variables})
    done = subprocess.run(command, capture_output=True, text=True, env=env,
                          timeout=PATIENCE, check=False)
    if done.returncode != 0 or done.stderr:
        raise AssertionError(done)
    return done.stdout


def bash(*words):
    """What Tab offers after these words, the last of which is begun."""
    script = """. %swynctl.bash
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_wynctl
printf '%%s\\n' "${COMPREPLY[@]}"
""" % WHERE
    return script, ["wynctl", *words]


class Completion(unittest.TestCase):
    def of_bash(self, *words, **variables):
        script, words = bash(*words)
        return run("bash", "-c", script, "bash", *words,
                   **variables).split()

    def test_files_are_what_help_says(self):
        run(ROOT + "/scripts/completion", WYNCTL, "--check")

    def test_bash_offers_commands_options_and_words(self):
        self.assertEqual(self.of_bash("li"), ["list"])
        self.assertEqual(self.of_bash("--json", "ex"), ["explain"])
        self.assertEqual(self.of_bash("--js"), ["--json"])
        self.assertIn("--raw", self.of_bash("call", "--"))
        self.assertNotIn("--raw", self.of_bash("map", "--"))
        self.assertEqual(self.of_bash("list", "--state", "r"), ["running"])
        self.assertEqual(self.of_bash("call", "-p", ""),
                         ["low", "normal", "high"])
        self.assertEqual(self.of_bash("module", ""), ["list", "check"])
        self.assertIn("stats", self.of_bash("help", ""))
        # The value of an option is no command.
        self.assertEqual(self.of_bash("-c", "call", "st"), ["stats"])

    def test_bash_offers_functions_of_the_daemon(self):
        with Wynd() as wynd:
            told = self.of_bash("call", "sh",
                                WYN_CONNECT=wynd.address("unix"))
        self.assertEqual(told, ["sha256", "sha512"])
        self.assertEqual(
            self.of_bash("call", "", WYN_CONNECT="unix:/nowhere"), [])

    def test_bash_runs_nothing_that_a_server_says(self):
        """compgen expands its words as the shell does."""
        with tempfile.TemporaryDirectory() as directory:
            mark = directory + "/ran"
            with open(directory + "/wynctl", "w") as program:
                program.write("#!/bin/sh\ncat <<'END'\n"
                              "$(>%s)\n`>%s`\nsha1${HOME}\nsha256 one\nEND\n"
                              % (mark, mark))
            os.chmod(directory + "/wynctl", 0o755)
            told = self.of_bash("call", "sh", PATH="%s:%s" %
                                (directory, os.environ["PATH"]))
            self.assertEqual(told, ["sha256"])
            self.assertFalse(os.path.exists(mark))

    @unittest.skipUnless(shutil.which("fish"), "needs fish")
    def test_fish_offers_commands_options_and_words(self):
        def fish(line, **variables):
            with tempfile.TemporaryDirectory() as home:
                told = run("fish", "--no-config", "-c",
                           "source %swynctl.fish; complete -C %r" %
                           (WHERE, line), HOME=home, **variables)
            return [row.split("\t")[0] for row in told.splitlines()]

        self.assertEqual(fish("wynctl li"), ["list"])
        self.assertIn("--raw", fish("wynctl call --"))
        self.assertNotIn("--raw", fish("wynctl map --"))
        self.assertEqual(fish("wynctl list --state r"), ["running"])
        self.assertIn("list", fish("wynctl module "))
        with Wynd() as wynd:
            self.assertIn("sha256", fish("wynctl call sh",
                                         WYN_CONNECT=wynd.address("unix")))

    @unittest.skipUnless(shutil.which("zsh"), "needs zsh")
    def test_zsh_reads_the_file(self):
        """Its completion runs in its line editor alone: of what `_arguments`
        would be given, the words are looked at."""
        script = """
compadd() { :; }
_describe() { print -l -- ${(P)2} }
_arguments() { print -l -- "$@"; state=$wanted; line=($command) }
source %s_wynctl
""" % WHERE

        def zsh(state, command=""):
            return run("zsh", "-f", "-c", script, wanted=state,
                       command=command)

        self.assertIn("list:list the tasks", zsh("command"))
        self.assertIn("--state[", zsh("operand", "list"))
        self.assertIn("(uploading queued next running output ended)",
                      zsh("operand", "list"))
        self.assertNotIn("--state[", zsh("operand", "call"))


if __name__ == "__main__":
    main()
