# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Train or fine-tune the person detector: ``python3 -m training.detector.train --help``.

Training goes through stages of rising size: a small canvas is cheap and shows as many persons, the last one is the size of
the shipped model. Each stage starts from the averaged weights of the one before and has a folder of its own.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import nn

from training.checkpoints import load_weights
from training.coco import Photograph
from training.data_options import add_data_options, new_parser, open_images, read_split
from training.detector.augment import CanvasMaker, Recipe
from training.detector.data import Canvases
from training.detector.evaluation import measure
from training.detector.labels import BoxLabels, labels_of
from training.detector.loss import detection_loss
from training.detector.model import GRIDS, describe, detect
from training.detector.network import PersonLite
from training.images import ImageStore
from training.loading import make_loader
from training.run_options import add_run_options, settings_of
from training.stages import Stage
from training.trainer import Trainer

SHIPPED_STAGES = "256x192:11:2e-3,416x320:30:1.5e-3"
LOWEST_SCORE = 0.02  # of the detections that accuracy is measured with


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    torch.set_num_threads(options.threads or torch.get_num_threads())
    training, validation = read_split(options)
    images = open_images(options)
    held_out = [labels_of(photograph) for photograph in validation]
    weights = load_weights(options.init) if options.init else None
    for number, stage in enumerate(options.stages, start=1):
        folder = options.output / f"stage{number}"
        weights = train_stage(stage, folder, training, held_out, images, weights, options)


def train_stage(
    stage: Stage,
    folder: Path,
    training: list[Photograph],
    held_out: list[BoxLabels],
    images: ImageStore,
    weights: dict[str, torch.Tensor] | None,
    options: argparse.Namespace,
) -> dict[str, torch.Tensor]:
    """Train one stage from ``weights`` (None: from scratch), or go on where it stopped; returns the averaged weights."""
    torch.manual_seed(options.seed)
    model = PersonLite()
    if weights:
        model.load_state_dict(weights)
    trainer = Trainer(
        model,
        settings_of(stage, options),
        step_loss=step_loss,
        evaluate=lambda averaged: evaluate(averaged, held_out, images, device=options.device),
        metric="ap50",
        output=folder,
    )
    if (folder / "last.pt").exists():
        trainer.resume(folder / "last.pt")
    maker = CanvasMaker(images, [labels_of(p) for p in training], Recipe(stage.width, stage.height))
    canvases = Canvases(maker, seed=options.seed)
    trainer.fit(
        make_loader(
            canvases, batch_size=options.batch_size, shuffle=True, workers=options.workers, seed=options.seed
        )
    )
    return trainer.averaged.module.state_dict()


def step_loss(model: nn.Module, batch: list[torch.Tensor]) -> torch.Tensor:
    """The loss on a batch of ``Canvases``."""
    pictures, persons, ignored = batch
    tensor = pictures.flip(-1).permute(0, 3, 1, 2).float() / 255  # BGR to RGB; stays channels-last in memory
    return detection_loss(model(tensor), GRIDS, persons, ignored)


def evaluate(
    model: nn.Module, labels: list[BoxLabels], images: ImageStore, *, device: str = "cpu"
) -> dict[str, float]:
    """AP50, and precision and recall at the score 0.4, on photographs letterboxed as at inference."""
    spec = describe()
    found = [
        detect(model, images.read(label.file_name), spec=spec, threshold=LOWEST_SCORE, device=device)
        for label in labels
    ]
    result = measure(found, labels)
    precision, recall = result.at(0.4)
    return {"ap50": result.ap50, "precision": precision, "recall": recall}


def _parser() -> argparse.ArgumentParser:
    parser = new_parser(__doc__)
    add_data_options(parser)
    add_run_options(
        parser,
        output=Path("training/runs/detector"),
        stages=SHIPPED_STAGES,
        batch_size=32,
        weight_decay=0.03,
    )
    return parser


if __name__ == "__main__":
    main()
