# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""A training in stages of rising input size: small ones are cheap, and a convolutional network hardly minds."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass

PATTERN = re.compile(r"(\d+)x(\d+):(\d+):([\d.e+-]+)")


@dataclass(frozen=True)
class Stage:
    """width, height: of the network's input, multiples of 32; epochs; learning_rate: the peak of the stage."""

    width: int
    height: int
    epochs: int
    learning_rate: float

    @property
    def size_wh(self) -> tuple[int, int]:
        return self.width, self.height


def parse_stages(text: str) -> tuple[Stage, ...]:
    """``WIDTHxHEIGHT:EPOCHS:RATE,...`` -> stages."""
    matches = [PATTERN.fullmatch(part) for part in text.split(",")]
    if not all(m and int(m[1]) % 32 == 0 and int(m[2]) % 32 == 0 for m in matches):
        raise argparse.ArgumentTypeError(
            f"expected WIDTHxHEIGHT:EPOCHS:LEARNING_RATE, separated by commas, sides multiples of 32; got '{text}'"
        )
    return tuple(Stage(int(m[1]), int(m[2]), int(m[3]), float(m[4])) for m in matches if m)
