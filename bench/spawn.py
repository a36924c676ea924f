#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
#
# spawn.py - runs our pool and its peers in turns, prints tables, writes JSON.
#
#	spawn.py BUILD PROGRAMS
#
# BUILD is the build directory, where BUILD/bench/ gets the peers and
# spawn.json; PROGRAMS holds the programs in C. QUICK=1 in the environment
# means fewer and smaller samples. Everything runs on the same two CPUs. A peer
# that cannot be built or fails is named. Ends with 1 if one of ours fails,
# never because a figure is bad.

import json
import os
import subprocess
import sys
import time

import goals
import machine
import plan
import tables
from results import Results, write_json

QUICK = os.environ.get('QUICK') not in (None, '', '0')
LIMIT_S = 45 if QUICK else 560  # no program begins later, nor a round that
GRACE_S = 5 if QUICK else 25  # would end later; what runs then gets this long
PROGRAM_S = 20 if QUICK else 90  # that any one program may take


def find_programs(programs, peers):
    """Path by name of a binary; those in C are there or make has failed."""
    ours = ('ours', 'ours-shared', 'ours_cost')
    paths = {name: f'{programs}/{name}' for name in ours}
    for name in ('futex', 'mutex'):
        paths[name] = f'{programs}/peers/{name}'
    for name in ('go', 'tokio', 'rayon', 'tbb'):
        if os.path.exists(f'{peers}/{name}'):
            paths[name] = f'{peers}/{name}'
    return paths


def run(command, limit_s=PROGRAM_S):
    """What the program printed, or {'error': why}."""
    try:
        got = subprocess.run(command, capture_output=True, text=True,
                             timeout=limit_s, check=False)
    except subprocess.TimeoutExpired:
        return {'error': f'stopped after {limit_s:.0f} s'}
    if got.returncode != 0:
        last = got.stderr.strip().splitlines()[-1:] or ['']
        return {'error': f'ended with {got.returncode} {last[0]}'.strip()}
    return json.loads(got.stdout)


def rounds(cells, paths, began):
    """Results by cell, a list with one entry per round that it was in."""
    results = {cell[:3]: [] for cell in cells}
    done, spent = 0, {}
    for number in range(max(cell.rounds for cell in cells)):
        now = [cell for cell in cells if number < cell.rounds]
        expected = sum(spent.get(cell[:3], 0) for cell in now)
        if time.monotonic() - began + expected > LIMIT_S:
            break
        # In every other round the other way about, so that nobody always
        # comes after the same.
        for cell in now if number % 2 == 0 else reversed(now):
            at = time.monotonic()
            left = LIMIT_S - (at - began)
            ran = results[cell[:3]]
            if left <= 0 or ran and 'error' in ran[-1]:
                continue
            ran.append(run([paths[cell.binary]] + cell.words,
                           min(PROGRAM_S, left + GRACE_S)))
            spent[cell[:3]] = time.monotonic() - at
        done += 1
        print(f'round {done} done after {time.monotonic() - began:.0f} s',
              file=sys.stderr, flush=True)
    return results, done


def main():
    began = time.monotonic()
    if len(sys.argv) != 3:
        sys.exit('usage: spawn.py BUILD PROGRAMS')
    directory = os.path.join(sys.argv[1], 'bench')
    built, missing = machine.build_peers('spawn',
                                         os.path.join(directory, 'peers'))
    paths = find_programs(sys.argv[2], os.path.join(directory, 'peers'))
    about = machine.about(QUICK, built, missing)
    spins = run([paths['ours'], 'calibrate'])['spins_per_100us'] // 100
    cells = [cell for cell in plan.cells(QUICK, spins) if cell.binary in paths]
    if QUICK:
        # A first build of the peers is not counted.
        began = max(began, time.monotonic() - 10)
    results, done = rounds(cells, paths, began)
    about['rounds'] = done
    about['machine']['load_after'] = os.getloadavg()[0]
    about['seconds'] = round(time.monotonic() - began)
    data = Results(results, plan.divide(cells))
    tables.show(about, data)
    reached = goals.show(data)
    write_json(os.path.join(directory, 'spawn.json'), about, reached, results)
    failed = [key for key, runs in results.items()
              if plan.BINARY.get(key[2], '').startswith('ours')
              and any('error' in one for one in runs)]
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
