# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The published person detectors. The URLs are as their makers or users give them; none was opened here.

Multiply-adds: counted for darknet's networks (``export/onnx_file.py``), half of the published FLOPs for YOLOX.
"""

from __future__ import annotations

from typing import Any

from pose_resnet_ros.core.types import InputSpec, YoloScale
from pose_resnet_ros.models.spec import DetectorSpec, Digest, ModelEntry

_COCO = "COCO (licence of the images not verified)"
_ZOO_FILE = "validated/vision/object_detection_segmentation/yolov3/model/yolov3-12-int8.onnx"
_TINY_ANCHORS = ((10, 14), (23, 27), (37, 58), (81, 82), (135, 169), (344, 319))
_ANCHORS = ((10, 13), (16, 30), (33, 23), (30, 61), (62, 45), (59, 119), (116, 90), (156, 198), (373, 326))


def _scales(anchors: tuple[tuple[int, int], ...], masks: dict[int, tuple[int, ...]]) -> tuple[YoloScale, ...]:
    return tuple(YoloScale(stride, tuple(anchors[i] for i in mask)) for stride, mask in masks.items())


# The current yolov3-tiny.cfg says masks 0,1,2 for the fine scale; the published weights were trained with 1,2,3.
_TINY_SCALES = _scales(_TINY_ANCHORS, {32: (3, 4, 5), 16: (1, 2, 3)})
_SCALES = _scales(_ANCHORS, {32: (6, 7, 8), 16: (3, 4, 5), 8: (0, 1, 2)})


_YOLOV3_GMAC = 32.94


def _darknet(name: str, scales: tuple[YoloScale, ...], *, size: int, digest: Digest, gmac: float, **facts: Any) -> ModelEntry:
    """size: follows from the network's definition, to the byte."""
    weights = f"{name.replace('_', '-')}.weights"
    pixels = InputSpec(416, 416, "rgb", 1 / 255)
    return ModelEntry.of(
        DetectorSpec(name, pixels, letterbox="darknet", decoder="yolov3", scales=scales, class_count=80),
        checkpoint=weights,
        source="pjreddie/darknet",
        licence="public domain (code)",
        terms="no separate licence stated for the weights",
        data=_COCO,
        urls=(
            f"https://data.pjreddie.com/files/{weights}",
            f"https://pjreddie.com/media/files/{weights}",
            f"https://github.com/hank-ai/darknet/releases/download/v2.0/{weights}",
        ),
        size=size,
        digest=digest,
        gmac=gmac,
        **facts,
    )


_DARKNET = (
    _darknet(
        "yolov3_tiny",
        _TINY_SCALES,
        size=35_434_956,
        digest=Digest("sha256", "dccea06f59b781ec1234ddf8d1e94b9519a97f4245748a7d4db75d5b7080a42c"),
        gmac=2.78,
        was_seen=True,
        measured=(("person AP50", 0.51),),
        note="misses persons that fill a square image; digest as stated by several third parties",
    ),
    _darknet(
        "yolov3",
        _SCALES,
        size=248_007_048,
        digest=Digest("sha1", "520878f12e97cf820529daea502acca380f1cb8e"),
        gmac=_YOLOV3_GMAC,
        note="digest as stated by third parties; the published cfg file has 608x608 (set detector_input)",
    ),
)


_ZOO = (
    ModelEntry.of(
        DetectorSpec(
            "yolov3_zoo_int8", InputSpec(416, 416, "rgb", 1 / 255), letterbox="onnx_zoo", decoder="onnx_zoo", class_count=80
        ),
        source="onnx/models (ONNX Model Zoo), yolov3-12-int8",
        licence="MIT",
        data=_COCO,
        urls=(
            f"https://github.com/onnx/models/raw/main/{_ZOO_FILE}",
            f"https://media.githubusercontent.com/media/onnx/models/main/{_ZOO_FILE}",
        ),
        size=63_200_797,
        digest=Digest("sha256", "d076e4866b0f4af3ba2b25df61652b0da2df6d01b760d35a0b032705115167e4"),
        gmac=_YOLOV3_GMAC,
        note="int8 weights and activations; NMS is inside the graph, with thresholds that were not verified",
    ),
)


def _yolox_spec(name: str, side: int, *, decoder: str, class_count: int) -> DetectorSpec:
    """BGR pixels 0..255, no statistics."""
    return DetectorSpec(name, InputSpec(side, side, "bgr", 1.0), letterbox="yolox", decoder=decoder, class_count=class_count)


# By size: megabytes of the file and 1e9 multiply-adds.
_YOLOX_COST = {"nano": (3.7, 0.54), "tiny": (20, 3.2), "s": (36, 13.4), "m": (101, 36.9), "x": (397, 141)}


def _yolox(size_name: str, *, ap: float, size: int | None = None, sha256: str = "") -> ModelEntry:
    name = f"yolox_{size_name}"
    side = 416 if size_name in ("nano", "tiny") else 640
    return ModelEntry.of(
        _yolox_spec(name, side, decoder="yolox", class_count=80),
        source="Megvii-BaseDetection/YOLOX, release 0.1.1rc0",
        licence="Apache-2.0 (code)",
        terms="no separate licence found for the weights",
        data=_COCO,
        urls=(f"https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0/{name}.onnx",),
        size=size,
        digest=Digest("sha256", sha256) if sha256 else None,
        accuracy=(("box AP", ap),),
        megabytes=_YOLOX_COST[size_name][0],
        gmac=_YOLOX_COST[size_name][1],
        note="size and digest as stated by third parties" if sha256 else "",
    )


_YOLOX = (
    _yolox("nano", ap=0.258, size=3_659_407, sha256="c789161ed43c8269fcd4e67c67eeeb4e80c622da2eb296a20bc6007bd18a0b7d"),
    _yolox("tiny", ap=0.328, size=20_219_662, sha256="427cc366d34e27ff7a03e2899b5e3671425c262ea2291f88bb942bc1cc70b0f7"),
    _yolox("s", ap=0.405, size=35_858_002, sha256="c5c2d13e59ae883e6af3b45daea64af4833a4951c92d116ec270d9ddbe998063"),
    _yolox("m", ap=0.472),
    _yolox("x", ap=0.515),
)


def _humanart(size_name: str, digits: str, person_ap: float) -> ModelEntry:
    name = f"yolox_{size_name}_humanart"
    file = f"yolox_{size_name}_8xb8-300e_humanart-{digits}.zip"
    side = 416 if size_name in ("nano", "tiny") else 640
    return ModelEntry.of(
        _yolox_spec(name, side, decoder="yolox_nms", class_count=1),
        zip_member="end2end.onnx",
        source="open-mmlab/mmpose, as listed by Tau-J/rtmlib",
        licence="Apache-2.0 (code)",
        terms="no separate licence stated for the weights",
        data="Human-Art and COCO, persons only (licence of the images not verified)",
        urls=(f"https://download.openmmlab.com/mmpose/v1/projects/rtmposev1/onnx_sdk/{file}",),
        accuracy=(("person AP", person_ap),),
        megabytes=_YOLOX_COST[size_name][0],
        gmac=_YOLOX_COST[size_name][1],
        note="the digits in the zip's name may be its digest, which was not verified",
    )


_HUMANART = (
    _humanart("tiny", "6f3252f9", 0.477),
    _humanart("s", "3ef259a7", 0.546),
    _humanart("m", "c2c7a14a", 0.591),
    _humanart("x", "a39d44ed", 0.613),
)

_RTDETR = (
    ModelEntry.of(
        DetectorSpec("rtdetrv2_s", InputSpec(640, 640, "rgb", 1 / 255), letterbox="stretched", decoder="rtdetr", class_count=80),
        source="lyuwenyu/RT-DETR, rtdetrv2_pytorch",
        licence="Apache-2.0 (code)",
        terms="no separate licence found for the weights",
        data=_COCO,
        manual_page="https://github.com/lyuwenyu/RT-DETR/tree/main/rtdetrv2_pytorch",
        accuracy=(("box AP", 0.479),),
        megabytes=80,
        note="published as a checkpoint: export it with tools/export_onnx.py of that repository and rtdetrv2_r18vd_120e_coco.yml",
    ),
)


_BUNDLED = (
    ModelEntry(
        name="person_lite",
        kind="detector",
        file="person_lite.onnx",
        source="trained by training/ of this package",
        licence="Apache-2.0",
        data="LSP-extended photographs (Johnson and Everingham, CVPR 2011), boxes by a COCO-trained detector",
        bundled=True,
    ),
)

DETECTORS: tuple[ModelEntry, ...] = (*_BUNDLED, *_DARKNET, *_YOLOX, *_HUMANART, *_ZOO, *_RTDETR)
