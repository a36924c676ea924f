# SPDX-License-Identifier: MIT
#
# phases.py - runs the phases of a plan in rounds, each program within bounds.
#
# Of the runners that have servers, socket_run.py and commands_run.py: which
# bounds, and what one run is, they say themselves.

import os
import shutil
import signal
import subprocess
import sys
import time


def interrupt(*_):
    raise KeyboardInterrupt


def end_by_interrupt():
    """Whatever signal ends us, so that servers are ended first."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)


def run_program(command, cpus, limit_s, environment=None):
    """(output, None) or (None, why). `environment`: beside ours."""
    if shutil.which(command[0]) is None:
        return None, f'{command[0]} is not installed'
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, **(environment or {})},
        preexec_fn=lambda: os.sched_setaffinity(0, cpus))
    try:
        output, errors = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        return None, f'stopped after {limit_s:.0f} s'
    finally:
        if process.poll() is None:
            # The program and what it may have started: its own group.
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    if process.returncode != 0 or not output:
        last = errors.strip().splitlines()[-1:] or ['']
        return None, f'ended with {process.returncode} {last[0]}'.strip()
    return output, None


def run_phase(phase, results, began, bounds_s, run):
    """Puts into `results` what run(cell, limit_s) gives for each cell in each
    round. `bounds_s`: no program begins so long after `began`; what one may
    take."""
    last_s, program_s = bounds_s
    results.update((cell[:3], []) for cell in phase.cells)
    for number in range(phase.rounds):
        # In every other round the other way about, so that nobody always
        # comes after the same.
        for cell in phase.cells if number % 2 == 0 else reversed(phase.cells):
            left = last_s - (time.monotonic() - began)
            ran = results[cell[:3]]
            # Once may be chance; who fails again is let be.
            if left <= 0 or sum('error' in one for one in ran) > 1:
                continue
            ran.append(run(cell, min(program_s, left + 5)))
    print(f'{phase.name} done after {time.monotonic() - began:.0f} s',
          file=sys.stderr, flush=True)
