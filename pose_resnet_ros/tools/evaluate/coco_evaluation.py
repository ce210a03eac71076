# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""COCO keypoint evaluation of the pipeline, with the boxes, the rescoring and the suppression of the SimpleBaseline paper.

Source of the rules: microsoft/human-pose-estimation.pytorch, lib/dataset/coco.py and lib/nms/nms.py; pycocotools measures.
"""

from __future__ import annotations

import contextlib
import io
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pose_resnet_ros.checked_json import BOX, FLAG, KEYPOINTS, NAME, NUMBER, SIZE, WHOLE, checked_rows, coco_lists, read_json
from pose_resnet_ros.core import boxes as box_maths
from pose_resnet_ros.core.errors import DataFileError, ImageError, PoseError, SettingsError
from pose_resnet_ros.core.skeletons import COCO17
from pose_resnet_ros.core.types import Detections, People
from pose_resnet_ros.models.spec import PoseSpec
from pose_resnet_ros.pipeline import PosePipeline
from pose_resnet_ros.settings import FrameSettings
from pose_resnet_ros.stills import StillImage

MEASURES = ("AP", "AP .5", "AP .75", "AP M", "AP L", "AR", "AR .5", "AR .75", "AR M", "AR L")
PERSON_CATEGORY = 1
KEYPOINT_THRESHOLD = 0.2  # of the rescoring
OKS_THRESHOLD = 0.9  # of the suppression
POSE_STAGES = ("crop", "pose", "decode")
_IMAGE = {"id": WHOLE, "file_name": NAME, "width": SIZE, "height": SIZE}
_ANNOTATION = {
    "image_id": WHOLE,
    "category_id": WHOLE,
    "bbox": BOX,
    "area": NUMBER,
    "iscrowd": FLAG,
    "num_keypoints": WHOLE,
    "keypoints": KEYPOINTS,
}
_RESULT = {"image_id": WHOLE, "category_id": WHOLE, "bbox": BOX, "score": NUMBER}
BoxesByImage = dict[int, Detections]


class CocoData:
    """A COCO annotation file and its images."""

    def __init__(self, annotations: Path, images: Path) -> None:
        """Raises DataFileError for what is wrong in the file, SettingsError without pycocotools."""
        try:
            from pycocotools.coco import COCO
        except ImportError as error:
            raise SettingsError("evaluation needs pycocotools; pip install pycocotools") from error
        self.coco = COCO()
        self.coco.dataset = read_annotations(annotations)
        with contextlib.redirect_stdout(io.StringIO()):
            self.coco.createIndex()
        self.image_ids: list[int] = sorted(self.coco.getImgIds())
        self._folder = images

    def image(self, image_id: int) -> np.ndarray:
        """The image (H, W, 3) uint8 BGR, in the pixels that its annotations are in. Raises ImageError."""
        row = self.coco.imgs[image_id]
        path = self._folder / row["file_name"]
        if not path.exists():
            raise ImageError(f"{path} is not there; see --images")
        return StillImage(path).declared_pixels((row["width"], row["height"]))

    def image_files(self) -> list[Path]:
        """Of all images."""
        return [self._folder / image["file_name"] for image in self.coco.imgs.values()]

    def true_boxes(self) -> BoxesByImage:
        """Annotated persons with keypoints, cleaned as in the published code: clipped, and one pixel smaller."""
        rows: dict[int, list[list[float]]] = defaultdict(list)
        for annotation in self.coco.loadAnns(self.coco.getAnnIds(catIds=[PERSON_CATEGORY], iscrowd=False)):
            box = self._cleaned(annotation)
            if box is not None and max(annotation["keypoints"] or [0]) > 0:
                rows[annotation["image_id"]].append([*box, 1.0])
        return _by_image(rows)

    def _cleaned(self, annotation: dict[str, Any]) -> list[float] | None:
        x, y, width, height = annotation["bbox"]
        image = self.coco.imgs[annotation["image_id"]]
        x1, y1 = max(0, x), max(0, y)
        x2 = min(image["width"] - 1, x1 + max(0, width - 1))
        y2 = min(image["height"] - 1, y1 + max(0, height - 1))
        return [x1, y1, x2, y2] if annotation["area"] > 0 and x2 >= x1 and y2 >= y1 else None


def read_annotations(path: Path) -> dict[str, Any]:
    """A COCO annotation file of persons with keypoints, its annotations numbered anew from 1.

    Raises DataFileError, which names the place of what is wrong.
    """
    whole = read_json(path)
    data = coco_lists(whole, images=_IMAGE, annotations=_ANNOTATION, categories={"id": WHOLE}, where=path)
    if all(category["id"] != PERSON_CATEGORY for category in data["categories"]):
        raise DataFileError(f"{path}: categories: expected one with the id {PERSON_CATEGORY}, COCO's person")
    # pycocotools takes 0 for "no annotation", and one of two annotations with the same id for the other.
    rows = [{**row, "id": number} for number, row in enumerate(data["annotations"], start=1)]
    return {**whole, "annotations": rows}


def boxes_from_file(path: Path) -> BoxesByImage:
    """A COCO detection result file: a list of objects with image_id, bbox xywh, score, and category_id (persons are kept).

    Raises DataFileError if it is not one.
    """
    rows: dict[int, list[list[float]]] = defaultdict(list)
    for row in checked_rows(read_json(path), _RESULT, where=path):
        if row["category_id"] == PERSON_CATEGORY:
            x, y, width, height = row["bbox"]
            rows[int(row["image_id"])].append([x, y, x + width, y + height, row["score"]])
    return _by_image(rows)


def _by_image(rows: dict[int, list[list[float]]]) -> BoxesByImage:
    found = {}
    for image_id, values in rows.items():
        array = np.array(values, np.float32)
        detections = Detections(array[:, :4], array[:, 4])
        found[image_id] = detections[box_maths.is_valid(detections.boxes_xyxy)]
    return found


@dataclass
class Measurement:
    """What one pass over the data gave. rows: COCO results; pose_seconds: in the pose stages alone."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    persons: int = 0
    pose_seconds: float = 0.0


def measure(
    pipeline: PosePipeline, data: CocoData, image_ids: Iterable[int], *, boxes: BoxesByImage | None, settings: FrameSettings
) -> Measurement:
    """Run the pipeline over the images. boxes: given persons by image id, or None for the pipeline's own detector.

    The pipeline's skeleton must be coco17. Raises ImageError for an image that cannot be read.
    """
    result = Measurement()
    for image_id in image_ids:
        image = data.image(image_id)
        given = None if boxes is None else boxes.get(image_id, Detections.empty())
        try:
            found = pipeline.run(image, settings=settings, boxes=given)
        except PoseError as error:
            raise type(error)(f"image {image_id}: {error}") from error
        result.persons += len(found.people)
        result.pose_seconds += sum(found.stage_ms.get(stage, 0.0) for stage in POSE_STAGES) / 1e3
        result.rows += result_rows(found.people, image_id=image_id, spec=pipeline.pose_net.spec)
    return result


def result_rows(people: People, *, image_id: int, spec: PoseSpec) -> list[dict[str, Any]]:
    """COCO result rows of one image, the best first: rescored, and without persons that repeat a better one.

    people: with COCO's 17 joints; spec: of the pose network, whose padded boxes give the areas of the suppression.
    """
    scores = people.rescored(KEYPOINT_THRESHOLD)
    aspect = spec.input.width / spec.input.height
    views = box_maths.pad_to_aspect(people.boxes_xyxy, aspect=aspect, padding=spec.padding)
    kept = box_maths.oks_nms(
        people.keypoints_xy, scores, areas=box_maths.areas(views), sigmas=COCO17.oks_sigmas, threshold=OKS_THRESHOLD
    )
    points = np.concatenate([people.keypoints_xy, people.keypoint_scores[..., None]], axis=2).astype(float)
    return [
        {
            "image_id": image_id,
            "category_id": PERSON_CATEGORY,
            "keypoints": points[person].ravel().tolist(),
            "score": float(scores[person]),
        }
        for person in kept
    ]


def coco_measures(data: CocoData, rows: list[dict[str, Any]], image_ids: list[int]) -> dict[str, float]:
    """COCO's ten figures, 0..1 (-1 where there is nothing to measure), over these images."""
    from pycocotools.cocoeval import COCOeval

    if not rows:
        return dict.fromkeys(MEASURES, 0.0)
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(data.coco, data.coco.loadRes(rows), "keypoints")
        evaluation.params.imgIds = image_ids
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return {name: float(value) for name, value in zip(MEASURES, evaluation.stats, strict=True)}
