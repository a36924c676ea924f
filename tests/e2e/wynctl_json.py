# SPDX-License-Identifier: MIT
"""What wynctl --json prints, as docs/wynctl.schema.json has it."""
import json
import os

import jsonschema

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)),
                       "../../docs/wynctl.schema.json")) as _file:
    SCHEMA = json.load(_file)


def rows_of(command, printed):
    """The objects that it printed, each of which is as the schema says."""
    schema = {**SCHEMA, "$ref": "#/$defs/" + command.replace(" ", "%20")}
    del schema["anyOf"]
    validator = jsonschema.Draft202012Validator(schema)
    rows = [json.loads(line) for line in printed.splitlines()]
    for row in rows:
        validator.validate(row)
    return rows
