# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""From boxes to the pose network's input: one affine warp for each person, straight into the batch tensor.

Every crop function has the signature of ``topdown`` and is named in ``CROPS``. Images and boxes are taken as checked
(``check_image``, ``boxes.is_valid``).
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from pose_resnet_ros.core import boxes
from pose_resnet_ros.core.errors import ImageError
from pose_resnet_ros.core.types import Crops, InputSpec

LONGEST_SIDE = 32_766  # cv2.warpAffine counts pixels with 16 bits


def check_image(image: np.ndarray) -> None:
    """Raises ImageError unless ``image`` is a (H, W, 3) uint8 array that OpenCV can warp: of at least two pixels."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ImageError(f"expected a BGR image of shape (H, W, 3) uint8, got {image.shape} {image.dtype}")
    if image.size == 3:  # which OpenCV before 4.5.5 cannot take, and in which nobody is to be seen
        raise ImageError("expected an image of more than one pixel")
    if max(image.shape[:2]) > LONGEST_SIDE:
        raise ImageError(
            f"expected an image of at most {LONGEST_SIDE} pixels a side, got {image.shape[1]} x {image.shape[0]}; scale it down,"
            " or cut it into parts"
        )


def normalise_into(out: np.ndarray, pixels_bgr: np.ndarray, *, spec: InputSpec) -> None:
    """(h, w, 3) uint8 BGR -> (3, h, w) float32 as ``spec`` says; ``out`` may be a window of a larger tensor.

    Splitting first and one fused multiply-add for each plane was the fastest of ten ways tried on one core,
    and needs no float copy of the interleaved image.
    """
    planes = cv2.split(pixels_bgr)
    if spec.channel_order == "rgb":
        planes = planes[::-1]
    for channel, plane in enumerate(planes):
        gain, bias = spec.scale / spec.std[channel], -spec.mean[channel] / spec.std[channel]
        cv2.addWeighted(plane, gain, plane, 0.0, bias, dst=out[channel], dtype=cv2.CV_32F)


def tensor_for(count: int, *, spec: InputSpec, out: np.ndarray | None = None) -> np.ndarray:
    """(count, 3, h, w) float32 to write into: a new array, or the first rows of ``out``.

    Raises ValueError when ``out`` does not fit or is not C-contiguous.
    """
    shape = (3, spec.height, spec.width)
    if out is None:
        return np.empty((count, *shape), np.float32)
    if out.dtype != np.float32 or out.shape[1:] != shape or len(out) < count or not out.flags.c_contiguous:
        raise ValueError(f"out: expected at least ({count}, {shape}) float32, contiguous; got {out.shape} {out.dtype}")
    return out[:count]


def topdown(
    image: np.ndarray, boxes_xyxy: np.ndarray, *, spec: InputSpec, padding: float, out: np.ndarray | None = None
) -> Crops:
    """Microsoft's crop and mmpose's: round the box's centre, grown to the input's aspect and by ``padding``.

    image: (H, W, 3) uint8 BGR; boxes_xyxy: (N, 4) pixels, never clipped; out: a tensor to write into
    (``tensor_for``). What lies outside the image is black before normalisation. Bilinear, without smoothing:
    a person much larger than the input aliases, as in the nets' training. ``image_from_crop``: crop centre
    w/2, h/2 <-> box centre, one scale for both axes, from the width. Source:
    microsoft/human-pose-estimation.pytorch, lib/utils/transforms.py, without its rotation.

    OpenCV 4 warps in steps of 1/32 pixel: up to 3 of 255 grey levels from exact bilinear sampling on street
    images, 0.25 in the mean; OpenCV 5 is exact to rounding.
    """
    image_from_crop = topdown_affines(boxes_xyxy, spec=spec, padding=padding)
    tensor = tensor_for(len(image_from_crop), spec=spec, out=out)
    size = (spec.width, spec.height)
    pixels = np.empty((spec.height, spec.width, 3), np.uint8)
    for person, crop_from_image in enumerate(_inverse(image_from_crop)):
        cv2.warpAffine(image, crop_from_image, size, dst=pixels, flags=cv2.INTER_LINEAR)
        normalise_into(tensor[person], pixels, spec=spec)
    return Crops(tensor, image_from_crop)


def topdown_affines(boxes_xyxy: np.ndarray, *, spec: InputSpec, padding: float) -> np.ndarray:
    """``image_from_crop`` (N, 2, 3) of ``topdown`` for (N, 4) valid boxes."""
    view_xyxy = boxes.pad_to_aspect(boxes_xyxy, aspect=spec.width / spec.height, padding=padding)
    view = boxes.centre_size_from_xyxy(view_xyxy)
    step = view[:, 2] / spec.width  # image pixels for one crop pixel
    image_from_crop = np.zeros((len(view), 2, 3))
    image_from_crop[:, 0, 0] = image_from_crop[:, 1, 1] = step
    image_from_crop[:, :, 2] = view[:, :2] - step[:, None] * (spec.width / 2, spec.height / 2)
    return image_from_crop


def ailia(image: np.ndarray, boxes_xyxy: np.ndarray, *, spec: InputSpec, padding: float, out: np.ndarray | None = None) -> Crops:
    """The crop of ailia's PoseResNet sample; not the network's own, for comparison with that sample only.

    The box is clipped, its height kept, its width made height * w/h whatever the person's, everything
    truncated to whole pixels and clipped again, then stretched to the input: wide people are cut, and near a
    border the aspect is lost. ``padding`` is not used. The sample's decoder also spreads the points by
    200/192 around the crop's centre: that fault is not repeated here. Source: axinc-ai/ailia-models,
    pose_resnet_util.py ``keep_aspect`` (state A/B of its history). Arguments and errors as for ``topdown``.
    """
    corners = _ailia_corners(image, boxes_xyxy, aspect=spec.width / spec.height)
    tensor = tensor_for(len(corners), spec=spec, out=out)
    image_from_crop = np.zeros((len(corners), 2, 3))
    image_from_crop[:, [0, 1], [0, 1]] = (corners[:, 2:] - corners[:, :2]) / (spec.width, spec.height)
    image_from_crop[:, :, 2] = corners[:, :2]
    for person, (x1, y1, x2, y2) in enumerate(corners):
        part = image[y1:y2, x1:x2]
        if part.size == 3:  # OpenCV before 4.5.5 cannot take a single pixel
            part = part.repeat(2, axis=1)
        pixels = cv2.resize(part, (spec.width, spec.height), interpolation=cv2.INTER_LINEAR)
        normalise_into(tensor[person], pixels, spec=spec)
    return Crops(tensor, image_from_crop)


Crop = Callable[..., Crops]
CROPS: dict[str, Crop] = {"topdown": topdown, "ailia": ailia}


def to_image(points_xy: np.ndarray, image_from_crop: np.ndarray) -> np.ndarray:
    """Crop pixels (N, K, 2) -> image pixels (N, K, 2) float32, through (N, 2, 3) affines."""
    linear, offset = image_from_crop[:, :, :2], image_from_crop[:, None, :, 2]
    return (points_xy @ linear.transpose(0, 2, 1) + offset).astype(np.float32)


def _inverse(affines: np.ndarray) -> np.ndarray:
    """Inverse of (N, 2, 3) affines."""
    linear = np.linalg.inv(affines[:, :, :2])
    return np.concatenate([linear, -linear @ affines[:, :, 2:]], axis=2)


def _ailia_corners(image: np.ndarray, boxes_xyxy: np.ndarray, *, aspect: float) -> np.ndarray:
    """(N, 4) whole-pixel corners inside the image, at least one pixel wide and high."""
    height, width = image.shape[:2]
    clipped = boxes.clip_to_image(np.trunc(np.asarray(boxes_xyxy, np.float64)), width=width, height=height)
    new_width = aspect * (clipped[:, 3] - clipped[:, 1])
    left = clipped[:, 0] - (new_width - (clipped[:, 2] - clipped[:, 0])) / 2
    corners = np.trunc(np.stack([left, clipped[:, 1], left + new_width, clipped[:, 3]], axis=1)).astype(int)
    corners[:, :2] = np.clip(corners[:, :2], 0, (width - 1, height - 1))
    corners[:, 2:] = np.clip(corners[:, 2:], corners[:, :2] + 1, (width, height))
    return corners
