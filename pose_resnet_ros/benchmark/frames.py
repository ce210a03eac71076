# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Latency of whole frames against the number of persons, for several configurations in turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np

from pose_resnet_ros.benchmark.frame import ALL_STAGES, NETWORKS, FrameRun, message_of
from pose_resnet_ros.benchmark.scenes import SYNTHETIC, Scene, recorded_images, recorded_scene, synthetic_scene
from pose_resnet_ros.benchmark.timing import Timing, interleaved, ratio
from pose_resnet_ros.pipeline import PosePipeline, load_pipeline

RECORDED_COUNT = 8
SYNTHETIC_WH = (640, 480)
# Milliseconds of each round: by the clock, and of the processors.
_Clocks = tuple[np.ndarray, np.ndarray]


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


@dataclass(frozen=True)
class Source:
    """Where the frames come from: ``synthetic``, or a file or folder; encoding: bgr8 or rgb8.

    size_wh: of the frames; None: 640 x 480 for synthetic ones, their own for others.
    """

    name: str = SYNTHETIC
    size_wh: tuple[int, int] | None = None
    encoding: str = "bgr8"


def measure_frames(
    configurations: Mapping[str, Mapping[str, Any]], *, persons: Sequence[int], source: Source, rounds: int
) -> list[FrameRow]:
    """Every configuration with every number of persons; configurations: a name to the arguments of ``load_pipeline``.

    Raises what ``load_pipeline`` does, and SettingsError for a source that cannot be read.
    """
    with ExitStack() as stack:
        pipelines = {name: stack.enter_context(load_pipeline(**given)) for name, given in configurations.items()}
        scenes_for = _scene_maker(source, next(iter(pipelines.values())))
        return [row for count in persons for row in _measure_count(pipelines, scenes_for(count), count, source.encoding, rounds)]


def _scene_maker(source: Source, pipeline: PosePipeline) -> Callable[[int], list[Scene]]:
    if source.name == SYNTHETIC:
        width, height = source.size_wh or SYNTHETIC_WH
        return lambda count: [synthetic_scene(count, width=width, height=height)]
    images = recorded_images(source.name, count=RECORDED_COUNT, size_wh=source.size_wh)
    return lambda count: [recorded_scene(image, count, detector=pipeline.detector) for image in images]


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
