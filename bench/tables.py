# SPDX-License-Identifier: MIT
#
# tables.py - statistics of what bench-spawn measured, as tables.
#
# A figure is the median over all samples of all rounds; beside it stand the
# best, the 10th and the 90th percentile. "to ours" is the median of a program
# divided by that of libwyn: above 1 it is slower.

import statistics

import plan

MIB = 1024.0  # KiB


def percentile(samples, percent):
    samples = sorted(samples)
    return samples[min(len(samples) - 1, int(len(samples) * percent / 100))]


def median(samples):
    return statistics.median(samples) if samples else None


class Results:
    """What ran, by table, row and program."""

    def __init__(self, results):
        self.results = results

    def rows(self, table):
        return list(dict.fromkeys(r for t, r, _ in self.results if t == table))

    def programs(self, table, row):
        return [p for t, r, p in self.results if (t, r) == (table, row)]

    def runs(self, table, row, program):
        runs = self.results.get((table, row, program), [])
        return [run for run in runs if 'error' not in run]

    def error(self, table, row, program):
        runs = self.results.get((table, row, program), [])
        return next((run['error'] for run in runs if 'error' in run), None)

    def samples(self, table, row, program, name='warm'):
        """All samples of a series, or one figure of each run."""
        got = []
        for run in self.runs(table, row, program):
            figure = run.get(name, [])
            got += figure if isinstance(figure, list) else [figure]
        return got

    def median(self, table, row, program, name='warm'):
        return median(self.samples(table, row, program, name))

    def best(self, table, row, program):
        return min(self.samples(table, row, program), default=None)

    def grid_best(self):
        medians = [self.median('grid', row, plan.OURS)
                   for row in self.rows('grid')]
        return min((m for m in medians if m), default=None)

    def why_not(self, table, row, program):
        """A line of a table in place of figures."""
        why = self.error(table, row, program) or 'not run'
        return [row, f'{program}: {why}']

    def latency(self, row, program, which):
        return median([run['latency_ns'][which]
                       for run in self.runs('trickle', row, program)])


def ms(ns):
    if ns is None:
        return '-'
    value = ns / 1e6
    return f'{value:,.3f}' if value < 10 else f'{value:,.1f}'


def us(ns):
    return '-' if ns is None else f'{ns / 1e3:,.1f}'


def mib(kib):
    return '-' if kib is None else f'{kib / MIB:,.1f}'


def over(a, b):
    """How many times b fits into a; None if one of them is missing."""
    return a / b if a is not None and b else None


def times(ratio):
    return '-' if ratio is None else f'{ratio:.2f}x'


def print_table(title, head, rows):
    """First two columns to the left, figures to the right."""
    print(f'\n{title}')
    lines = [head] + rows
    widths = [max(len(line[i]) for line in lines if len(line) > i)
              for i in range(len(head))]
    for line in lines:
        cells = [text.ljust(w) if i < 2 else text.rjust(w)
                 for i, (text, w) in enumerate(zip(line, widths))]
        # A row that has no figures holds one long text instead.
        if len(line) == 2 and len(head) > 2:
            cells = [line[0].ljust(widths[0]), line[1]]
        print('  ' + '  '.join(cells).rstrip())


def timing(data, table, title, first='tasks', scale=lambda row, program: 1,
           show=ms):
    """The common table of wall times. scale divides what one sample took."""
    def row_of(row, program):
        by = scale(row, program)
        got = [s / by for s in data.samples(table, row, program)]
        if not got:
            return data.why_not(table, row, program)
        cpu = data.median(table, row, program, 'warm_cpu_ns')
        ours = data.median(table, row, plan.OURS)
        idle = data.median(table, row, program, 'idle')
        once = data.median(table, row, program, 'first')
        ours = ours and ours / scale(row, plan.OURS)
        return [row, program, show(median(got)), show(min(got)),
                show(percentile(got, 10)), show(percentile(got, 90)),
                show(once / by), show(idle and idle / by), show(cpu / by),
                mib(max(data.samples(table, row, program, 'rss_peak_kib'))),
                times(over(median(got), ours)), str(len(got))]
    print_table(title, [first, 'program', 'median', 'best', 'p10', 'p90',
                        'first', 'idle', 'CPU', 'peak MiB', 'to ours',
                        'samples'],
                [row_of(row, program) for row in data.rows(table)
                 for program in data.programs(table, row)])


def show_grid(data):
    rows = []
    for producers in plan.GRID:
        def cell(workers, name='warm', producers=producers):
            row = f'{producers} x {workers}'
            return data.median('grid', row, plan.OURS, name)
        rows.append([str(producers), 'ms'] + [ms(cell(w)) for w in plan.GRID])
        rows.append(['', 'CPU ms'] + [
            ms(cell(w, 'warm_cpu_ns')) for w in plan.GRID])
        rows.append(['', 'best:this'] + [
            times(over(data.grid_best(), cell(w))) for w in plan.GRID])
    print_table('1 M detached tasks of libwyn, producers x workers (median)',
                ['producers', ''] + [f'{w} workers' for w in plan.GRID], rows)


def show_parallel(data):
    rows = []
    for us_ in plan.US:
        one, two = (f'{us_} us, {w} workers' for w in (1, 2))
        for program in data.programs('parallel', one):
            a, b = (data.median('parallel', r, program) for r in (one, two))
            cpu = [ms(data.median('parallel', r, program, 'warm_cpu_ns'))
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
            runs = data.runs('memory', row, program)
            if not runs:
                rows.append(data.why_not('memory', row, program))
                continue
            def get(name, runs=runs):
                return median([run[name] for run in runs])
            rows.append([row, program, f'{runs[0]["n"]:,}',
                         f'{get("bytes_per_task"):,.1f}'] + [
                             mib(get(f'{when}_kib'))
                             for when in ('before', 'pending', 'after')])
    print_table('Memory while workers are stalled (resident, MiB)',
                ['tasks', 'program', 'number', 'bytes each', 'before',
                 'pending', 'after a drain'], rows)


def show_idle(data):
    rows = []
    for table in ('idle', 'trickle'):
        for row in data.rows(table):
            for program in data.programs(table, row):
                cpu = data.median(table, row, program, 'cpu_ns')
                if cpu is None:
                    rows.append(data.why_not(table, row, program))
                    continue
                floor = data.median(table, row, 'futex', 'cpu_ns')
                delays = [us(data.latency(row, program, i))
                          if table == 'trickle' else '-' for i in range(4)]
                rows.append([row, program, us(cpu),
                             times(over(cpu, floor))] + delays)
    print_table('Idleness and wake-up: CPU time of the process, delay from '
                'spawn to start (us)',
                ['case', 'program', 'CPU', 'to futex', 'p10', 'median', 'p90',
                 'worst'], rows)


def fib_n(cells):
    """n by row and program."""
    return {cell[1:3]: int(cell.words[1].split('=')[1])
            for cell in cells if cell.table == 'fib'}


def per_spawn(data, row, program, of):
    """`of`: data.median or data.best."""
    took = of('fib', row, program)
    return took and took / plan.fib_spawns(data.fib_n[row, program])


def show(about, cells, results):
    """Prints all tables and returns what they were made of."""
    data = Results(results)
    data.fib_n = fib_n(cells)
    machine = about['machine']
    print(f'libwyn and its peers, {about["date"]}, commit {about["commit"]}')
    print(f'{machine["cpu"]}, CPUs {machine["cpus_used"]} of '
          f'{machine["cpus"]}, Linux {machine["kernel"]}, load '
          f'{machine["load_before"]:.1f} before and '
          f'{machine["load_after"]:.1f} after')
    versions = ', '.join(f'{name} {v}' for name, v in about['peers'].items())
    print(f'{about["rounds"]} rounds in {about["seconds"]} s, '
          f'{plan.WORKERS} workers; {versions}')
    for name, why in about['missing'].items():
        print(f'MISSING {name}: {why}')
    if about['quick']:
        print('QUICK: few samples; 10 M is left out, as is what costs much')
    timing(data, 'detached',
           'Detached no-op tasks from one outside thread (ms)')
    timing(data, 'value', 'Spawn N and await N values (ms); rayon and oneTBB '
           'have no values')
    timing(data, 'fib', 'Fork-join, fib inside a task (ns per spawn); tokio '
           'and the list would deadlock', 'workers',
           lambda row, program: plan.fib_spawns(data.fib_n[row, program]),
           lambda ns: '-' if ns is None else f'{ns:,.1f}')
    show_parallel(data)
    show_grid(data)
    show_memory(data)
    show_idle(data)
    return data
