#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
#
# commands_run.py - runs commands by wynd and by others in turns, prints tables,
# writes JSON.
#
#	commands_run.py BUILD PROGRAMS
#
# As socket_run.py, whose words and end these are; commands.json is what it
# writes. Needs root, or a cgroup2 that the user may write to, for the rows
# with a cgroup for each command.

import functools
import json
import os
import resource
import shutil
import subprocess
import sys
import time

import commands_plan as plan
import commands_tables
import machine
from commands_servers import Servers, status_kib, tree_cpu_ns
from phases import end_by_interrupt, run_phase, run_program
from results import Results, write_json

QUICK = os.environ.get('QUICK') not in (None, '', '0')
LIMIT_S = 50 if QUICK else 560  # no program begins later
PROGRAM_S = 20 if QUICK else 40  # that any one program may take


def find_programs(programs):
    """Path by name."""
    release = os.path.dirname(os.path.abspath(programs))
    paths = {name: f'{release}/{name}'
             for name in ('wynd', 'wynctl', 'wynd-spawner', 'modules')}
    paths['spawn'] = os.path.abspath(f'{programs}/peers/spawn')
    paths['commands'] = os.path.abspath(f'{programs}/commands')
    for name, program in (('tsp', 'tsp'), ('parallel', 'parallel')):
        paths[name] = shutil.which(program) or program
    return paths


def versions(missing):
    """Of those that Debian's packages bring."""
    found = {}
    for name, command in (('findutils', ['xargs', '--version']),
                          ('parallel', ['parallel', '--version']),
                          ('task-spooler', ['tsp', '-V'])):
        if shutil.which(command[0]) is None:
            missing[name] = 'is not installed'
            continue
        words = subprocess.run(command, capture_output=True, text=True,
                               stdin=subprocess.DEVNULL,
                               check=False).stdout.split()
        found[name] = next((word.strip('v') for word in words
                            if word.strip('v')[:1].isdigit()), '?')
    return found


def children_ns():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1e9 * (usage.ru_utime + usage.ru_stime)


def read_line(output, cell):
    """Times in ns, as the meters print them."""
    got = json.loads(output.splitlines()[-1])
    if got['tasks'] != cell.n or got['ok'] != cell.n:
        return {'error': f'{got["ok"]} of {cell.n} commands ended well'}
    return {'per_second': got['per_second'],
            'bytes_per_second': got['bytes_per_second'],
            **got['latency_ns']}


def run(servers, cpus, cell, limit_s):
    """The figures of one run, or {'error': why}."""
    try:
        server = servers.get(cell.server, cpus)
        words = [word.format(**servers.paths, **server.words)
                 for word in cell.words]
    except (OSError, KeyError) as error:
        return {'error': str(error)}
    server.rest()
    before = children_ns() + tree_cpu_ns(server.pids)
    rss_before = status_kib(server.pids, 'VmRSS')
    began = time.monotonic()
    output, why = run_program(words, cpus, limit_s, server.environment)
    seconds = time.monotonic() - began
    if why:
        return {'error': why}
    try:
        got = {'per_second': cell.n / seconds} \
            if cell.reads == plan.WALL else read_line(output, cell)
    except (ValueError, LookupError, TypeError):
        return {'error': 'printed what cannot be read'}
    spent = children_ns() + tree_cpu_ns(server.pids) - before
    got.update(seconds=seconds, cpu_ns=spent / cell.n)
    if rss_before is not None:
        got.update(rss_before_kib=rss_before,
                   rss_after_kib=status_kib(server.pids, 'VmRSS'),
                   rss_peak_kib=status_kib(server.pids, 'VmHWM'))
    return got


def fill(paths, directory):
    """What cat is to read; it stays in the page cache."""
    paths['file'] = f'{directory}/file'
    for size in plan.SIZE.values():
        subprocess.run([paths['spawn'], 'fill', f'bytes={size}', '--',
                        paths['file']], stdout=subprocess.DEVNULL, check=True)


def measure(paths, cpus, began, missing):
    results = {}
    with Servers(paths, missing) as servers:
        fill(paths, servers.directory)
        for phase in plan.phases(QUICK):
            run_phase(phase, results, began, (LIMIT_S, PROGRAM_S),
                      functools.partial(run, servers, cpus))
    return results


def main():
    began = time.monotonic()
    if len(sys.argv) != 3:
        sys.exit('usage: commands_run.py BUILD PROGRAMS')
    end_by_interrupt()
    directory = os.path.join(sys.argv[1], 'bench')
    os.makedirs(directory, exist_ok=True)
    missing = {}
    about = machine.about(QUICK, versions(missing), missing)
    paths = find_programs(sys.argv[2])
    try:
        results = measure(paths, about['machine']['cpus_used'], began, missing)
    except KeyboardInterrupt:
        sys.exit(130)
    about['machine']['load_after'] = os.getloadavg()[0]
    about['seconds'] = round(time.monotonic() - began)
    reached = commands_tables.show(about, Results(results))
    write_json(os.path.join(directory, 'commands.json'), about, reached,
               results)
    ours = (plan.OURS, plan.RUN, plan.XARGS_OURS)
    if 'cgroup' in paths:
        ours += (plan.CGROUP,)
    sys.exit(1 if any('error' in one for key, runs in results.items()
                      if key[2] in ours for one in runs) else 0)


if __name__ == '__main__':
    main()
