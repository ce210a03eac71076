# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Whole frames, stage by stage, against the number of persons: everything that the node does with an image, for several
configurations in turns (A B A B), so that other load on the machine affects all of them alike.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from pose_resnet_ros.benchmark.scenes import Scene, Source
from pose_resnet_ros.core.draw import draw_people
from pose_resnet_ros.core.types import People
from pose_resnet_ros.models.stages import STAGES, StageClock
from pose_resnet_ros.pipeline import PosePipeline, load_pipeline
from pose_resnet_ros.settings import FrameSettings

NETWORKS = ("detect", "pose")
ALL_STAGES = ("convert", *STAGES, "publish", "draw")
_Clocks = tuple[np.ndarray, np.ndarray]  # milliseconds of each round: by the clock, and of the processors


@dataclass(frozen=True)
class Timing:
    """One candidate's milliseconds per call, over its rounds."""

    median_ms: float
    p95_ms: float
    rounds: int

    @classmethod
    def of(cls, samples_ms: np.ndarray) -> Timing:
        median, p95 = np.percentile(samples_ms, (50, 95)).tolist()
        return cls(median, p95, len(samples_ms))


def interleaved(candidates: Mapping[str, Callable[[], object]], *, rounds: int, warm_up: int = 2) -> dict[str, np.ndarray]:
    """Call every candidate once per round: wall-clock milliseconds (rounds,) of each, without the warm-up rounds.

    Every other round runs in reverse order, so that no candidate always follows the same neighbour's caches.
    """
    samples: dict[str, list[float]] = {name: [] for name in candidates}
    for turn in range(warm_up + rounds):
        names = list(candidates)[:: 1 if turn % 2 == 0 else -1]
        for name in names:
            begin = time.perf_counter()
            candidates[name]()
            elapsed_ms = 1e3 * (time.perf_counter() - begin)
            if turn >= warm_up:
                samples[name].append(elapsed_ms)
    return {name: np.array(values) for name, values in samples.items()}


def ratio(samples_ms: np.ndarray, baseline_ms: np.ndarray) -> float:
    """The time relative to the baseline: the median over the rounds of the ratio within a round."""
    return float(np.median(samples_ms / baseline_ms))


@dataclass(frozen=True)
class FrameRow:
    """One configuration with one number of persons.

    stage_ms: medians; others_share: the median share of the frame's time that is in neither network; against_first: how many
    times as long as the first configuration takes, in the same rounds; cpu_ms: median processor time of all threads, which other
    programs on the machine change less than the time by the clock; cpu_against_first: of that.
    """

    configuration: str
    persons: int
    whole: Timing
    stage_ms: dict[str, float]
    others_share: float
    against_first: float
    cpu_ms: float
    cpu_against_first: float


def measure_frames(
    configurations: Mapping[str, Mapping[str, Any]], *, persons: Sequence[int], source: Source, rounds: int
) -> list[FrameRow]:
    """Every configuration with every number of persons; configurations: a name to the arguments of ``load_pipeline``.

    Raises what ``load_pipeline`` does, and SettingsError for a source that cannot be read.
    """
    with ExitStack() as stack:
        pipelines = {name: stack.enter_context(load_pipeline(**given)) for name, given in configurations.items()}
        scenes_for = source.scene_maker(next(iter(pipelines.values())).detector)
        return [row for count in persons for row in _measure_count(pipelines, scenes_for(count), count, source.encoding, rounds)]


def _measure_count(
    pipelines: Mapping[str, PosePipeline], scenes: list[Scene], count: int, encoding: str, rounds: int
) -> list[FrameRow]:
    messages = [message_of(scene.image, encoding=encoding) for scene in scenes]
    stages: dict[str, list[dict[str, float]]] = {name: [] for name in pipelines}
    cpu_ms: dict[str, list[float]] = {name: [] for name in pipelines}

    def candidate(name: str) -> Callable[[], None]:
        run = FrameRun(pipelines[name])

        def once() -> None:
            turn = len(stages[name]) % len(scenes)
            begin = time.process_time()
            stages[name].append(run(scenes[turn], messages[turn]))
            cpu_ms[name].append(1e3 * (time.process_time() - begin))

        return once

    samples = interleaved({name: candidate(name) for name in pipelines}, rounds=rounds)
    clocks = {name: (samples[name], np.array(cpu_ms[name][-rounds:])) for name in pipelines}
    first = next(iter(clocks.values()))
    return [_row(name, count, clocks[name], stages[name][-rounds:], first) for name in pipelines]


def _row(name: str, count: int, clocks: _Clocks, stages: list[dict[str, float]], first: _Clocks) -> FrameRow:
    samples_ms, cpu_ms = clocks
    names = [stage for stage in ALL_STAGES if stage in stages[0]]
    networks = np.array([sum(one.get(network, 0.0) for network in NETWORKS) for one in stages])
    return FrameRow(
        configuration=name,
        persons=count,
        whole=Timing.of(samples_ms),
        stage_ms={stage: float(np.median([one[stage] for one in stages])) for stage in names},
        others_share=float(np.median(1 - networks / samples_ms)),
        against_first=ratio(samples_ms, first[0]),
        cpu_ms=float(np.median(cpu_ms)),
        cpu_against_first=ratio(cpu_ms, first[1]),
    )


class FrameRun:
    """Runs frames through a pipeline and times every stage.

    The detector runs, but the scene's boxes are used, so that the number of persons is the requested one. ``publish`` is building
    and serialising the message, and is missing without ROS 2; ``benchmark --node`` measures the transport.
    """

    def __init__(self, pipeline: PosePipeline) -> None:
        self._pipeline = pipeline
        self._settings = FrameSettings()
        self._publish = _publisher(pipeline)

    def __call__(self, scene: Scene, message: Any) -> dict[str, float]:
        """Milliseconds by stage; message: ``scene`` as ``message_of`` makes it."""
        from pose_resnet_ros.ros.codecs.image import image_to_bgr  # it imports no ROS

        clock, settings = StageClock(), self._settings
        with clock.stage("convert"):
            image = image_to_bgr(message)
        self._pipeline.detector.detect(
            image, detection_threshold=settings.detection_threshold, nms_threshold=settings.nms_threshold, clock=clock
        )
        result = self._pipeline.run(image, settings=settings, boxes=scene.boxes)
        for stage, ms in result.stage_ms.items():
            clock.ms[stage] = clock.ms.get(stage, 0.0) + ms
        if self._publish is not None:
            with clock.stage("publish"):
                self._publish(result.people, image)
        with clock.stage("draw"):
            draw_people(image, result.people, self._pipeline.skeleton)
        return clock.ms


def message_of(image: np.ndarray, *, encoding: str = "bgr8") -> Any:
    """The fields of a ``sensor_msgs/Image``, without ROS; encoding: bgr8 or rgb8."""
    height, width, _ = image.shape
    data = array("B")
    data.frombytes(np.ascontiguousarray(image).tobytes())
    return SimpleNamespace(height=height, width=width, encoding=encoding, is_bigendian=0, step=3 * width, data=data)


def _publisher(pipeline: PosePipeline) -> Callable[[People, np.ndarray], bytes] | None:
    """Builds and serialises the message; None without ROS 2."""
    try:
        from pose_resnet_ros.ros.messages import persons_bytes
    except ImportError:
        return None

    def publish(people: People, image: np.ndarray) -> bytes:
        size, threshold = (image.shape[1], image.shape[0]), FrameSettings().keypoint_threshold
        return persons_bytes(people, pipeline.skeleton, image_wh=size, keypoint_threshold=threshold)

    return publish
