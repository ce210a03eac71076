# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The property-based tests of test/fuzz for some minutes, file by file in rounds, each with other examples.

python scripts/fuzz.py MINUTES

Writes out/fuzz/log.txt; failing examples are kept in out/fuzz/examples and tried first in the next run. Exit 1 if a test failed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter
from itertools import cycle
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "test" / "fuzz"
LOG = ROOT / "out" / "fuzz" / "log.txt"
HANG_S = 1200.0  # a file takes a minute
TEST = re.compile(r"^test/fuzz/\S+\.py::(\S+):$", re.MULTILINE)
TRIED = re.compile(r"(\d+) passing")
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


def main() -> int:
    end_s = time.monotonic() + 60 * float(sys.argv[1])
    LOG.parent.mkdir(parents=True, exist_ok=True)
    tried: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    with LOG.open("w", encoding="utf-8") as log:
        for number, file in enumerate(cycle(sorted(FOLDER.glob("test_*.py")))):
            if time.monotonic() > end_s:
                break
            output = one_run(file, seed=time.time_ns() % 2**32)
            log.write(output)
            log.flush()
            tried.update(examples(output))
            failed.update(FAILED.findall(output))
            print(f"{number + 1} {file.name}: {sum(tried.values())} examples so far, {len(failed)} tests failed", flush=True)
    print("\n".join(f"{count:9} {name}" for name, count in sorted(tried.items())))
    for name, count in failed.items():
        print(f"FAILED {count} times: {name}")
    print(f"{sum(tried.values())} examples; the log is {LOG}")
    return 1 if failed else 0


def one_run(file: Path, *, seed: int) -> str:
    """What pytest said, with a line "FAILED ..." where it did not come to its end."""
    command = [sys.executable, "-m", "pytest", str(file), "-q", f"--hypothesis-seed={seed}"]
    command += ["--hypothesis-show-statistics", "-p", "no:cacheprovider"]
    environment = {**os.environ, "FUZZ_PROFILE": "long"}
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=HANG_S, check=False
        )
    except subprocess.TimeoutExpired as hang:
        return text(hang.stdout) + f"\nFAILED {file.name}_hangs_for_{HANG_S:.0f}_s\n"
    crash = f"\nFAILED {file.name}_crashed_by_signal_{-done.returncode}\n" if done.returncode < 0 else ""
    return text(done.stdout) + crash


def text(output: bytes | None) -> str:
    return (output or b"").decode(errors="replace")


def examples(output: str) -> dict[str, int]:
    """Passing examples by test, out of Hypothesis's statistics."""
    _, *parts = TEST.split(output)
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return {name: sum(map(int, TRIED.findall(part))) for name, part in pairs}


if __name__ == "__main__":
    sys.exit(main())
