# SPDX-License-Identifier: MIT
#
# plan.py - what bench-spawn runs: one Cell per program and row of a table.
#
# Cells of a row stand together, so that the programs of a comparison run one
# after the other in every round. Rows that take long come last, where a busy
# machine runs out of time, and have fewer rounds.

import collections

# program: name in the tables. binary: which of the built programs. rounds: the
# most it gets; only the first ones have all rows.
Cell = collections.namedtuple('Cell', 'table row program binary words rounds')

WORKERS = 2
SIZES = {10_000: '10 K', 100_000: '100 K', 1_000_000: '1 M', 10_000_000: '10 M'}
GRID = (1, 2, 4, 8)
US = (1, 10)  # work per task where parallelism is measured
ALONE = ('a lone task from outside', 'a lone task from inside')

OURS = 'libwyn'
SHARED = 'libwyn shared'
FUTURES = 'libwyn futures'  # fib by spawn and await
KEEPING = 'libwyn, 1 GiB'  # its reserve, so that it gives no memory back
KEEP_MIB = 1024
# The spawner is a task: not what our figures are for, but some peers' best.
TOKIO_INSIDE = 'tokio, inside'
RAYON_INSIDE = 'rayon, inside'
INSIDE = (TOKIO_INSIDE, RAYON_INSIDE)
FORMS = (OURS, SHARED, FUTURES, KEEPING)  # all of libwyn; the rest are peers
POOLS = (OURS, 'go', 'tokio', 'rayon', 'tbb', 'mutex')
DETACHED = (OURS, SHARED, 'go', 'tokio', 'rayon', RAYON_INSIDE, 'tbb', 'mutex')
VALUE = (OURS, KEEPING, 'go', 'tokio', TOKIO_INSIDE, 'mutex')
FIB = (OURS, SHARED, FUTURES, 'go', 'rayon', 'tbb')

BINARY = {OURS: 'ours', KEEPING: 'ours', SHARED: 'ours-shared', FUTURES: 'ours',
          TOKIO_INSIDE: 'tokio', RAYON_INSIDE: 'rayon'}


def binary(program, cost=False):
    name = BINARY.get(program, program)
    return name + '_cost' if cost and program == OURS else name


def inside(program):
    return int(program in INSIDE)


def repeats(n, quick):
    """Samples of a process, so that each size takes a similar time."""
    most = {10_000: 20, 100_000: 10, 1_000_000: 4, 10_000_000: 1}[n]
    return max(1, most // 4) if quick else most


def fib_n(program, quick):
    """Small enough for those that make an object per spawn."""
    if program in (OURS, SHARED, 'rayon'):
        return 27 if quick else 32
    return 22 if quick and program == 'go' else 25


def fib_spawns(n):
    """One spawn for each call with n > 1."""
    a, b = 1, 1
    for _ in range(n):
        a, b = b, a + b
    return a - 1


def divide(plan_cells):
    """By how many spawns the times of a fork-join are divided."""
    return {cell[:3]: fib_spawns(int(cell.words[1].removeprefix('n=')))
            for cell in plan_cells if cell.table == 'fib'}


def timed(table, row, program, work, words, rounds):
    return Cell(table, row, program, binary(program), [work] + words, rounds)


def detached(n, quick, rounds):
    for program in DETACHED:
        pause = 0 if quick and n >= 1_000_000 else 100
        words = [f'n={n}', f'workers={WORKERS}', f'pause_ms={pause}',
                 f'repeats={repeats(n, quick)}', f'inside={inside(program)}']
        yield timed('detached', SIZES[n], program, 'detached', words, rounds)


def value(n, quick, rounds):
    for program in VALUE:
        words = [f'n={n}', f'workers={WORKERS}', f'repeats={repeats(n, quick)}',
                 f'inside={inside(program)}']
        if program == KEEPING:
            words.append(f'keep_mib={KEEP_MIB}')
        yield timed('value', SIZES[n], program, 'value', words, rounds)


def fib(quick, rounds):
    for workers in (1, 2):
        for program in FIB:
            n = fib_n(program, quick)
            words = [f'n={n}', f'workers={workers}',
                     f'repeats={2 if quick else 4}']
            work = 'fib_futures' if program == FUTURES else 'fib'
            yield timed('fib', f'{workers} workers', program, work, words,
                        rounds)


def memory(quick, rounds):
    n = 1_000_000 if quick else 10_000_000
    def cell(row, program, work, *words):
        return Cell('memory', row, program, binary(program, True),
                    [work, f'workers={WORKERS}', *words], rounds)
    yield cell('detached, from outside', OURS, 'memory', f'n={n}')
    yield cell('detached, from inside', OURS, 'memory', f'n={n}', 'inside=1')
    yield cell('futures', OURS, 'futures', 'n=1000000')
    for peer in ('go', 'tokio', 'rayon', 'tbb', 'mutex'):
        # A goroutine is a stack of its own: 10 million would need 26 GB.
        few = 100_000 if peer == 'go' else 1_000_000
        yield cell('detached, from outside', peer, 'memory', f'n={few}')


def idle(quick, rounds):
    programs = (() if quick else POOLS[1:]) + (OURS, 'futex')
    for program in programs:
        yield Cell('idle', 'idle for 1 s', program, binary(program, True),
                   ['idle', f'workers={WORKERS}', 'n=10000'], rounds)
    for program in programs:
        yield Cell('trickle', '1,000 tasks in 1 s', program,
                   binary(program, True),
                   ['trickle', f'workers={WORKERS}', 'rate=1000'], rounds)


def alone(rounds):
    """A spawn after which the spawner calls the pool no more."""
    for inside_, row in enumerate(ALONE):
        yield Cell('alone', row, OURS, binary(OURS, True),
                   ['alone', f'workers={WORKERS}', 'n=50', 'pause_ms=2',
                    f'inside={inside_}'], rounds)


def grid(quick, rounds):
    for producers in GRID:
        for workers in GRID:
            yield timed('grid', f'{producers} x {workers}', OURS, 'detached',
                        ['n=1000000', f'producers={producers}',
                         f'workers={workers}', f'repeats={1 if quick else 4}'],
                        rounds)


def parallel(quick, rounds, spins_per_us):
    programs = (OURS,) if quick else POOLS
    for us in US:
        for program in programs:
            for workers in (1, 2):
                words = [f'n={200_000 // us}', f'spins={spins_per_us * us}',
                         f'workers={workers}', f'repeats={1 if quick else 2}']
                yield timed('parallel', f'{us} us, {workers} workers', program,
                            'detached', words, rounds)


def cells(quick, spins_per_us):
    """The whole plan. Rounds are the most that each cell gets."""
    rounds = 3 if quick else 7
    plan = []
    for n in (10_000, 100_000):
        plan += detached(n, quick, rounds)
        plan += value(n, quick, rounds)
    plan += fib(quick, rounds)
    plan += parallel(quick, rounds, spins_per_us)
    plan += grid(quick, rounds)
    plan += memory(quick, 1 if quick else 2)
    plan += idle(quick, 1 if quick else 3)
    plan += alone(1 if quick else 3)
    plan += detached(1_000_000, quick, rounds)
    plan += value(1_000_000, quick, rounds)
    if not quick:
        plan += detached(10_000_000, quick, 3)
        plan += value(10_000_000, quick, 3)
    return plan
