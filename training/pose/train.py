# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Train or fine-tune the pose network: ``python3 -m training.pose.train --help``.

Training goes through stages of rising input size. Each stage starts from the averaged weights of the one before and has a
folder of its own.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from training.checkpoints import load_weights
from training.data_options import add_data_options, new_parser, open_images, read_split
from training.detector import hard_negatives
from training.loading import make_loader
from training.pose import metrics
from training.pose.augment import AugmentSettings, crop_affine
from training.pose.check import CocoCheck, add_check_option
from training.pose.crops import PoseCrops
from training.pose.loss import PoseLoss
from training.pose.model import decode, new_network, to_input
from training.run_options import add_run_options, set_threads, settings_of
from training.stages import Stage
from training.trainer import Trainer

SHIPPED_STAGES = "96x128:30:2e-3,160x192:40:1e-3"


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    set_threads(options)
    weights = load_weights(options.init) if options.init else None
    training, validation = read_split(options)
    images = open_images(options, training + validation)
    augment = AugmentSettings.of_strength(options.augment)
    hard = hard_negatives.load(options.hard_negatives) if options.hard_negatives else []
    for number, stage in enumerate(options.stages, start=1):
        crops = PoseCrops(training, images, stage.size_wh, augment=augment, hard=hard, seed=options.seed)
        held_out = PoseCrops(validation, images, stage.size_wh, only_main=True)
        print(f"stage {number}: {len(crops)} persons to learn from, {len(held_out)} to measure on")
        weights = train_stage(stage, options.output / f"stage{number}", crops, held_out, weights, options)


def train_stage(
    stage: Stage,
    folder: Path,
    crops: PoseCrops,
    held_out: PoseCrops,
    weights: dict[str, torch.Tensor] | None,
    options: argparse.Namespace,
) -> dict[str, torch.Tensor]:
    """Train one stage from ``weights`` (None: from scratch), or go on where it stopped; returns the averaged weights."""
    torch.manual_seed(options.seed)
    model = new_network(width=options.net_width, deconv_channels=options.deconv_channels)
    if weights:
        model.load_state_dict(weights)
    trainer = Trainer(
        model,
        settings_of(stage, options),
        step_loss=PoseLoss(stage.size_wh, sigma=options.sigma),
        evaluate=evaluator(held_out, stage, options),
        metric="choice",
        output=folder,
    )
    if (folder / "last.pt").exists():
        trainer.resume(folder / "last.pt")
    trainer.fit(make_loader(crops, batch_size=options.batch_size, shuffle=True, workers=options.workers, seed=options.seed))
    return trainer.averaged.module.state_dict()


def evaluator(held_out: PoseCrops, stage: Stage, options: argparse.Namespace) -> Callable[[nn.Module], dict[str, float]]:
    """PCK on the held-out photographs and AP on ``--check``; weights are chosen by their mean, or by PCK alone."""
    check = CocoCheck(options.check, stage.size_wh) if options.check else None

    def measure(model: nn.Module) -> dict[str, float]:
        found = evaluate(model, held_out, options.batch_size, options.device)
        if check is None:
            return found | {"choice": found["pck"]}
        coco = check.measure(model, batch_size=options.batch_size, device=options.device)
        return found | coco | {"choice": (found["pck"] + coco["ap"]) / 2}

    return measure


def evaluate(model: nn.Module, dataset: PoseCrops, batch_size: int, device: str) -> dict[str, float]:
    """PCK@0.1 over the persons of the data set, from their annotated boxes."""
    predicted = []
    for crops, _, _ in make_loader(dataset, batch_size=batch_size, shuffle=False):
        points, _ = decode(model(to_input(crops.to(device))), dataset.size_wh)
        predicted.append(points)
    people = [person for _, person in dataset.samples]
    points = [
        _to_image(xy, crop_affine(p.box_xywh, dataset.size_wh)) for xy, p in zip(np.concatenate(predicted), people, strict=True)
    ]
    keypoints, boxes = np.stack([p.keypoints for p in people]), np.stack([p.box_xywh for p in people])
    return metrics.pck(np.stack(points), keypoints, boxes)


def _to_image(points: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Crop pixels back to image pixels, by the inverse of the crop's affine."""
    return (points - affine[:, 2]) @ np.linalg.inv(affine[:, :2]).T


def _parser() -> argparse.ArgumentParser:
    parser = new_parser(__doc__)
    add_data_options(parser)
    add_run_options(parser, output=Path("training/runs/pose"), stages=SHIPPED_STAGES, batch_size=64, weight_decay=1e-3)
    add_check_option(parser)
    parser.add_argument("--hard-negatives", type=Path, help="a file of training.detector.mine: crops that show nobody")
    parser.add_argument("--sigma", type=float, default=2.0, help="of the target Gaussians, heatmap pixels")
    parser.add_argument("--augment", type=float, default=0.8, help="strength of the augmentation, 0 to 1")
    parser.add_argument("--net-width", type=int, default=32, help="channels of the first stage")
    parser.add_argument("--deconv-channels", type=int, default=96)
    return parser


if __name__ == "__main__":
    main()
