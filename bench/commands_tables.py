# SPDX-License-Identifier: MIT
#
# commands_tables.py - prints what bench-commands measured, and its goals.
#
# A figure is the median over the runs. "to loop" is above 1 where a program is
# slower than the bare loop of its row.

import commands_plan as plan
from layout import MIB, mib, print_machine, print_table, times, us
from results import over, percentile
from socket_tables import count, rows_of
from verdicts import Verdicts

LOOP_SHARE = 0.8
PIPE_SHARE = 0.7
GROWN_MIB = 16  # what wynd may have more while a command writes a GiB


def per_second(get):
    """The median, the best, the 10th percentile, the CPU time."""
    return [count(get('per_second')), count(get('per_second', of=max)),
            count(get('per_second', of=lambda got: percentile(got, 10))),
            us(get('cpu_ns'))]


def show_rate(data):
    def show(get, row):
        loop = data.figure('rate', row, plan.LOOP, 'per_second')
        return [*per_second(get), times(over(loop, get('per_second')))]
    print_table('/bin/true, both outputs read: commands per second; CPU time '
                'of all processes per command (us)',
                ['row', 'program', 'median', 'best', 'p10', 'CPU', 'to loop',
                 'runs'], rows_of(data, 'rate', show))


def show_one(data):
    def show(get, row):
        loop = data.figure('one', row, plan.LOOP, 'p50')
        return [us(get('p50')), us(get('p50', of=min)),
                us(get('p50', of=lambda got: percentile(got, 90))),
                us(get('p99')), us(get('cpu_ns')),
                times(over(get('p50'), loop))]
    print_table('/bin/true, from start to its end (us): the runs\' medians; '
                'CPU time of all processes per command (us)',
                ['row', 'program', 'median', 'best', 'p90', 'p99', 'CPU',
                 'to loop', 'runs'], rows_of(data, 'one', show))


def show_cat(data):
    def show(get, row):
        pipe = data.figure('cat', row, plan.PIPE, 'bytes_per_second')
        rate = get('bytes_per_second')
        return ['-' if rate is None else f'{rate / 1024 / MIB:,.0f}',
                us(get('cpu_ns')), times(over(pipe, rate)),
                *(mib(get(f'rss_{when}_kib', of=max))
                  for when in ('before', 'after', 'peak'))]
    print_table('cat of a file in the page cache, each byte checked: MiB per '
                'second; CPU time (us); memory of wynd (MiB, the most of all '
                'runs)',
                ['size', 'program', 'median', 'CPU', 'to pipe', 'before',
                 'after', 'peak', 'runs'], rows_of(data, 'cat', show))


class Goals(Verdicts):
    def __init__(self, data):
        super().__init__()
        self.data = data

    def ratio(self, number, what, a, b, wanted):
        """a over b, each a table, row, program and name of a figure."""
        def of(**how):
            return over(self.data.figure(*a, **how),
                        self.data.figure(*b, **how))
        whole = not any(self.data.error(*one[:3]) for one in (a, b))
        self.add(number, what, of(), wanted, whole=whole, best=of(of=max))


def rates(goals):
    def rate(program, row=plan.BOTH):
        return ('rate', row, program, 'per_second')
    for program, _ in (*plan.QUEUES, *plan.FORMS):
        for peer in (plan.LOOP, plan.THREADS):
            goals.ratio(1, f'{plan.BOTH}, {program} to {peer}', rate(program),
                        rate(peer), LOOP_SHARE)
    for program in (plan.OURS, plan.CGROUP, plan.QUEUED, plan.XARGS_OURS):
        goals.ratio(2, f'{plan.BOTH}, {program} to {plan.XARGS}',
                    rate(program), rate(plan.XARGS), 1)
    for peer in (plan.PARALLEL, plan.TSP):
        goals.ratio(3, f'{plan.BOTH}, {plan.XARGS_OURS} to {peer}',
                    rate(plan.XARGS_OURS), rate(peer), None)


def copies(goals):
    for row in plan.SIZE:
        goals.ratio(4, f'cat, {row}, {plan.RUN} to {plan.PIPE}',
                    ('cat', row, plan.RUN, 'bytes_per_second'),
                    ('cat', row, plan.PIPE, 'bytes_per_second'), PIPE_SHARE)
        before, peak = (
            goals.data.figure('cat', row, plan.RUN, f'rss_{when}_kib', of=of)
            for when, of in (('before', min), ('peak', max)))
        goals.add(4, f'cat, {row}, memory of wynd grown by',
                  peak and (peak - before) / MIB, GROWN_MIB, True, ' MiB')


def show(about, data):
    """Prints all tables and the goals, and returns those as plain data."""
    print_machine('Commands by wynd and by others', plan.TRUE, about)
    if about['quick']:
        print('QUICK: few and short runs')
    for part in (show_rate, show_one, show_cat):
        part(data)
    goals = Goals(data)
    for part in (rates, copies):
        part(goals)
    goals.show('Goals: ratios of medians; beside them of the best runs',
               ('best',))
    return goals.list
