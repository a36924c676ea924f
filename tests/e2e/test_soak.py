# SPDX-License-Identifier: MIT
"""Mixed load for MINUTES, after which the daemon is as it was in the first.

A tenth of the time is a round: clients of mixed_load.py and one misdeed of
misbehave.py come, work and go, beside a neighbour that makes calls. After each
round nothing may be held, and there must be no descriptor more than before the
first. The first round is the warm-up, with all misdeeds at once; after each
later one RSS must be what it was then, but for GROWTH_BYTES_MAX in all. `make
soak MINUTES=10` is what this is for; CI has a few seconds, in which memory has
not settled and is not compared. SEED repeats all choices, though not what
happens at the same time. `test_soak.py parameters` looks at them and no more.
"""
import contextlib
import os
import random
import re
import select
import subprocess
import sys
import time
import unittest

from harness import PATIENCE, SANITIZED, Program, main, until
from test_faults import MIB, QUARANTINE_BYTES, Case

MINUTES_MAX = 7 * 24 * 60
SEED_MAX = (1 << 32) - 1


def parameter(name, default, form, allowed, says):
    """What the environment gives; if that is wrong, it ends with a line."""
    given = os.environ.get(name) or str(default)
    if not re.fullmatch(form, given, re.ASCII) or not allowed(float(given)):
        print("soak: %s is %s; it must be %s" % (name, ascii(given), says),
              file=sys.stderr)
        sys.exit(os.EX_USAGE)
    return given


MINUTES = float(parameter(
    "MINUTES", 0.05, r"\d+\.?\d*|\.\d+", lambda n: 0 < n <= MINUTES_MAX,
    "a number over 0, up to %d" % MINUTES_MAX))
SEED = int(parameter(
    "SEED", random.randrange(SEED_MAX + 1), r"\d+", lambda n: n <= SEED_MAX,
    "a whole number from 0 to %d" % SEED_MAX))
LONG = MINUTES >= 1
ROUNDS = 10 if LONG else 3
LOADS = 3
CALLS_APART_S = 0.02
# None of it is in use. glibc has 8 arenas for each CPU, of which each keeps up
# to 4 MiB (FREED_BYTES_MAX of daemon/main.c), and what lies between blocks in
# use. A leak of 4 bytes for each task of ten minutes is more.
GROWTH_BYTES_MAX = 32 * MIB * os.cpu_count()
if SANITIZED:
    GROWTH_BYTES_MAX += QUARANTINE_BYTES
MISDEEDS = ("cut", "loris", "sip", "pings", "deaf_pings", "cancel",
            "swallow_small_values", "swallow_large_values",
            "swallow_large_arguments", "swallow_partial_values")


class Soak(Case):
    def round(self, rng, misdeeds, seconds):
        """Programs come, work beside the neighbour, and go."""
        with contextlib.ExitStack() as stack:
            programs = [stack.enter_context(Program(
                "misbehave.py", rng.choice(self.wynd.addresses), misdeed))
                for misdeed in misdeeds]
            programs += [stack.enter_context(Program(
                "mixed_load.py", rng.randrange(1 << 32),
                *self.wynd.addresses)) for _ in range(LOADS)]
            outs = [program.process.stdout for program in programs]
            end = time.monotonic() + seconds
            self.neighbour.took = []
            while time.monotonic() < end:
                self.neighbour.call()
                if select.select(outs, [], [], CALLS_APART_S)[0]:
                    break  # one failed: its end says so
            for program in programs:
                print(program.name, program.end())
        until(self.is_as_before, "nothing of the round is left")

    def test_mixed_load(self):
        rng = random.Random(SEED)
        print("seed %d, %g minutes" % (SEED, MINUTES), flush=True)
        self.start("--credit-tasks", 5000, "--loops", 2)
        sizes = []
        for i in range(ROUNDS):
            self.wynd.forget_peak()
            self.round(rng, MISDEEDS if i == 0 else [rng.choice(MISDEEDS)],
                       MINUTES * 60 / ROUNDS)
            sizes.append(self.wynd.memory())
            now = self.neighbour.counters()
            print("round %d: RSS %.1f MiB, at most %.1f MiB; %d descriptors; "
                  "%d tasks, %d connections so far; neighbour %s" % (
                      i + 1, sizes[-1] / MIB,
                      self.wynd.memory("VmHWM") / MIB, self.fds,
                      now["tasks_accepted"], now["connections_accepted"],
                      self.neighbour.latency()), flush=True)
        if LONG:
            self.assertLess(max(sizes) - sizes[0], GROWTH_BYTES_MAX)


class Parameters(unittest.TestCase):
    def given(self, **parameters):
        return subprocess.run(
            [sys.executable, "-B", __file__, "parameters"],
            env={**os.environ, **parameters}, capture_output=True, text=True,
            timeout=PATIENCE, check=False)

    def test_wrong_ones_end_it_with_a_line(self):
        for name, allowed, wrong in (
                ("MINUTES", "a number over 0, up to 10080",
                 ("abc", "0", "-1", "nan", "inf", "1h", "10081", "1 2", ".",
                  "0.0", "1e1", "9" * 400, "\n")),
                ("SEED", "a whole number from 0 to 4294967295",
                 ("abc", "-1", "1.5", "4294967296", "0x1", "nan", "9" * 400))):
            for given in wrong:
                done = self.given(**{name: given})
                self.assertEqual(done.returncode, os.EX_USAGE, given)
                self.assertEqual(done.stdout, "")
                self.assertEqual(
                    done.stderr, "soak: %s is %s; it must be %s\n" % (
                        name, ascii(given), allowed))

    def test_right_ones_are_taken(self):
        for minutes, seed in (("0.05", ""), ("10080", "0"), (".5", "1"),
                              ("10.", "4294967295"), ("", "7")):
            done = self.given(MINUTES=minutes, SEED=seed)
            self.assertEqual((done.returncode, done.stdout, done.stderr),
                             (0, "", ""))


if __name__ == "__main__":
    if sys.argv[1:] != ["parameters"]:
        main()
