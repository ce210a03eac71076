# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Train or fine-tune the person detector: ``python3 -m training.detector.train --help``.

Training goes through stages of rising size: a small canvas is cheap and shows as many persons, the last one is the size of
the shipped model. Each stage starts from the averaged weights of the one before and has a folder of its own.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn

from training.checkpoints import load_weights
from training.coco import Photograph
from training.data_options import add_data_options, new_parser, open_images, read_split
from training.detector import hard_negatives
from training.detector.augment import CanvasMaker, Recipe
from training.detector.check import BoxCheck
from training.detector.data import Canvases
from training.detector.evaluation import measure
from training.detector.labels import BoxLabels, labels_of
from training.detector.loss import detection_loss
from training.detector.model import GRIDS, describe, detect
from training.detector.network import PersonLite, grow
from training.images import ImageStore
from training.loading import make_loader
from training.run_options import add_run_options, set_threads, settings_of
from training.stages import Stage
from training.trainer import Trainer

SHIPPED_STAGES = "288x224:12:2e-3,416x320:40:1e-3"
LOWEST_SCORE = 0.02  # of the detections that accuracy is measured with


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    set_threads(options)
    training, validation = read_split(options)
    images = open_images(options, training + validation)
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
        grow(model, weights)
    trainer = Trainer(
        model,
        settings_of(stage, options),
        step_loss=step_loss,
        evaluate=evaluator(held_out, images, options),
        metric="choice",
        output=folder,
    )
    if (folder / "last.pt").exists():
        trainer.resume(folder / "last.pt")
    hard = hard_negatives.load(options.hard_negatives) if options.hard_negatives else []
    maker = CanvasMaker(images, [labels_of(p) for p in training], Recipe(stage.width, stage.height), hard=hard)
    canvases = Canvases(maker, seed=options.seed)
    trainer.fit(make_loader(canvases, batch_size=options.batch_size, shuffle=True, workers=options.workers, seed=options.seed))
    return trainer.averaged.module.state_dict()


def evaluator(
    held_out: list[BoxLabels], images: ImageStore, options: argparse.Namespace
) -> Callable[[nn.Module], dict[str, float]]:
    """AP50 on the held-out photographs and on ``--check``; weights are chosen by their mean, or by the first alone."""
    check = BoxCheck(options.check) if options.check else None
    spec = describe()

    def measure_all(model: nn.Module) -> dict[str, float]:
        found = evaluate(model, held_out, images, device=options.device)
        if check is None:
            return found | {"choice": found["ap50"]}
        coco = check.measure(lambda image: detect(model, image, spec=spec, threshold=LOWEST_SCORE, device=options.device))
        found |= {f"check_{key}": value for key, value in asdict(coco).items()}
        return found | {"choice": (found["ap50"] + coco.ap50) / 2}

    return measure_all


def step_loss(model: nn.Module, batch: list[torch.Tensor]) -> torch.Tensor:
    """The loss on a batch of ``Canvases``."""
    pictures, persons, ignored = batch
    tensor = pictures.flip(-1).permute(0, 3, 1, 2).float() / 255  # BGR to RGB; stays channels-last in memory
    return detection_loss(model(tensor), GRIDS, persons, ignored)


def evaluate(model: nn.Module, labels: list[BoxLabels], images: ImageStore, *, device: str = "cpu") -> dict[str, float]:
    """AP50, and precision and recall at the score 0.4, on photographs letterboxed as at inference."""
    spec = describe()
    found = [detect(model, images.read(label.file_name), spec=spec, threshold=LOWEST_SCORE, device=device) for label in labels]
    result = measure(found, labels)
    precision, recall = result.at(0.4)
    return {"ap50": result.ap50, "precision": precision, "recall": recall}


def _parser() -> argparse.ArgumentParser:
    parser = new_parser(__doc__)
    add_data_options(parser)
    add_run_options(parser, output=Path("training/runs/detector"), stages=SHIPPED_STAGES, batch_size=32, weight_decay=0.03)
    parser.add_argument("--check", type=Path, help="COCO folder on whose AP50 the weights are chosen too; never trained on")
    parser.add_argument("--hard-negatives", type=Path, help="a file of training.detector.mine")
    return parser


if __name__ == "__main__":
    main()
