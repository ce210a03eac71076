# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""End to end against the definition: a checkpoint through export, runtime, crops and decoding, beside PyTorch and float64.

The reference side shares no code with the package but the network's definition: exact bilinear sampling instead of OpenCV's
fixed-point warp, PyTorch instead of onnxruntime, a literal decoder. A joint counts where its peak and its quarter-cell shift
are clearer than the difference that these leave in the heatmaps; elsewhere rounding decides, on either side.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import literal
import numpy as np
import pytest
from scipy.ndimage import map_coordinates

torch = pytest.importorskip("torch")

from pose_resnet_ros.core.types import Detections  # noqa: E402
from pose_resnet_ros.export import conversion  # noqa: E402
from pose_resnet_ros.export.conversion import PoseCheckpoint  # noqa: E402
from pose_resnet_ros.export.torch_networks import PoseResNet, pose_resnet, seeded  # noqa: E402
from pose_resnet_ros.models.pose_net import PoseNet  # noqa: E402
from pose_resnet_ros.models.registry import get_entry  # noqa: E402
from pose_resnet_ros.models.spec import PoseSpec  # noqa: E402

MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
# Inside, across the left, top and lower right borders, wide, and mostly outside.
BOXES = np.array(
    [
        [100, 60, 180, 220],
        [-40, 20, 60, 200],
        [120, -50, 200, 90],
        [250, 150, 345, 270],
        [30, 100, 290, 160],
        [300, 200, 420, 330],
    ],
    np.float32,
)
DECODERS = {"microsoft": literal.microsoft, "mmpose": literal.mmpose, "dark": literal.dark}


@dataclass(frozen=True)
class Both:
    ours_xy: np.ndarray
    reference_xy: np.ndarray
    ours_maps: np.ndarray
    reference_maps: np.ndarray


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    """Smooth noise, in which heatmaps have clear peaks."""
    noise = np.random.default_rng(3).normal(128, 60, (60, 80, 3))
    smooth = cv2.resize(noise, (320, 240), interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def network() -> PoseResNet:
    return seeded(pose_resnet(18, width=16, deconv_channels=32), seed=5)


def reference_crops(image: np.ndarray, spec: PoseSpec) -> np.ndarray:
    """(N, 3, h, w) float32 by exact bilinear sampling, rounded to whole grey levels as an image is."""
    width, height = spec.input.width, spec.input.height
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    crops = []
    for box in BOXES.astype(np.float64):
        centre, scale = literal.crop_view(box, (width, height), spec.padding)
        back = literal.affine(centre, scale, (width, height), inverse=True)
        x, y = (back[i][0] * columns + back[i][1] * rows + back[i][2] for i in (0, 1))
        planes = [
            map_coordinates(image[..., channel].astype(np.float64), [y, x], order=1, mode="grid-constant") for channel in range(3)
        ]
        pixels = np.round(np.stack(planes, axis=2))
        if spec.input.channel_order == "rgb":
            pixels = pixels[..., ::-1]
        crops.append(((pixels / 255 - MEAN) / STD).transpose(2, 0, 1))
    return np.stack(crops).astype(np.float32)


def run_both(row: str, image: np.ndarray, network: PoseResNet, folder: Path) -> Both:
    spec = get_entry(row).spec
    assert isinstance(spec, PoseSpec)
    source = PoseCheckpoint({key: value.numpy() for key, value in network.state_dict().items()}, spec)
    conversion.save(conversion.export(source, spec, conversion.ExportOptions()), folder / "net.onnx")
    ours = PoseNet(folder / "net.onnx").estimate(image, Detections(BOXES, np.ones(len(BOXES), np.float32)))
    with torch.no_grad():
        maps = network(torch.from_numpy(reference_crops(image, spec))).numpy()
    size = (spec.input.width, spec.input.height)
    points, _ = literal.keypoints(maps, BOXES.astype(np.float64), size, spec.padding, DECODERS[spec.decoder])
    assert ours.heatmaps is not None
    return Both(ours.people.keypoints_xy, np.array(points), ours.heatmaps, maps)


def clear_joints(maps: np.ndarray, noise: float) -> np.ndarray:
    """(N, K) mask: the peak is higher than any other cell, and one neighbour than the other, by more than twice the noise."""
    clear = np.zeros(maps.shape[:2], bool)
    for person, joint in np.ndindex(*clear.shape):
        cells = maps[person, joint]
        y, x = np.unravel_index(cells.argmax(), cells.shape)
        second = np.partition(cells.ravel(), -2)[-2]
        inside = 0 < x < cells.shape[1] - 1 and 0 < y < cells.shape[0] - 1
        if inside and cells[y, x] - second > 2 * noise:
            across, down = cells[y, x + 1] - cells[y, x - 1], cells[y + 1, x] - cells[y - 1, x]
            clear[person, joint] = min(abs(across), abs(down)) > 2 * noise
    return clear


@pytest.mark.parametrize("row", ["pose_resnet_50_256x192", "mmpose_res50_256x192", "pose_resnet_50_384x288"])
def test_clear_joints_lie_where_the_definition_puts_them(
    row: str, image: np.ndarray, network: PoseResNet, tmp_path: Path
) -> None:
    both = run_both(row, image, network, tmp_path)
    noise = float(np.abs(both.ours_maps - both.reference_maps).max())
    assert noise < 0.05 * np.abs(both.reference_maps).max()
    clear = clear_joints(both.reference_maps, noise)
    distance = np.linalg.norm(both.ours_xy - both.reference_xy, axis=2)
    print(f"{row}: noise {noise:.2g}, {clear.sum()} of {clear.size} joints clear, furthest {distance[clear].max():.2g} px")
    print(f"of the others {(distance[~clear] < 0.05).sum()} of {(~clear).sum()} agree all the same")
    assert clear.mean() > 0.3
    assert distance[clear].max() < 0.05
