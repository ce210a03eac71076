#!/usr/bin/env python3
# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Ways to share a CPU's cores among cameras: frames one after another, in batches, in two stages, side by side, in processes.

Each camera plays the video from another place, at its rate. The candidates take turns. ROS is not needed.

python3 -m benchmarks.several_cameras street.avi --cameras 4 --precision fp32
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from queue import Queue
from typing import Any

import numpy as np

from pose_resnet_ros.media import open_media
from pose_resnet_ros.models.hardware import physical_cores
from pose_resnet_ros.pipeline import PosePipeline, load_pipeline
from pose_resnet_ros.ros.worker import FrameWorker, InputFrame
from pose_resnet_ros.settings import FrameSettings
from pose_resnet_ros.stream import PersonStream

FRAMES = 40
THRESHOLDS = {"detection_threshold": FrameSettings().detection_threshold, "nms_threshold": FrameSettings().nms_threshold}


@dataclass(frozen=True)
class Frame:
    camera: int
    image: np.ndarray
    received_s: float


@dataclass(frozen=True)
class Turn:
    """What a candidate did in its seconds. results: (camera, delay in seconds) of each."""

    results: list[tuple[int, float]]
    wall_s: float
    cpu_s: float


COLUMNS: dict[str, Callable[[Turn], float]] = {
    "rate": lambda turn: len(turn.results) / turn.wall_s,
    "delay": lambda turn: 1e3 * statistics.median(delay_s for _, delay_s in turn.results),
    "cpu": lambda turn: 1e3 * turn.cpu_s / len(turn.results),
    "cores": lambda turn: turn.cpu_s / turn.wall_s,
}


class Cameras:
    """Gives the newest frame of the camera whose turn it is."""

    def __init__(self, images: Sequence[np.ndarray], numbers: Sequence[int], rate_hz: float, seconds: float) -> None:
        self._images, self._rate_hz = images, rate_hz
        self._latest = dict.fromkeys(numbers, -1)
        self._begin_s = time.monotonic()
        self.end_s = self._begin_s + seconds

    def newest(self, camera: int) -> Frame | None:
        """None where it was taken already."""
        shift = camera / 7  # cameras do not send at the same moment
        number = int((time.monotonic() - self._begin_s) * self._rate_hz + shift)
        if number <= self._latest[camera]:
            return None
        self._latest[camera] = number
        image = self._images[(number + camera * len(self._images) // 4) % len(self._images)]
        return Frame(camera, image, self._begin_s + max(0.0, number - shift) / self._rate_hz)

    def wait(self) -> list[Frame]:
        """The newest frames of all that have one, at least one; none at the end. Whoever was served longest ago comes first."""
        while time.monotonic() < self.end_s:
            for camera in list(self._latest):
                if (frame := self.newest(camera)) is not None:
                    self._latest[camera] = self._latest.pop(camera)
                    return [frame]
            time.sleep(0.001)
        return []


class Run:
    """One turn of one candidate: its cameras, their streams, what came out."""

    def __init__(self, pipeline: PosePipeline, cameras: Cameras, numbers: Sequence[int]) -> None:
        self.pipeline, self.cameras, self.numbers = pipeline, cameras, numbers
        self.streams = {number: PersonStream(pipeline) for number in numbers}
        self.results: list[tuple[int, float]] = []

    def process(self, frame: Frame, **given: Any) -> None:
        self.streams[frame.camera].run(frame.image, stamp_s=frame.received_s, **given)
        self.results.append((frame.camera, time.monotonic() - frame.received_s))


def one_after_another(run: Run) -> None:
    while frames := run.cameras.wait():
        run.process(frames[0])


def in_batches(run: Run) -> None:
    """Without tracking, which does not share anything."""
    while frames := run.cameras.wait():
        frames += [frame for number in run.numbers if (frame := run.cameras.newest(number)) is not None]
        run.pipeline.run_batch([frame.image for frame in frames])
        run.results += [(frame.camera, time.monotonic() - frame.received_s) for frame in frames]


def in_two_stages(run: Run) -> None:
    """The detector looks at the next frame while the pose network works on this one; one frame waits in between."""
    between: Queue[Any] = Queue(maxsize=1)

    def detect() -> None:
        while frames := run.cameras.wait():
            between.put((frames[0], run.pipeline.detector.detect(frames[0].image, **THRESHOLDS)))
        between.put(None)

    thread = threading.Thread(target=detect)
    thread.start()
    while (found := between.get()) is not None:
        run.process(found[0], boxes=found[1])
    thread.join()


def side_by_side(run: Run) -> None:
    """The node's own worker; each camera sends when its frame is wanted."""
    worker = FrameWorker(min(len(run.numbers), physical_cores()))
    wanted = threading.Event()
    callbacks = {"on_stale": lambda: None, "on_wanted": wanted.set, "max_age_ms": lambda: 0.0}
    slots = {number: worker.add(lambda frame: run.process(frame.image), **callbacks) for number in run.numbers}
    worker.start()
    while time.monotonic() < run.cameras.end_s:
        for number, slot in slots.items():
            if slot.is_wanted and (frame := run.cameras.newest(number)) is not None:
                slot.put(InputFrame(frame, frame.received_s))
        wanted.wait(timeout=0.01)  # asking more often would cost the CPU time that is measured
        wanted.clear()
    worker.stop(timeout_s=60.0)


class Candidate:
    """A way to serve all cameras, in a process of its own, or several of them with a camera each."""

    def __init__(self, name: str, serve: Callable[[Run], None], threads: int, options: argparse.Namespace) -> None:
        self.name = name
        cameras = list(range(options.cameras))
        shares = [[camera] for camera in cameras] if name == "a process each" else [cameras]
        context = multiprocessing.get_context("spawn")
        self._pipes, self._processes = [], []
        for share in shares:
            ours, theirs = context.Pipe()
            self._processes.append(context.Process(target=work, args=(theirs, serve, share, threads, options), daemon=True))
            self._processes[-1].start()
            self._pipes.append(ours)
        self.memory_mib = 0.0
        self.turns: list[Turn] = []
        for pipe in self._pipes:
            pipe.recv()

    def take_turn(self) -> None:
        for pipe in self._pipes:
            pipe.send(True)
        turns, memory = zip(*[pipe.recv() for pipe in self._pipes], strict=True)
        self.memory_mib = sum(memory)
        results = [result for turn in turns for result in turn.results]
        self.turns.append(Turn(results, max(turn.wall_s for turn in turns), sum(turn.cpu_s for turn in turns)))

    def close(self) -> None:
        for pipe, process in zip(self._pipes, self._processes, strict=True):
            pipe.send(False)
            process.join()


def work(pipe: Any, serve: Callable[[Run], None], numbers: list[int], threads: int, options: argparse.Namespace) -> None:
    with closing(open_media(options.source)) as media:
        images = [picture.bgr for picture in (media.read() for _ in range(FRAMES)) if picture is not None]
    precision = {"precision": options.precision, "detector_precision": options.precision}
    with load_pipeline(threads=threads, backend="cpu", **precision) as pipeline:
        pipeline.run(images[0])
        pipe.send(None)
        while pipe.recv():
            begin_s, cpu_s = time.monotonic(), time.process_time()
            run = Run(pipeline, Cameras(images, numbers, options.rate, options.seconds), numbers)
            serve(run)
            turn = Turn(run.results, time.monotonic() - begin_s, time.process_time() - cpu_s)
            peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            pipe.send((turn, peak_kib / 1024 - sum(image.nbytes for image in images) / 2**20))


def row(candidate: Candidate, first: Candidate) -> str:
    def median(name: str) -> float:
        return statistics.median(COLUMNS[name](turn) for turn in candidate.turns)

    def ratio(name: str) -> float:
        value, pairs = COLUMNS[name], zip(candidate.turns, first.turns, strict=True)
        return statistics.median(value(own) / value(other) for own, other in pairs)

    cells = [f"{median(name):.1f} ({ratio(name):.2f})" for name in ("rate", "delay", "cpu")]
    served = [camera for turn in candidate.turns for camera, _ in turn.results]
    counts = [served.count(camera) for camera in sorted(set(served))]
    cells += [f"{median('cores'):.2f}", f"{min(counts) / max(counts):.2f}", f"{candidate.memory_mib:.0f}"]
    return f"| {candidate.name} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="video of people")
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--rate", type=float, default=10.0, help="images per second of each camera")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each turn, of which each candidate has --rounds")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ways", nargs="+", help="some of them, by the names in the table, quoted; default: all")
    options = parser.parse_args()
    cores = physical_cores()
    ways = [
        ("one after another", one_after_another, cores),
        ("one after another, one thread", one_after_another, 1),
        ("in batches", in_batches, cores),
        ("in two stages", in_two_stages, cores),
        ("in two stages, one thread each", in_two_stages, 1),
        ("side by side, all threads each", side_by_side, cores),
        ("side by side", side_by_side, max(1, cores // options.cameras)),
        ("a process each", one_after_another, cores),
    ]
    chosen = [way for way in ways if not options.ways or way[0] in options.ways]
    candidates = [Candidate(name, serve, threads, options) for name, serve, threads in chosen]
    for number in range(options.rounds):
        for candidate in candidates[:: 1 if number % 2 == 0 else -1]:
            candidate.take_turn()
    print(
        "| way | results/s (ratio) | delay ms (ratio) | CPU ms per result (ratio) | cores used | slowest / fastest camera | MiB |"
    )
    print("|---|---|---|---|---|---|---|")
    for candidate in candidates:
        print(row(candidate, candidates[0]))
        candidate.close()


if __name__ == "__main__":
    main()
