# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""COCO keypoint AP of a network in training, from annotated boxes: for choosing between weights, never to learn from."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import nn

from pose_resnet_ros.core.types import People
from pose_resnet_ros.tools.evaluate.coco_evaluation import CocoData, coco_measures, result_rows
from training.images import ImageStore, image_source
from training.pose.augment import crop_affine, warp
from training.pose.model import decode, describe, to_input


class CocoCheck:
    """The persons with keypoints of a COCO folder (``annotations.json`` and ``images.tar``), cropped once.

    size_wh: of the network's input.
    """

    def __init__(self, folder: Path, size_wh: tuple[int, int]) -> None:
        self._data = CocoData(folder / "annotations.json", folder)
        self._boxes = self._data.true_boxes()
        self._size_wh = size_wh
        self._spec = describe(width=size_wh[0], height=size_wh[1])
        images = ImageStore(image_source(folder))
        self._affines: list[np.ndarray] = []
        self._crops: list[np.ndarray] = []
        for image_id, boxes in self._boxes.items():
            image = images.read(self._data.coco.imgs[image_id]["file_name"])
            for x1, y1, x2, y2 in boxes.boxes_xyxy:
                affine = crop_affine(np.array([x1, y1, x2 - x1, y2 - y1]), size_wh)
                self._affines.append(affine)
                self._crops.append(warp(image, affine, size_wh))

    def measure(self, model: nn.Module, *, batch_size: int, device: str) -> dict[str, float]:
        """{"ap", "ap50"} of the network's answers."""
        points, scores = self._answers(model, batch_size, device)
        rows, start = [], 0
        for image_id, boxes in self._boxes.items():
            mine = slice(start, start + len(boxes))
            start += len(boxes)
            people = People.untracked(boxes, points[mine], scores[mine])
            rows += result_rows(people, image_id=image_id, spec=self._spec)
        measures = coco_measures(self._data, rows, self._data.image_ids)
        return {"ap": measures["AP"], "ap50": measures["AP .5"]}

    def _answers(self, model: nn.Module, batch_size: int, device: str) -> tuple[np.ndarray, np.ndarray]:
        """(N, 17, 2) image pixels and (N, 17) scores."""
        points, scores = [], []
        for start in range(0, len(self._crops), batch_size):
            crops = torch.from_numpy(np.stack(self._crops[start : start + batch_size]))
            xy, score = decode(model(to_input(crops.to(device))), self._size_wh)
            points.append(xy)
            scores.append(score)
        xy = np.concatenate(points).astype(np.float64)
        back = [np.linalg.inv(np.vstack([affine, [0, 0, 1]])) for affine in self._affines]
        found = [p @ b[:2, :2].T + b[:2, 2] for p, b in zip(xy, back, strict=True)]
        return np.stack(found).astype(np.float32), np.concatenate(scores)


def add_check_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", type=Path, help="COCO folder on whose AP the weights are chosen too; never trained on")
