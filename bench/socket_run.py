#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
#
# socket_run.py - runs wynd and its peers in turns, prints tables, writes JSON.
#
#	socket_run.py BUILD PROGRAMS
#
# BUILD is the build directory, where BUILD/bench/ gets the peers and
# socket.json; PROGRAMS holds the benchmarks in C, with wynd, wynctl and modules
# beside that folder. QUICK=1 in the environment means fewer and shorter runs.
# Everything runs on the same two CPUs. A peer that is missing or fails is named
# in its row. Ends with 1 if one of ours fails, never because a figure is bad.

import csv
import functools
import json
import os
import resource
import shutil
import subprocess
import sys
import time

import machine
import socket_goals
import socket_plan as plan
import socket_tables
from phases import end_by_interrupt, run_phase, run_program
from results import Results, write_json
from socket_servers import Servers, cpu_ns

QUICK = os.environ.get('QUICK') not in (None, '', '0')
LIMIT_S = 50 if QUICK else 560  # no program begins later
PROGRAM_S = 12 if QUICK else 30  # that any one program may take
DESCRIPTORS = 12000
PROGRAMS = ('pingpong', 'copy', 'echo', 'beanstalk')


def find_programs(build, programs):
    """Path by name. What is missing has none, and its rows say so."""
    release = os.path.dirname(os.path.abspath(programs))
    paths = {name: os.path.abspath(f'{programs}/peers/{name}')
             for name in PROGRAMS}
    paths['echo_pace'] = os.path.abspath(f'{programs}/peers/pace')
    paths['wynd'], paths['wynctl'] = f'{release}/wynd', f'{release}/wynctl'
    paths['modules'] = f'{release}/modules'
    paths['crowd'] = os.path.join(machine.ROOT, 'bench/socket_crowd.py')
    for name in ('nats', 'gearman'):
        if os.path.exists(f'{build}/bench/peers/{name}'):
            paths[name] = os.path.abspath(f'{build}/bench/peers/{name}')
    return paths


def versions(missing):
    """Of the servers that Debian's packages bring."""
    found = {}
    for name, command in (('redis', ['redis-server', '--version']),
                          ('nats-server', ['nats-server', '--version']),
                          ('gearmand', ['gearmand', '--version']),
                          ('beanstalkd', ['beanstalkd', '-v'])):
        if shutil.which(command[0]) is None:
            missing[name] = 'is not installed'
            continue
        words = subprocess.run(command, capture_output=True, text=True,
                               check=False).stdout.split()
        found[name] = next((word.removeprefix('v=').strip('v,')
                            for word in words
                            if word.removeprefix('v=').strip('v')[:1]
                            .isdigit()), '?')
    return found


def read_json(text):
    """The keys of `wynctl bench`, which the peers' clients have too, as one
    plain dictionary; times in ns."""
    got = json.loads(text)
    if got.get('missed'):
        return {'error': f'too slow: {got["missed"]} tasks of the open loop '
                'were never sent', 'slow': True}
    for wrong in ('errors', 'unanswered'):
        if got.get(wrong):
            return {'error': f'{wrong}: {got[wrong]} of {got["tasks"]} tasks'}
    if got.get('tasks') != got.get('ok') or got.get('complete') is False:
        return {'error': f'{got["ok"]} of {got["tasks"]} tasks are well'}
    run = {name: value for name, value in got.items()
           if isinstance(value, (int, float))}
    run.update(got.get('latency_ns', {}))
    if 'argument_bytes_per_second' in got:
        run['bytes_per_second'] = (got['argument_bytes_per_second'] +
                                   got['value_bytes_per_second'])
    for side in ('client', 'server') if 'cpu' in got else ():
        times = [got['cpu'][f'{side}_{what}_us'] for what in ('user', 'system')]
        if None not in times:
            run[f'{side}_cpu_ns'] = 1000 * sum(times)
    each = got.get('connection_tasks', {})
    if each.get('mean'):
        run['slowest'] = each['min'] / each['mean']
    return run


def read_csv(text):
    """What redis-benchmark --csv prints: a head, and a row."""
    row = next(csv.DictReader(text.splitlines()))
    return {'per_second': float(row['rps'])}


def no_value(name):
    if name.startswith('rate_'):
        return 'no peak of which this could be half'
    return f'{name} is not built'


def run(servers, cpus, values, cell, limit_s):
    """The figures of one run, or {'error': why}."""
    on = (cpus, cpus) if cell.pin == plan.FREE else (cpus[:1], cpus[-1:])
    try:
        server = servers.get(cell.server, on[0])
        command = [word.format(unix=server.unix, port=server.port,
                               pid=server.pid, **servers.paths, **values)
                   for word in cell.words]
    except OSError as error:
        return {'error': str(error)}
    except KeyError as error:
        return {'error': no_value(error.args[0])}
    server_before = cpu_ns(server.pids)
    client_before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output, why = run_program(command, on[1], limit_s)
    if why:
        return {'error': why}
    try:
        got = read_csv(output) if cell.reads == plan.CSV else read_json(output)
    except (ValueError, LookupError, TypeError, StopIteration):
        return {'error': 'printed what cannot be read'}
    if 'error' in got:
        return got
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    got.setdefault('client_cpu_ns', 1e9 * (
        spent.ru_utime + spent.ru_stime -
        client_before.ru_utime - client_before.ru_stime))
    got.setdefault('server_cpu_ns', cpu_ns(server.pids) - server_before)
    if cell.reads == plan.CSV:
        got['tasks'] = int(command[command.index('-n') + 1])
    calls = got.get('calls', got.get('tasks'))
    if calls:
        got['cpu_ns'] = (got['client_cpu_ns'] + got['server_cpu_ns']) / calls
    return got


def half_peaks(data):
    """The rates of the open loops."""
    rates = {}
    for connections, program in ((1, plan.OURS), (16, plan.OURS_16)):
        peak = data.figure('peak', plan.PLAIN, program, 'per_second')
        if peak is not None:
            rates[f'rate_{connections}'] = int(peak / 2)
    return rates


def measure(paths, cpus, began):
    results = {}
    with Servers(paths) as servers:
        for phase in plan.phases(QUICK):
            values = half_peaks(Results(results)) \
                if phase.name == 'open' else {}
            run_phase(phase, results, began, (LIMIT_S, PROGRAM_S),
                      functools.partial(run, servers, cpus, values))
    return results


def raise_descriptors():
    """For 10,000 connections; servers and clients inherit it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for most in (max(hard, DESCRIPTORS), hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
            return
        except (OSError, ValueError):
            pass  # only root may have more than he has


def main():
    began = time.monotonic()
    if len(sys.argv) != 3:
        sys.exit('usage: socket_run.py BUILD PROGRAMS')
    end_by_interrupt()
    raise_descriptors()
    directory = os.path.join(sys.argv[1], 'bench')
    built, missing = machine.build_peers('socket',
                                         os.path.join(directory, 'peers'))
    about = machine.about(QUICK, dict(versions(missing), **{
        f'lib{name}': version for name, version in built.items()}), missing)
    paths = find_programs(sys.argv[1], sys.argv[2])
    try:
        results = measure(paths, about['machine']['cpus_used'], began)
    except KeyboardInterrupt:
        sys.exit(130)
    about['machine']['load_after'] = os.getloadavg()[0]
    about['seconds'] = round(time.monotonic() - began)
    data = Results(results)
    socket_tables.show(about, data)
    reached = socket_goals.show(data)
    write_json(os.path.join(directory, 'socket.json'), about, reached, results)
    sys.exit(1 if any('error' in one and 'slow' not in one
                      for key, runs in results.items()
                      if key[2].startswith(plan.OURS) for one in runs) else 0)


if __name__ == '__main__':
    main()
