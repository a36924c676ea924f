# SPDX-License-Identifier: MIT
#
# tables.py - prints what bench-spawn measured.
#
# "to ours" is the median of a program divided by that of libwyn: above 1 it is
# slower.

import plan
from layout import mib, ms, print_machine, print_table, times, us, why_not
from results import over, percentile


def timing(data, table, title, first='tasks', show=ms):
    """The common table of wall times."""
    def row_of(row, program):
        def get(name='warm', **how):
            return data.figure(table, row, program, name, **how)
        median = get()
        if median is None:
            return why_not(data, table, row, program)
        return [row, program, show(median), show(get(of=min)),
                show(get(of=lambda got: percentile(got, 10))),
                show(get(of=lambda got: percentile(got, 90))),
                show(get('first')), show(get('idle')),
                show(get('warm_cpu_ns')),
                mib(max(data.samples(table, row, program, 'rss_peak_kib'))),
                times(over(median, data.figure(table, row, plan.OURS))),
                str(len(data.samples(table, row, program)))]
    print_table(title, [first, 'program', 'median', 'best', 'p10', 'p90',
                        'first', 'idle', 'CPU', 'peak MiB', 'to ours',
                        'samples'],
                [row_of(row, program) for row in data.rows(table)
                 for program in data.programs(table, row)])


def grid_best(data):
    medians = [data.figure('grid', row, plan.OURS) for row in data.rows('grid')]
    return min((m for m in medians if m), default=None)


def show_grid(data):
    rows = []
    for producers in plan.GRID:
        def cell(workers, name='warm', producers=producers):
            row = f'{producers} x {workers}'
            return data.figure('grid', row, plan.OURS, name)
        rows.append([str(producers), 'ms'] + [ms(cell(w)) for w in plan.GRID])
        rows.append(['', 'CPU ms'] + [
            ms(cell(w, 'warm_cpu_ns')) for w in plan.GRID])
        rows.append(['', 'best:this'] + [
            times(over(grid_best(data), cell(w))) for w in plan.GRID])
    print_table('1 M detached tasks of libwyn, producers x workers (median)',
                ['producers', ''] + [f'{w} workers' for w in plan.GRID], rows)


def show_parallel(data):
    rows = []
    for us_ in plan.US:
        one, two = (f'{us_} us, {w} workers' for w in (1, 2))
        for program in data.programs('parallel', one):
            a, b = (data.figure('parallel', r, program) for r in (one, two))
            cpu = [ms(data.figure('parallel', r, program, 'warm_cpu_ns'))
                   for r in (one, two)]
            rows.append([f'{us_} us', program, ms(a), ms(b),
                         times(over(a, b))] + cpu)
    print_table('Parallelism: 200 ms of work in tasks of one size (ms, median)',
                ['work', 'program', '1 worker', '2 workers', 'speed-up',
                 'CPU of 1', 'CPU of 2'], rows)


def show_memory(data):
    rows = []
    for row in data.rows('memory'):
        for program in data.programs('memory', row):
            def get(name, row=row, program=program):
                return data.figure('memory', row, program, name)
            if get('n') is None:
                rows.append(why_not(data, 'memory', row, program))
                continue
            rows.append([row, program, f'{get("n"):,.0f}',
                         f'{get("bytes_per_task"):,.1f}',
                         f'{get("cpu_ns"):,.1f}'] + [
                             mib(get(f'{when}_kib'))
                             for when in ('before', 'pending', 'after')])
    print_table('Memory while workers are stalled (resident, MiB; CPU time of '
                'spawning and running)',
                ['tasks', 'program', 'number', 'bytes each', 'CPU ns each',
                 'before', 'pending', 'after a drain'], rows)


def show_idle(data):
    rows = []
    for table in ('idle', 'trickle', 'alone'):
        for row in data.rows(table):
            for program in data.programs(table, row):
                cpu = data.figure(table, row, program, 'cpu_ns')
                if cpu is None:
                    rows.append(why_not(data, table, row, program))
                    continue
                floor = data.figure(table, row, 'futex', 'cpu_ns')
                wakes = data.figure(table, row, program, 'wakes')
                delays = [us(data.latency(table, row, program, i))
                          if table != 'idle' else '-' for i in range(4)]
                rows.append([row, program, us(cpu), times(over(cpu, floor)),
                             '-' if wakes is None else f'{wakes:.0f}'] + delays)
    print_table('Idleness and wake-up: CPU time of the process, of one try '
                'for a lone task; delay from spawn to start (us)',
                ['case', 'program', 'CPU', 'to futex', 'wakes', 'p10',
                 'median', 'p90', 'worst'], rows)


def show_head(about):
    print_machine('libwyn and its peers',
                  f'{about["rounds"]} rounds, {plan.WORKERS} workers', about)
    if about['quick']:
        print('QUICK: few samples; 10 M is left out, as is what costs much')


def show(about, data):
    """Prints all tables."""
    show_head(about)
    timing(data, 'detached',
           'Detached no-op tasks from one outside thread (ms)')
    timing(data, 'value', 'Spawn N and await N values (ms; first touch, then '
           'warm, libwyn with its reserve of 4 MiB and of 1 GiB); rayon '
           'and oneTBB have no values')
    timing(data, 'fib', 'Fork-join, fib inside a task (ns per spawn); tokio '
           'and the list would deadlock', 'workers',
           lambda ns: '-' if ns is None else f'{ns:,.1f}')
    show_parallel(data)
    show_grid(data)
    show_memory(data)
    show_idle(data)
