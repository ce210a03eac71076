# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Train or fine-tune the pose network: ``python -m training.train_pose --help``."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import nn

from pose_resnet_ros.core.heatmaps import DECODERS
from training import pose_metrics
from training.coco import load_photographs, split_by_id
from training.images import ImageStore
from training.pose_augment import AugmentSettings, crop_affine
from training.pose_data import PoseCrops, gaussian_heatmaps, make_loader
from training.pose_model import load_weights, new_network, to_input
from training.trainer import Trainer, TrainSettings


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    torch.set_num_threads(options.threads or torch.get_num_threads())
    size_wh = (options.width, options.height)
    photographs = load_photographs(options.data / options.annotations, teacher=options.teacher)
    training, validation = split_by_id(photographs, validation_count=options.validation_images)
    images = ImageStore(
        options.images or options.data / "images.tar", cache_bytes=int(options.cache_gb * 1e9)
    )
    crops = PoseCrops(
        training, images, size_wh, augment=AugmentSettings.of_strength(options.augment), seed=options.seed
    )
    held_out = PoseCrops(validation, images, size_wh, only_main=True)
    print(f"{len(crops)} persons to learn from, {len(held_out)} to measure on")
    trainer = Trainer(
        make_model(options),
        make_settings(options),
        step_loss=PoseLoss(size_wh, sigma=options.sigma),
        evaluate=lambda model: evaluate(model, held_out, options.batch_size, options.device),
        metric="pck",
        output=options.output,
    )
    if options.resume:
        trainer.resume(options.output / "last.pt")
    trainer.fit(
        make_loader(
            crops, batch_size=options.batch_size, shuffle=True, workers=options.workers, seed=options.seed
        )
    )


def make_model(options: argparse.Namespace) -> nn.Module:
    """A fresh network, or one that starts from ``--init``, a state dict of the same shape."""
    torch.manual_seed(options.seed)
    model = new_network(width=options.net_width, deconv_channels=options.deconv_channels)
    if options.init:
        model.load_state_dict(load_weights(options.init))
    return model


def make_settings(options: argparse.Namespace) -> TrainSettings:
    return TrainSettings(
        epochs=options.epochs,
        learning_rate=options.learning_rate,
        final_learning_rate=options.final_learning_rate,
        minutes=options.minutes,
        ema_decay=options.ema_decay,
        precision=options.precision,
        device=options.device,
        seed=options.seed,
    )


class PoseLoss:
    """Mean squared error of the heatmaps against the labels and against a teacher, as much as each is trusted."""

    def __init__(self, size_wh: tuple[int, int], *, sigma: float) -> None:
        self._size_wh = size_wh
        self._sigma = sigma

    def __call__(self, model: nn.Module, batch: list[torch.Tensor]) -> torch.Tensor:
        crops, keypoints, weights = batch
        predicted = model(to_input(crops)).float()
        maps = gaussian_heatmaps(keypoints, self._size_wh, sigma=self._sigma)
        # The weighted mean of two targets pulls as both errors would: they differ by a constant.
        total = weights.sum(1)
        targets = (maps * weights[..., None, None]).sum(1) / total.clamp(min=1e-6)[..., None, None]
        # Divided by what an empty map would get, the error is of order 1 at any heatmap size.
        error = (predicted - targets).square().sum((2, 3)) / (np.pi * self._sigma**2)
        return (error * total).sum() / total.sum().clamp(min=1)


def evaluate(model: nn.Module, dataset: PoseCrops, batch_size: int, device: str) -> dict[str, float]:
    """PCK@0.1 over the persons of the data set, from their annotated boxes."""
    predicted = []
    for crops, _, _ in make_loader(dataset, batch_size=batch_size, shuffle=False):
        heatmaps = model(to_input(crops.to(device)))
        points, _ = DECODERS["microsoft"]([heatmaps.float().cpu().numpy()], input_wh=dataset.size_wh)
        predicted.append(points)
    people = [person for _, person in dataset.samples]
    points = [
        _to_image(xy, crop_affine(p.box_xywh, dataset.size_wh))
        for xy, p in zip(np.concatenate(predicted), people, strict=True)
    ]
    keypoints, boxes = np.stack([p.keypoints for p in people]), np.stack([p.box_xywh for p in people])
    return pose_metrics.pck(np.stack(points), keypoints, boxes)


def _to_image(points: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Crop pixels back to image pixels, by the inverse of the crop's affine."""
    return (points - affine[:, 2]) @ np.linalg.inv(affine[:, :2]).T


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set")
    parser.add_argument(
        "--annotations", default="annotations.json", help="COCO-format file in the data folder"
    )
    parser.add_argument("--teacher", type=Path, help="a file of training.label_poses: a second opinion")
    parser.add_argument(
        "--images", type=Path, help="folder or .tar of the images; default: images.tar in --data"
    )
    parser.add_argument("--output", type=Path, default=Path("training/runs/pose"), help="folder of the run")
    parser.add_argument("--init", type=Path, help="state dict to start from (fine-tuning)")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --output")
    parser.add_argument("--validation-images", type=int, default=900, help="last ids, kept for validation")
    parser.add_argument("--height", type=int, default=128, help="input height, a multiple of 32")
    parser.add_argument("--width", type=int, default=96, help="input width, a multiple of 32")
    parser.add_argument("--sigma", type=float, default=1.75, help="of the target Gaussians, heatmap pixels")
    parser.add_argument("--augment", type=float, default=0.7, help="strength of the augmentation, 0 to 1")
    parser.add_argument("--net-width", type=int, default=32, help="channels of the first stage")
    parser.add_argument("--deconv-channels", type=int, default=96)
    parser.add_argument("--epochs", type=int, default=80)
    parser.add_argument("--minutes", type=float, default=0.0, help="end sooner, after so long; 0: no limit")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--final-learning-rate", type=float, default=0.0)
    parser.add_argument(
        "--ema-decay", type=float, default=0.999, help="of the averaged weights; less for short runs"
    )
    parser.add_argument("--precision", choices=("bf16", "fp32"), default="bf16")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument(
        "--threads", type=int, default=0, help="of PyTorch on a CPU; 0: as many as there are cores"
    )
    parser.add_argument("--workers", type=int, default=1, help="processes that prepare crops")
    parser.add_argument("--cache-gb", type=float, default=4.0, help="memory for decoded images, per worker")
    parser.add_argument("--seed", type=int, default=0)
    return parser


if __name__ == "__main__":
    main()
