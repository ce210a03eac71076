# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Write the README's parameter tables anew from the declared parameters; the tests fail where they differ.

Run in the project's environment: .venv/bin/python scripts/update_readme.py
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from pose_resnet_ros.options import Option
from pose_resnet_ros.ros.parameters.settings import PARAMETERS
from pose_resnet_ros.ros.programs import image_source

README = Path(__file__).resolve().parent.parent / "README.md"
TABLES = {"pose_node": PARAMETERS, "image_source": image_source.PARAMETERS}


def parameter_table(options: Sequence[Option]) -> str:
    """One Markdown row for each parameter."""
    rows = ["| parameter | default | allowed | live | meaning |", "|---|---|---|---|---|"]
    for row in options:
        default = str(row.default).lower() if isinstance(row.default, bool) else row.default
        shown = f"`{default}`" if default != "" else "(empty)"
        rows.append(f"| `{row.name}` | {shown} | {row.allowed} | {'yes' if row.live else ''} | {row.description} |")
    return "\n".join(rows)


def with_tables(text: str) -> str:
    """The README's text with every table between its two marks replaced by the current one."""
    for name, options in TABLES.items():
        begin, end = f"<!-- parameters of {name} -->\n", "\n<!-- end -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"README.md has no marks for the parameters of {name}")
        before, after = pattern.split(text, maxsplit=1)
        text = before + begin + parameter_table(options) + end + after
    return text


if __name__ == "__main__":
    before = README.read_text(encoding="utf-8")
    after = with_tables(before)
    README.write_text(after, encoding="utf-8")
    sys.stdout.write("README.md: " + ("up to date\n" if after == before else "tables written\n"))
