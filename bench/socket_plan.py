# SPDX-License-Identifier: MIT
#
# socket_plan.py - what bench-socket runs: one Cell per program and row.
#
# Phases follow each other; the cells of a phase take turns, round by round.

import collections

# server: whose CPU time is counted, and which {unix}, {port} and {pid} the
# words mean. pin: FREE or APART. reads: how the output is read.
Cell = collections.namedtuple(
    'Cell', 'table row program server words pin reads')
Phase = collections.namedtuple('Phase', 'name rounds cells')

FREE = 'both free'
APART = 'a CPU each'  # servers and workers on one, clients on the other
PINS = (FREE, APART)

OURS = 'wynd'
OURS_16 = 'wynd, 16 connections'
REDIS = 'redis SET'
NATS = 'nats'
GEARMAN = 'gearmand'
GEARMAN_2 = 'gearmand, 2 workers'
BEANSTALKD = 'beanstalkd'
RAW = 'raw'

IN_FLIGHT = 4096
BATCH = 256
ARGUMENT = 16
PLAIN = 'one per frame'
BATCHED = f'batched by {BATCH}'
TCP = 'one per frame, TCP'
PAYLOADS = {'1 KiB': 1 << 10, '64 KiB': 64 << 10, '1 MiB': 1 << 20}
PAYLOAD_BYTES_IN_FLIGHT = 4 << 20
OPEN = {1: '1 connection', 16: '16 connections'}
IDLE = 'idle, one client'
HELD = '10,000 idle clients'
BUSY = '1,000 busy clients'
ALONE = 'a neighbour alone'
BESIDE_GREEDY = 'beside a greedy client of echo'
BESIDE_SLOW = 'beside a greedy client of sleep_ms 1'

# What a caller prints, a line of JSON; what redis-benchmark prints.
JSON, CSV = 'json', 'csv'


def bench(address, **words):
    """`wynctl bench` of echo."""
    command = ['{wynctl}', 'bench', '-c', address, 'echo', '--json']
    for name, value in words.items():
        command += ['--' + name.replace('_', '-'), str(value)]
    return command


def peak_of_ours(row, address, batch, ms, pin=FREE):
    for program, connections in ((OURS, 1), (OURS_16, 16)):
        yield Cell('peak', row, program, 'wynd',
                   bench(address, in_flight=max(IN_FLIGHT, batch * connections),
                         connections=connections, batch=batch, size=ARGUMENT,
                         duration=f'{ms}ms', warmup=f'{ms // 5}ms'), pin, JSON)


def peak_of_redis(row, where, ms):
    # 2,500 per ms is about what it does; the benchmark takes a number alone.
    yield Cell('peak', row, REDIS, 'redis',
               ['redis-benchmark', *where, '-t', 'set', '-d', str(ARGUMENT),
                '-c', '16', '-P', '256', '-n', str(2500 * ms), '--csv'], FREE,
               CSV)


def peak(ms):
    yield from peak_of_ours(PLAIN, 'unix:{unix}', 1, ms)
    yield from peak_of_redis(PLAIN, ['-s', '{unix}'], ms)
    yield from peak_of_ours(BATCHED, 'unix:{unix}', BATCH, ms)
    yield Cell('peak', PLAIN, NATS, 'nats',
               ['{nats}', 'pipe', '{port}', f'ms={ms}',
                f'in_flight={IN_FLIGHT}'], FREE, JSON)
    for program, server in ((GEARMAN, 'gearman1'), (GEARMAN_2, 'gearman2')):
        yield Cell('peak', PLAIN, program, server,
                   ['{gearman}', 'call', '{port}', f'ms={ms}',
                    f'in_flight={IN_FLIGHT}'], FREE, JSON)
    yield Cell('peak', PLAIN, BEANSTALKD, 'beanstalkd',
               ['{beanstalk}', 'call', 'unix:{unix}', f'ms={ms}',
                'in_flight=500'], FREE, JSON)
    yield from peak_of_ours(TCP, 'tcp:127.0.0.1:{port}', 1, ms)
    yield from peak_of_redis(TCP, ['-p', '{port}'], ms)


def call(ms):
    """One at a time; series this short, since what a wake-up across CPUs costs
    on a virtual machine drifts from second to second."""
    for pin in PINS:
        for program, server, words in (
                (RAW, 'raw', ['{pingpong}', 'call', 'unix:{unix}',
                              f'ms={ms}']),
                (OURS, 'wynd', bench('unix:{unix}', in_flight=1, batch=1,
                                     size=ARGUMENT, duration=f'{ms}ms',
                                     warmup='10ms')),
                (REDIS, 'redis', ['{pingpong}', 'set', 'unix:{unix}',
                                  f'ms={ms}']),
                (NATS, 'nats', ['{nats}', 'call', '{port}', f'ms={ms}']),
                (GEARMAN, 'gearman1', ['{gearman}', 'call', '{port}',
                                       f'ms={ms}']),
                (BEANSTALKD, 'beanstalkd', ['{beanstalk}', 'call',
                                            'unix:{unix}', f'ms={ms}'])):
            yield Cell('call', pin, program, server, words, pin, JSON)


def payload(ms):
    for row, size in PAYLOADS.items():
        flight = min(IN_FLIGHT, PAYLOAD_BYTES_IN_FLIGHT // size)
        yield Cell('payload', row, OURS, 'wynd',
                   bench('unix:{unix}', in_flight=flight, size=size, batch=1,
                         duration=f'{ms}ms', warmup=f'{ms // 5}ms'), FREE,
                   JSON)
        yield Cell('payload', row, RAW, 'copy',
                   ['{copy}', 'call', 'unix:{unix}', f'ms={ms}',
                    f'bytes={size}'], FREE, JSON)


def crowd(what, program, server, *words):
    return Cell('crowd', program, OURS, server,
                ['{crowd}', what, '{unix}', '{pid}', *words], FREE, JSON)


def crowds(busy_s):
    # The fresh one is measured before it has served anybody else.
    yield crowd('connections', HELD, 'wynd_fresh', '10000')
    yield crowd('idle', IDLE, 'wynd', '2')
    yield Cell('crowd', BUSY, OURS, 'wynd',
               bench('unix:{unix}', connections=1000, in_flight=IN_FLIGHT,
                     batch=1, size=ARGUMENT, duration=f'{busy_s}s',
                     warmup='500ms'), FREE, JSON)


def neighbours(ms):
    neighbour = bench('unix:{unix}', rate=2000, size=ARGUMENT, batch=1,
                      duration=f'{ms}ms', warmup='0ms')
    yield Cell('greedy', ALONE, OURS, 'wynd_bounded', neighbour, FREE, JSON)
    for row, function in ((BESIDE_GREEDY, 'echo'), (BESIDE_SLOW, 'sleep_ms')):
        yield Cell('greedy', row, OURS, 'wynd_bounded',
                   ['{crowd}', 'greedy', '{unix}', '{pid}', function,
                    *neighbour], FREE, JSON)


def open_loops(ms):
    """At half the rate of `peak`, which has run: {rate_1} and {rate_16}."""
    for connections, row in OPEN.items():
        rate = f'{{rate_{connections}}}'
        yield Cell('open', row, OURS, 'wynd',
                   bench('unix:{unix}', rate=rate, connections=connections,
                         batch=1, size=ARGUMENT, duration=f'{ms}ms',
                         warmup=f'{ms // 10}ms'), FREE, JSON)
        yield Cell('open', row, RAW, 'echo',
                   ['{echo_pace}', 'call', 'unix:{unix}', f'rate={rate}',
                    f'connections={connections}', f'ms={ms}'], FREE, JSON)


def phases(quick):
    return [
        Phase('peak', 2 if quick else 7,
              list(peak(300 if quick else 1000))),
        Phase('call', 8 if quick else 60, list(call(60 if quick else 100))),
        Phase('payload', 2 if quick else 5,
              list(payload(250 if quick else 800))),
        Phase('crowd', 1, list(crowds(5 if quick else 10))),
        Phase('greedy', 3 if quick else 5,
              list(neighbours(600 if quick else 2000))),
        Phase('open', 3 if quick else 5,
              list(open_loops(400 if quick else 2000))),
    ]
