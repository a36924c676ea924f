# SPDX-License-Identifier: MIT
#
# socket_tables.py - prints what bench-socket measured.
#
# A figure is the median over the runs. "to ours" is above 1 where a program is
# slower than the first of wynd's in its row, "to raw" where it is slower than
# the raw sockets.

import socket_plan as plan
from layout import MIB, print_machine, print_table, times, us, why_not
from results import over, percentile

KIB = 1024.0


def count(value):
    return '-' if value is None else f'{value:,.0f}'


def mib(bytes_):
    return '-' if bytes_ is None else f'{bytes_ / KIB / MIB:,.1f}'


def rows_of(data, table, show):
    """A line for each program of each row: what `show` makes of it, given how
    to get at its figures; and a line for what failed."""
    lines = []
    for row in data.rows(table):
        for program in data.programs(table, row):
            runs = data.runs(table, row, program)
            if not runs or data.error(table, row, program):
                lines.append(why_not(data, table, row, program))
            if not runs:
                continue
            def get(name, row=row, program=program, **how):
                return data.figure(table, row, program, name, **how)
            lines.append([row, program, *show(get, row),
                          str(len(runs))])
    return lines


def show_peak(data):
    def show(get, row):
        ours = data.figure('peak', row, plan.OURS, 'per_second')
        return [count(get('per_second')), count(get('per_second', of=max)),
                count(get('per_second', of=lambda got: percentile(got, 10))),
                us(get('cpu_ns')), times(over(ours, get('per_second')))]
    print_table(f'{plan.IN_FLIGHT:,} in flight (beanstalkd 500): tasks per '
                'second; CPU time of both sides per task (us)',
                ['row', 'program', 'median', 'best', 'p10', 'CPU', 'to ours',
                 'runs'], rows_of(data, 'peak', show))


def show_call(data):
    def show(get, row):
        raw = data.figure('call', row, plan.RAW, 'p50')
        raw_cpu = data.figure('call', row, plan.RAW, 'cpu_ns')
        return [us(get('p50')), us(get('p50', of=min)),
                us(get('p50', of=lambda got: percentile(got, 90))),
                us(get('p99')), times(over(get('p50'), raw)),
                us(get('cpu_ns')), times(over(get('cpu_ns'), raw_cpu))]
    print_table('One call at a time, series in turns: the series\' medians '
                '(us); CPU time of both sides per call (us)',
                ['pinning', 'program', 'median', 'best', 'p90', 'p99',
                 'to raw', 'CPU', 'CPU to raw', 'series'],
                rows_of(data, 'call', show))


def show_payload(data):
    def show(get, row):
        raw = data.figure('payload', row, plan.RAW, 'bytes_per_second')
        return [mib(get('bytes_per_second')),
                mib(get('bytes_per_second', of=max)),
                us(get('cpu_ns')), times(over(raw, get('bytes_per_second')))]
    print_table('Payloads: MiB of arguments and values per second; CPU time of '
                'both sides per task (us)',
                ['size', 'program', 'median', 'best', 'CPU', 'to raw', 'runs'],
                rows_of(data, 'payload', show))


def show_crowd(data):
    rows = []
    for row, name, unit, what in (
            (plan.IDLE, 'cpu_percent', ' %', 'CPU over 2 s'),
            (plan.HELD, 'bytes_each', ' B', 'resident memory each'),
            (plan.BUSY, 'slowest', '', 'tasks of the slowest to the mean'),
            (plan.BUSY, 'per_second', '', 'tasks per second')):
        figure = data.figure('crowd', row, plan.OURS, name)
        if figure is None:
            rows.append(why_not(data, 'crowd', row, plan.OURS))
            continue
        rows.append([row, what, f'{figure:,.2f}{unit}'])
    print_table('Many clients', ['clients', 'what', 'figure'], rows)


def show_greedy(data):
    def show(get, _):
        return [us(get('p50')), us(get('p99')), us(get('p99', of=min)),
                us(get('max')), mib(get('greedy_bytes')),
                mib(get('rss_before_bytes')),
                mib(get('rss_peak_bytes', of=max))]
    print_table('A client that ignores its credit and never reads: its '
                'neighbour at 2,000 per second (us); what it sent, and what '
                'wynd had resident before and at most (MiB)',
                ['neighbour', 'program', 'median', 'p99', 'best p99', 'worst',
                 'sent', 'before', 'peak', 'runs'],
                rows_of(data, 'greedy', show))


def show_open(data):
    def show(get, row):
        raw = data.figure('open', row, plan.RAW, 'p99')
        return [count(get('per_second')), us(get('p50')), us(get('p90')),
                us(get('p99')), us(get('p999')), us(get('cpu_ns')),
                times(over(get('p99'), raw))]
    print_table('Open loop at half of wynd\'s peak: latency from the intended '
                'start, CPU time of both sides per task (us)',
                ['over', 'program', 'per second', 'p50', 'p90', 'p99', 'p99.9',
                 'CPU', 'p99 to raw', 'runs'], rows_of(data, 'open', show))


def show(about, data):
    """Prints all tables."""
    print_machine('wynd and its peers', f'arguments of {plan.ARGUMENT} bytes',
                  about)
    if about['quick']:
        print('QUICK: few and short runs')
    for part in (show_peak, show_call, show_payload, show_crowd, show_greedy,
                 show_open):
        part(data)
