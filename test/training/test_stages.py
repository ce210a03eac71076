# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The stages of a training, as they are written on the command line."""

from __future__ import annotations

import argparse

import pytest

from training.stages import Stage, parse_stages


def test_stage_syntax() -> None:
    assert parse_stages("256x192:28:2e-3") == (Stage(256, 192, 28, 2e-3),)
    assert [s.size_wh for s in parse_stages("96x128:1:1,128x192:2:1")] == [(96, 128), (128, 192)]
    for wrong in ("256x192:28", "250x192:28:1e-3", "x", ""):
        with pytest.raises(argparse.ArgumentTypeError, match="WIDTHxHEIGHT"):
            parse_stages(wrong)
