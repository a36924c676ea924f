# SPDX-License-Identifier: MIT
#
# socket_goals.py - what the socket path is to reach, and whether it did.
#
# Every figure is a ratio of medians over runs that took turns; "best", the same
# ratio of the best runs, decides nothing.

import socket_plan as plan
from layout import MIB
from results import over
from socket_servers import BOUNDS
from verdicts import Verdicts

BUSY_SHARE = 0.5
HELD_BYTES = 8192
IDLE_PERCENT = 0.0
MILLION = 1e6


class Goals(Verdicts):
    def __init__(self, data):
        super().__init__()
        self.data = data

    def ratio(self, number, what, a, b, wanted, most=False, best=max):
        """a over b, each a table, row, program and name of a figure."""
        def of(**how):
            return over(self.data.figure(*a, **how),
                        self.data.figure(*b, **how))
        whole = not any(self.data.error(*one[:3]) for one in (a, b))
        self.add(number, what, of(), wanted, most, whole=whole,
                 best=of(of=best))


def peaks(goals):
    def rate(row, program):
        return ('peak', row, program, 'per_second')
    ours = (plan.OURS, plan.OURS_16)
    for program in ours:
        for peer, wanted in ((plan.REDIS, 1.5), (plan.NATS, 4),
                             (plan.GEARMAN, 200), (plan.GEARMAN_2, 200)):
            goals.ratio(1, f'{plan.PLAIN}, {program} to {peer}',
                        rate(plan.PLAIN, program), rate(plan.PLAIN, peer),
                        wanted)
    for program in ours:
        goals.ratio(1, f'{plan.BATCHED}, {program} to {plan.REDIS}',
                    rate(plan.BATCHED, program), rate(plan.PLAIN, plan.REDIS),
                    3)
        figure = goals.data.figure(*rate(plan.BATCHED, program))
        goals.add(1, f'{plan.BATCHED}, {program}, per second',
                  figure and figure / MILLION, 10, unit=' M')
    for program in ours:
        goals.ratio(3, f'{plan.TCP}, {program} to {plan.REDIS}',
                    rate(plan.TCP, program), rate(plan.TCP, plan.REDIS), 1.2)


def calls(goals):
    for pin in plan.PINS:
        def of(program, name, pin=pin):
            return ('call', pin, program, name)
        for wanted, name in ((2, 'bound'), (1.5, 'goal')):
            goals.ratio(2, f'one at a time, {pin}, median to raw, {name}',
                        of(plan.OURS, 'p50'), of(plan.RAW, 'p50'), wanted,
                        True, min)
        goals.ratio(2, f'one at a time, {pin}, CPU to raw',
                    of(plan.OURS, 'cpu_ns'), of(plan.RAW, 'cpu_ns'), 2, True,
                    min)
        for peer in (plan.GEARMAN, plan.BEANSTALKD):
            for what, name in (('median', 'p50'), ('CPU', 'cpu_ns')):
                goals.ratio(2, f'one at a time, {pin}, {what} to {peer}',
                            of(plan.OURS, name), of(peer, name), 0.5, True,
                            min)
    idle = goals.data.figure('crowd', plan.IDLE, plan.OURS, 'cpu_percent')
    # To the hundredth: the kernel's own interrupts are booked on whom they hit.
    goals.add(2, f'{plan.IDLE}, CPU', None if idle is None else round(idle, 2),
              IDLE_PERCENT, True, ' %')


def payloads(goals):
    """Beside the copy, without a bound."""
    for row in plan.PAYLOADS:
        goals.ratio(3, f'payload {row}, bytes per second to a plain copy',
                    ('payload', row, plan.OURS, 'bytes_per_second'),
                    ('payload', row, plan.RAW, 'bytes_per_second'), None)


def crowds(goals):
    goals.add(4, f'{plan.HELD}, memory each', goals.data.figure(
        'crowd', plan.HELD, plan.OURS, 'bytes_each'), HELD_BYTES, True, ' B')
    goals.add(4, f'{plan.BUSY}, slowest to mean', goals.data.figure(
        'crowd', plan.BUSY, plan.OURS, 'slowest'), BUSY_SHARE)


def greed(goals):
    """What wynd may hold for that connection: arguments (credit-bytes), values
    that it has not read (max-output), frames half come and half read
    (max-buffer)."""
    bound = sum(BOUNDS.values()) / 1024 / MIB
    for row in (plan.BESIDE_GREEDY, plan.BESIDE_SLOW):
        before, peak = (
            goals.data.figure('greedy', row, plan.OURS, f'rss_{when}_bytes',
                              of=of)
            for when, of in (('before', min), ('peak', max)))
        goals.add(5, f'{row}, memory grown by, bound ' + ' + '.join(BOUNDS),
                  None if peak is None else (peak - before) / 1024 / MIB,
                  bound, True, ' MiB')
    goals.ratio(5, f'{plan.BESIDE_GREEDY}, p99 to that alone',
                ('greedy', plan.BESIDE_GREEDY, plan.OURS, 'p99'),
                ('greedy', plan.ALONE, plan.OURS, 'p99'), 2, True, min)


def tails(goals):
    for row in plan.OPEN.values():
        goals.ratio(6, f'open loop, {row}, p99 to raw',
                    ('open', row, plan.OURS, 'p99'),
                    ('open', row, plan.RAW, 'p99'), 3, True, min)


def show(data):
    """Prints the goals and returns them as plain data."""
    goals = Goals(data)
    for part in (peaks, calls, payloads, crowds, greed, tails):
        part(goals)
    goals.list.sort(key=lambda goal: goal['goal'])
    goals.show('Goals: ratios of medians; beside them of the best runs',
               ('best',))
    return goals.list
