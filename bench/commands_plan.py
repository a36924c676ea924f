# SPDX-License-Identifier: MIT
#
# commands_plan.py - what bench-commands runs: one Cell per program and row.
#
# Phases follow each other; the cells of a phase take turns, round by round.

import collections

# server: what must run meanwhile; the words see its {unix}. n: commands of one
# run. reads: LINE, it prints a line of JSON, with times of its own; WALL, all of
# its run is timed.
Cell = collections.namedtuple('Cell', 'table row program server words n reads')
Phase = collections.namedtuple('Phase', 'name rounds cells')
LINE, WALL = 'line', 'wall'

OURS = 'wynd'
CGROUP = 'wynd, a cgroup each'
# The others wait in wynd, as those of the loop do in its own memory: whoever is
# done is followed by the next one without asking the client.
QUEUED = 'wynd, others wait'
QUEUED_CGROUP = 'wynd, others wait, a cgroup each'
WAITING = 16
XARGS_OURS = 'wynctl xargs'
LOOP = 'posix_spawn'
THREADS = 'posix_spawn, threads'
XARGS = 'xargs'
PARALLEL = 'parallel'
TSP = 'task-spooler'
PIPE = 'a plain pipe'
RUN = 'wynctl run'
FORMS = ((OURS, 'wynd'), (CGROUP, 'wynd_cgroup'))  # with their servers
QUEUES = ((QUEUED, 'wynd_two'), (QUEUED_CGROUP, 'wynd_cgroup_two'))
FLIGHTS = {1: '1 in flight', 2: '2 in flight', 4: '4 in flight'}
BOTH = FLIGHTS[2]
CONNECTED = 'one at a time, connected'
LINE_EACH = 'one at a time, a program each'
TRUE = '/bin/true'
KEYS = {'wynd': ['--command-cgroup', 'none'],
        'wynd_cgroup': ['--command-cgroup', '{cgroup}']}
KEYS.update({f'{server}_two': [*keys, '--max-commands', '2']
             for server, keys in list(KEYS.items())})
SIZE = {'1 GiB': 1 << 30}


def spawn(how, n, in_flight, *command):
    return ['{spawn}', how, f'n={n}', f'in_flight={in_flight}', '--', *command]


def commands(n, in_flight):
    return ['{commands}', 'call', 'unix:{unix}', f'n={n}',
            f'in_flight={in_flight}', '--', TRUE]


def wynctl(*words):
    return ['{wynctl}', '-c', 'unix:{unix}', *words]


def fed(n, *command):
    """It reads so many lines. Who prints nothing would count as failed."""
    return ['sh', '-c', f'yes | head -n {n} | "$@" >/dev/null && echo done',
            'sh', *command]


def rate(scale):
    n = int(600 * scale)
    for in_flight, row in FLIGHTS.items():
        for program, how in ((LOOP, 'loop'), (THREADS, 'threads')):
            yield Cell('rate', row, program, None,
                       spawn(how, n, in_flight, TRUE), n, LINE)
        for program, server in FORMS:
            yield Cell('rate', row, program, server, commands(n, in_flight), n,
                       LINE)
    for program, server in QUEUES:
        yield Cell('rate', BOTH, program, server, commands(n, WAITING), n, LINE)
    yield Cell('rate', BOTH, XARGS_OURS, 'wynd',
               fed(n, *wynctl('xargs', '-j', '2', TRUE)), n, WALL)
    yield Cell('rate', BOTH, XARGS, None,
               fed(n, 'xargs', '-P', '2', '-n', '1', TRUE), n, WALL)
    # Its jobs are told to its server by a program each, which here waits for
    # the end as well: so more are done than if they were put in first.
    n = int(250 * scale)
    yield Cell('rate', BOTH, TSP, 'tsp',
               spawn('loop', n, 2, '{tsp}', '-n', '-f', TRUE), n, LINE)
    yield Cell('rate', BOTH, PARALLEL, 'parallel',
               fed(n, 'parallel', '-j', '2', '-u', '-N', '0', TRUE), n, WALL)


def one(scale):
    n = int(100 * scale)
    yield Cell('one', CONNECTED, LOOP, None, spawn('loop', n, 1, TRUE), n, LINE)
    for program, server in FORMS:
        yield Cell('one', CONNECTED, program, server, commands(n, 1), n, LINE)
    n = int(30 * scale)
    for program, server, command in (
            (LOOP, None, [TRUE]),
            (RUN, 'wynd', wynctl('run', '--', TRUE)),
            (TSP, 'tsp', ['{tsp}', '-n', '-f', TRUE])):
        yield Cell('one', LINE_EACH, program, server,
                   spawn('loop', n, 1, *command), n, LINE)
    n = int(5 * scale)
    yield Cell('one', LINE_EACH, PARALLEL, 'parallel',
               spawn('loop', n, 1, '{parallel}', '-u', '-N', '0', TRUE, ':::',
                     '1'), n, LINE)


def cat():
    for row, size in SIZE.items():
        for program, server, command in (
                (PIPE, None, []), (RUN, 'wynd', wynctl('run', '--'))):
            yield Cell('cat', row, program, server,
                       ['{spawn}', 'drain', f'bytes={size}', '--', *command,
                        '/bin/cat', '{file}'], 1, LINE)


def phases(quick):
    return [
        Phase('rate', 3 if quick else 15, list(rate(0.5 if quick else 1.5))),
        Phase('one', 3 if quick else 15, list(one(0.4 if quick else 1))),
        Phase('cat', 2 if quick else 7, list(cat())),
    ]
