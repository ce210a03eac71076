# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Options of the two training commands."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import torch

from training.stages import Stage, parse_stages
from training.trainer import TrainSettings

FINAL_SHARE = 0.02  # of a stage's peak learning rate, at its end


def add_run_options(parser: argparse.ArgumentParser, *, output: Path, stages: str, batch_size: int, weight_decay: float) -> None:
    parser.add_argument("--output", type=Path, default=output, help="folder of the run; it goes on by itself")
    parser.add_argument("--init", type=Path, help="state dict to start from (fine-tuning)")
    parser.add_argument("--stages", type=parse_stages, default=stages, help="WIDTHxHEIGHT:EPOCHS:LEARNING_RATE,...")
    parser.add_argument("--minutes", type=float, default=0.0, help="end each stage after so long; 0: no limit")
    parser.add_argument("--batch-size", type=int, default=batch_size)
    parser.add_argument("--weight-decay", type=float, default=weight_decay)
    parser.add_argument("--ema-decay", type=float, default=0.999, help="of the averaged weights; less for short runs")
    parser.add_argument("--hold", type=float, default=0.0, help="share of a stage at its peak rate, 0 to 0.99")
    parser.add_argument("--evaluate-every", type=int, default=1, help="epochs between measurements")
    parser.add_argument("--precision", choices=("bf16", "fp32"), default="bf16")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=0, help="of PyTorch on a CPU; 0: as many as there are cores")
    parser.add_argument("--workers", type=int, default=1, help="processes that prepare the pictures")
    parser.add_argument("--cache-gb", type=float, default=4.0, help="memory for decoded images, per worker")
    parser.add_argument("--seed", type=int, default=0)


def set_threads(options: argparse.Namespace) -> None:
    """PyTorch gets the threads; OpenCV gets one, for a loader process that is forked from one with OpenCV's threads hangs."""
    torch.set_num_threads(options.threads or torch.get_num_threads())
    cv2.setNumThreads(1)


def settings_of(stage: Stage, options: argparse.Namespace) -> TrainSettings:
    return TrainSettings(
        epochs=stage.epochs,
        learning_rate=stage.learning_rate,
        final_learning_rate=FINAL_SHARE * stage.learning_rate,
        weight_decay=options.weight_decay,
        ema_decay=options.ema_decay,
        hold=options.hold,
        evaluate_every=options.evaluate_every,
        minutes=options.minutes,
        precision=options.precision,
        device=options.device,
        seed=options.seed,
    )
