# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Train or fine-tune the person detector: ``python -m training.train_detector --help``.

Training goes through stages of rising size: a small canvas is cheap and shows as many persons, the last one is the size of
the shipped model. Each stage starts from the averaged weights of the one before and has a folder of its own.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from training.coco import Photograph, load_photographs, split_by_id
from training.detector_augment import CanvasMaker, Recipe
from training.detector_data import Canvases
from training.detector_eval import measure
from training.detector_labels import BoxLabels, labels_of
from training.detector_loss import detection_loss
from training.detector_model import GRIDS, describe, detect
from training.detector_net import PersonLite
from training.images import ImageStore
from training.pose_data import make_loader
from training.pose_model import load_weights
from training.trainer import Trainer, TrainSettings

SHIPPED_STAGES = "256x192:11:2e-3,416x320:5:1.2e-3"
LOWEST_SCORE = 0.02  # of the detections that accuracy is measured with


@dataclass(frozen=True)
class Stage:
    """width, height: of the canvas, multiples of 32; epochs; learning_rate: the peak of the stage."""

    width: int
    height: int
    epochs: int
    learning_rate: float


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    torch.set_num_threads(options.threads or torch.get_num_threads())
    photographs = load_photographs(options.data / options.annotations)
    training, validation = split_by_id(photographs, validation_count=options.validation_images)
    images = ImageStore(
        options.images or options.data / "images.tar", cache_bytes=int(options.cache_gb * 1e9)
    )
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
        _settings(stage, options),
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


def parse_stages(text: str) -> tuple[Stage, ...]:
    """``WIDTHxHEIGHT:EPOCHS:RATE,...`` -> stages."""
    pattern = re.compile(r"(\d+)x(\d+):(\d+):([\d.e+-]+)")
    matches = [pattern.fullmatch(part) for part in text.split(",")]
    if not all(m and int(m[1]) % 32 == 0 and int(m[2]) % 32 == 0 for m in matches):
        raise argparse.ArgumentTypeError(
            f"expected WIDTHxHEIGHT:EPOCHS:LEARNING_RATE, separated by commas, sides multiples of 32; got '{text}'"
        )
    return tuple(Stage(int(m[1]), int(m[2]), int(m[3]), float(m[4])) for m in matches if m)


def _settings(stage: Stage, options: argparse.Namespace) -> TrainSettings:
    return TrainSettings(
        epochs=stage.epochs,
        learning_rate=stage.learning_rate,
        final_learning_rate=0.02 * stage.learning_rate,
        weight_decay=0.03,
        evaluate_every=options.evaluate_every,
        minutes=options.minutes,
        precision=options.precision,
        device=options.device,
        seed=options.seed,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the annotations and the images")
    parser.add_argument("--annotations", default="annotations.json", help="COCO-format JSON in that folder")
    parser.add_argument(
        "--images", type=Path, help="folder or .tar of the images, if not images.tar in --data"
    )
    parser.add_argument(
        "--output", type=Path, default=Path("training/runs/detector"), help="folder of the run"
    )
    parser.add_argument("--init", type=Path, help="state dict to start from (fine-tuning)")
    parser.add_argument(
        "--stages", type=parse_stages, default=SHIPPED_STAGES, help="WIDTHxHEIGHT:EPOCHS:LEARNING_RATE,..."
    )
    parser.add_argument("--validation-images", type=int, default=900, help="last ids, kept for validation")
    parser.add_argument("--evaluate-every", type=int, default=2, help="epochs between measurements")
    parser.add_argument(
        "--minutes", type=float, default=0.0, help="end each stage after so long; 0: no limit"
    )
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--precision", choices=("bf16", "fp32"), default="bf16")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument(
        "--threads", type=int, default=0, help="of PyTorch on a CPU; 0: as many as there are cores"
    )
    parser.add_argument("--workers", type=int, default=1, help="processes that prepare canvases")
    parser.add_argument("--cache-gb", type=float, default=4.0, help="memory for decoded images, per worker")
    parser.add_argument("--seed", type=int, default=0)
    return parser


if __name__ == "__main__":
    main()
