# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The whole image fitted into a detector's input, and the way back.

Every letterbox function has the signature of ``darknet`` and is named in ``LETTERBOXES``. Images are taken as checked
(``crops.check_image``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from pose_resnet_ros.core.crops import normalise_into, tensor_for
from pose_resnet_ros.core.types import InputSpec


@dataclass(frozen=True, eq=False)
class Letterboxed:
    """A detector's input.

    tensor: (1, 3, h, w) float32; the way back is ``image = input * image_from_input_scale +
    image_from_input_offset``, both (x, y) float64.
    """

    tensor: np.ndarray
    image_from_input_scale: np.ndarray
    image_from_input_offset: np.ndarray

    def boxes_to_image(self, boxes_xyxy: np.ndarray) -> np.ndarray:
        """Boxes (N, 4) in network input pixels -> float32 boxes in image pixels."""
        scale, offset = np.tile(self.image_from_input_scale, 2), np.tile(self.image_from_input_offset, 2)
        return (boxes_xyxy * scale + offset).astype(np.float32)


def darknet(image: np.ndarray, *, spec: InputSpec, out: np.ndarray | None = None) -> Letterboxed:
    """Darknet's: aspect kept, centred, the rest filled with 0.5 (grey 127.5).

    image: (H, W, 3) uint8 BGR; out: a (1, 3, h, w) tensor to write into. Sizes and place as in darknet's ``letterbox_image``
    (src/image.c). Two differences, both under half a network pixel: darknet samples with aligned corners where ``cv2.resize``
    aligns the outer edges, and it undoes an odd margin with half a pixel that it did not paste with; here the way back is the
    exact inverse of the way there.
    """
    height, width = image.shape[:2]
    if spec.width * height < spec.height * width:
        size = (spec.width, height * spec.width // width)
    else:
        size = (width * spec.height // height, spec.height)
    return _centred(image, _resized(image, size, cv2.INTER_LINEAR), fill=127.5, spec=spec, out=out)


def yolox(image: np.ndarray, *, spec: InputSpec, out: np.ndarray | None = None) -> Letterboxed:
    """YOLOX's: aspect kept, at the top-left, the rest filled with grey 114.

    Source: YOLOX, yolox/data/data_augment.py ``preproc``. The way back divides by the ratio, as there, though the resized image
    is rounded down to integer sizes.
    """
    width, height, ratio = _fitting(image, spec)
    resized = _resized(image, (int(width), int(height)), cv2.INTER_LINEAR)
    tensor = _pasted(resized, left=0, top=0, fill=114.0, spec=spec, out=out)
    return Letterboxed(tensor, np.full(2, 1 / ratio), np.zeros(2))


def ultralytics(image: np.ndarray, *, spec: InputSpec, out: np.ndarray | None = None) -> Letterboxed:
    """Ultralytics' (YOLOv5, YOLOv8 and later): aspect kept, centred, the rest filled with grey 114.

    Source: ultralytics, data/augment.py ``LetterBox``, without its option to shorten the input. The way back is exact.
    """
    width, height, _ = _fitting(image, spec)
    resized = _resized(image, (round(width), round(height)), cv2.INTER_LINEAR)
    return _centred(image, resized, fill=114.0, spec=spec, out=out)


def onnx_zoo(image: np.ndarray, *, spec: InputSpec, out: np.ndarray | None = None) -> Letterboxed:
    """The ONNX Model Zoo's YOLOv3: aspect kept, centred, the rest filled with grey 128.

    Its code resizes with Pillow's bicubic filter, which smooths when it shrinks. OpenCV's nearest relatives are area averaging
    when shrinking (mean difference 0.7 grey levels on street images; its own bicubic: 2 to 3) and bicubic when growing (0.5).
    """
    width, height, ratio = _fitting(image, spec)
    resized = _resized(image, (int(width), int(height)), cv2.INTER_AREA if ratio < 1 else cv2.INTER_CUBIC)
    return _centred(image, resized, fill=128.0, spec=spec, out=out)


def stretched(image: np.ndarray, *, spec: InputSpec, out: np.ndarray | None = None) -> Letterboxed:
    """RT-DETR's: the whole input is image, its proportions are not kept.

    Source: lyuwenyu/RT-DETR, rtdetrv2_pytorch/references/deploy. It resizes with Pillow's bilinear filter, which smooths when it
    shrinks; so area averaging here when both sides shrink.
    """
    shrinks = image.shape[1] >= spec.width and image.shape[0] >= spec.height
    resized = _resized(image, (spec.width, spec.height), cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return _centred(image, resized, fill=0.0, spec=spec, out=out)


Letterbox = Callable[..., Letterboxed]
LETTERBOXES: dict[str, Letterbox] = {
    "darknet": darknet,
    "yolox": yolox,
    "ultralytics": ultralytics,
    "onnx_zoo": onnx_zoo,
    "stretched": stretched,
}


def _fitting(image: np.ndarray, spec: InputSpec) -> tuple[float, float, float]:
    """Width, height and scale of the largest image of the same proportions that fits into the input."""
    ratio = min(spec.height / image.shape[0], spec.width / image.shape[1])
    return image.shape[1] * ratio, image.shape[0] * ratio, ratio


def _resized(image: np.ndarray, size: tuple[int, int], interpolation: int) -> np.ndarray:
    """size: width, height; never less than a pixel."""
    return cv2.resize(image, (max(1, size[0]), max(1, size[1])), interpolation=interpolation)


def _centred(image: np.ndarray, resized: np.ndarray, *, fill: float, spec: InputSpec, out: np.ndarray | None) -> Letterboxed:
    new_height, new_width = resized.shape[:2]
    left, top = (spec.width - new_width) // 2, (spec.height - new_height) // 2
    tensor = _pasted(resized, left=left, top=top, fill=fill, spec=spec, out=out)
    scale = np.array([image.shape[1] / new_width, image.shape[0] / new_height])
    return Letterboxed(tensor, scale, -scale * (left, top))


def _pasted(resized: np.ndarray, *, left: int, top: int, fill: float, spec: InputSpec, out: np.ndarray | None) -> np.ndarray:
    """The tensor with ``resized`` at its place and grey ``fill`` (0..255) in the margins only."""
    tensor = tensor_for(1, spec=spec, out=out)
    bottom, right = top + resized.shape[0], left + resized.shape[1]
    for channel in range(3):
        grey = (fill * spec.scale - spec.mean[channel]) / spec.std[channel]
        plane = tensor[0, channel]
        plane[:top], plane[bottom:], plane[top:bottom, :left], plane[top:bottom, right:] = (grey, grey, grey, grey)
    normalise_into(tensor[0, :, top:bottom, left:right], resized, spec=spec)
    return tensor
