# SPDX-License-Identifier: MIT
#
# layout.py - how figures and tables are printed, by both runners.

MIB = 1024.0  # KiB


def ms(ns):
    if ns is None:
        return '-'
    value = ns / 1e6
    return f'{value:,.3f}' if value < 10 else f'{value:,.1f}'


def us(ns):
    return '-' if ns is None else f'{ns / 1e3:,.1f}'


def mib(kib):
    return '-' if kib is None else f'{kib / MIB:,.1f}'


def times(ratio):
    return '-' if ratio is None else f'{ratio:.2f}x'


def print_table(title, head, rows):
    """First two columns to the left, figures to the right."""
    print(f'\n{title}')
    lines = [head] + rows
    # A row that has no figures holds one long text instead.
    whole = [line for line in lines if len(line) == len(head)]
    widths = [max(len(line[i]) for line in (whole if i else lines))
              for i in range(len(head))]
    for line in lines:
        cells = [text.ljust(w) if i < 2 else text.rjust(w)
                 for i, (text, w) in enumerate(zip(line, widths))]
        if len(line) == 2 and len(head) > 2:
            cells = [line[0].ljust(widths[0]), line[1]]
        print('  ' + '  '.join(cells).rstrip())


def why_not(data, table, row, program):
    """A line of a table in place of figures."""
    why = data.error(table, row, program) or 'not run'
    return [row, f'{program}: {why}']


def print_machine(title, how, about):
    """The first lines: when, where, how, beside whom, and who is not there."""
    machine = about['machine']
    print(f'{title}, {about["date"]}, commit {about["commit"]}')
    print(f'{machine["cpu"]}, CPUs {machine["cpus_used"]} of '
          f'{machine["cpus"]}, Linux {machine["kernel"]}, load '
          f'{machine["load_before"]:.1f} before and '
          f'{machine["load_after"]:.1f} after')
    versions = ', '.join(f'{name} {v}' for name, v in about['peers'].items())
    print(f'{how}, in {about["seconds"]} s; {versions}')
    for name, why in about['missing'].items():
        print(f'MISSING {name}: {why}')
