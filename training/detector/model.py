# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``person_lite`` as the package sees it: its description, and the boxes of a PyTorch copy by the package's own code."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from pose_resnet_ros.core.boxes import nms
from pose_resnet_ros.core.detector_heads import decode_yolov3
from pose_resnet_ros.core.letterbox import darknet
from pose_resnet_ros.core.types import Detections, InputSpec, YoloScale
from pose_resnet_ros.models.spec import DetectorSpec
from training.detector.loss import Grid

NAME = "person_lite"
NMS_IOU = 0.45
# 416x320 fits the 4:3 pictures of most cameras (312 rows of 320 used); the classic square would spend a quarter on gray.
WIDTH, HEIGHT = 416, 320
# Anchors (width, height) in network pixels: near the medians of an IoU k-means over the training canvases.
ANCHORS_32 = ((70.0, 125.0), (150.0, 130.0), (220.0, 270.0))  # the last for persons who fill the picture
ANCHORS_16 = ((13.0, 30.0), (25.0, 58.0), (45.0, 44.0))
# Upright persons again, up to twice as high: the fine grid tells those apart who share a cell of the coarser ones.
ANCHORS_8 = ((10.0, 24.0), (18.0, 44.0), (32.0, 76.0))
SCALES = (YoloScale(32, ANCHORS_32), YoloScale(16, ANCHORS_16), YoloScale(8, ANCHORS_8))
GRIDS = tuple(Grid(scale.stride, torch.tensor(scale.anchors)) for scale in SCALES)


def describe(*, width: int = WIDTH, height: int = HEIGHT, provenance: dict[str, str] | None = None) -> DetectorSpec:
    """The description that travels in the ONNX file."""
    return DetectorSpec(
        name=NAME,
        input=InputSpec(width=width, height=height, channel_order="rgb", scale=1 / 255),
        letterbox="darknet",
        decoder="yolov3",
        scales=SCALES,
        class_count=1,
        provenance=provenance or {},
    )


@torch.no_grad()
def detect(model: nn.Module, image: np.ndarray, *, spec: DetectorSpec, threshold: float, device: str) -> Detections:
    """The persons in a (H, W, 3) uint8 BGR image, the best score first."""
    fitted = darknet(image, spec=spec.input)
    outputs = model(torch.from_numpy(fitted.tensor).to(device))
    found = decode_yolov3([o.float().cpu().numpy() for o in outputs], spec=spec, threshold=threshold)
    boxes = fitted.boxes_to_image(found.boxes_xyxy)
    kept = nms(boxes, found.scores, iou_threshold=NMS_IOU)
    return Detections(boxes[kept], found.scores[kept])
