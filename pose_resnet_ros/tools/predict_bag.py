# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""``predict`` on rosbag2 recordings: the node's messages into another bag, faster or slower than real time, without ROS."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from pose_resnet_ros.core.draw import draw_people
from pose_resnet_ros.core.errors import ImageError, PoseError, SettingsError
from pose_resnet_ros.identities import Identities, IdentitySettings
from pose_resnet_ros.pipeline import PosePipeline, load_pipeline
from pose_resnet_ros.sequence import ImageSequence
from pose_resnet_ros.tools import bag_types
from pose_resnet_ros.tools.bag_reading import PACKED, BagImage, BagImages, is_bag
from pose_resnet_ros.tools.bag_salvage import BagError
from pose_resnet_ros.tools.bag_writing import BagResults
from pose_resnet_ros.tools.options import draw_arguments, frame_settings, load_arguments


@dataclass(frozen=True)
class BagJob:
    """One recording; it can be sent to another process. values: of all options, by their names."""

    source: Path
    output: Path
    topic: str | None
    annotated: bool
    values: Mapping[str, Any]


@dataclass(frozen=True)
class BagReport:
    """What became of a job. bad: images that could not be used; problem: why the bag was not read to its end, "" if it was."""

    job: BagJob
    images: int = 0
    persons: int = 0
    bad: int = 0
    problem: str = ""
    skipped: bool = False

    def __str__(self) -> str:
        if self.skipped:
            return f"{self.job.output}: is there already, left as it is"
        what = f"{self.job.source} -> {self.job.output}: {self.images} images, {self.persons} persons"
        return (
            what
            + (f", {self.bad} bad images" if self.bad else "")
            + (f"; {self.problem}" if self.problem else "")
        )


def predict_bags(
    sources: Sequence[Path],
    output: Path,
    values: Mapping[str, Any],
    *,
    topic: str | None = None,
    annotated: bool = False,
    workers: int = 1,
    ray: str | None = None,
) -> int:
    """Every bag to its results; exit code 0, or 1 if one could not be used to its end.

    output: for one bag the bag to write; for several a folder, in which each gets the name of its source. What is there
    already is left as it is: after an interruption the same command goes on with the first bag that is not finished.
    ray: address of a Ray cluster, whose machines see the same files, or local; it takes the place of the workers.
    """
    _check_packages()
    jobs = [
        BagJob(source, target, topic, annotated, values)
        for source, target in _targets(sources, output).items()
    ]
    left = [job for job in jobs if not job.output.exists()]
    done = dict(zip((job.output for job in left), _run_all(left, workers, ray), strict=True))
    reports = [done.get(job.output, BagReport(job, skipped=True)) for job in jobs]
    for report in reports:
        tqdm.write(str(report), file=sys.stderr if report.problem else sys.stdout)
    return int(any(report.problem or report.bad for report in reports))


def _run_all(jobs: Sequence[BagJob], workers: int, ray: str | None) -> Sequence[BagReport]:
    """The reports, in the order of the jobs; where there is no job nothing is started."""
    if not jobs:
        return []
    if ray is not None:
        return _on_ray(jobs, ray)
    workers = min(workers, len(jobs))
    return _one_by_one(jobs) if workers == 1 else _side_by_side(jobs, workers)


def predict_bag(job: BagJob, advance: Callable[[int | None], Any] = lambda total: None) -> BagReport:
    """One bag, in this process. advance: called after each image with the number of images, if it is known.

    A problem with this bag is in the report; raises PoseError for what concerns every bag (the models, the options).
    """
    with load_pipeline(**load_arguments(job.values)) as pipeline:
        try:
            with BagImages(job.source, job.topic) as images:
                results = BagResults(job.output, annotated=job.annotated)
                report = _Run(job, pipeline, results).over(images, advance)
                results.finish()
                return report
        except (BagError, SettingsError) as error:
            return BagReport(job, problem=str(error))


class _Run:
    """The images of one bag, one after the other."""

    def __init__(self, job: BagJob, pipeline: PosePipeline, results: BagResults) -> None:
        self._report = BagReport(job)
        self._pipeline, self._sequence = pipeline, ImageSequence(pipeline)
        self._results = results
        self._settings = frame_settings(job.values)
        self._draw = draw_arguments(job.values)
        self._identities = Identities(pipeline.skeleton, IdentitySettings.from_options(job.values))

    def over(self, images: BagImages, advance: Callable[[int | None], Any]) -> BagReport:
        try:
            for number, image in enumerate(images):
                if number == 0:
                    self._results.write_skeleton(self._pipeline.skeleton, log_ns=image.log_ns)
                try:
                    self._one(image)
                except ImageError as error:
                    self._report = replace(self._report, bad=self._report.bad + 1)
                    tqdm.write(f"error: {images.topic} at {image.log_ns} ns: {error}", file=sys.stderr)
                advance(images.length)
        except BagError as error:  # what was read until then is kept
            self._report = replace(self._report, problem=str(error))
        return self._report

    def _one(self, image: BagImage) -> None:
        bgr = _decode(image)
        header, log_ns = image.message.header, image.log_ns
        stamp_s = (header.stamp.sec * 1_000_000_000 + header.stamp.nanosec or log_ns) / 1e9
        result = self._sequence.run(bgr, settings=self._settings, stamp_s=stamp_s)
        people = self._identities.update(result.people, stamp_s=stamp_s, image=bgr)
        skeleton, threshold = self._pipeline.skeleton, self._settings.keypoint_threshold
        size = bgr.shape[1], bgr.shape[0]
        message = bag_types.person_array(
            header, people, skeleton, image_wh=size, keypoint_threshold=threshold
        )
        self._results.write_persons(message, log_ns=log_ns)
        self._results.write_detections(bag_types.detection_array(header, result.detections), log_ns=log_ns)
        if self._report.job.annotated:
            picture = draw_people(bgr, people, skeleton, keypoint_threshold=threshold, **self._draw)
            self._results.write_picture(header, picture, log_ns=log_ns)
        persons = self._report.persons + len(people)
        self._report = replace(self._report, images=self._report.images + 1, persons=persons)


def _decode(image: BagImage) -> Any:
    from pose_resnet_ros.ros.codecs.compressed import compressed_to_bgr  # neither imports ROS
    from pose_resnet_ros.ros.codecs.image import image_to_bgr

    return compressed_to_bgr(image.message) if image.is_compressed else image_to_bgr(image.message)


def _one_by_one(jobs: Sequence[BagJob]) -> list[BagReport]:
    reports = []
    for job in jobs:
        with tqdm(desc=job.source.name, unit="image", disable=None) as progress:

            def advance(total: int | None, progress: tqdm = progress) -> None:
                progress.total = total
                progress.update()

            reports.append(predict_bag(job, advance))
    return reports


def _side_by_side(jobs: Sequence[BagJob], workers: int) -> list[BagReport]:
    """workers: at least 2, and not more than there are jobs."""
    if jobs[0].values["threads"] == 0:
        share = {"threads": max(1, (os.cpu_count() or 1) // workers)}
        jobs = [replace(job, values={**job.values, **share}) for job in jobs]
    # A process that has loaded onnxruntime cannot be forked safely.
    spawn = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(workers, mp_context=spawn) as pool,
        tqdm(total=len(jobs), unit="bag", disable=None) as progress,
    ):
        futures = {pool.submit(predict_bag, job): job for job in jobs}
        reports = {}
        for future in as_completed(futures):
            reports[futures[future].source] = future.result()
            progress.update()
    return [reports[job.source] for job in jobs]


def _on_ray(jobs: Sequence[BagJob], address: str) -> list[BagReport]:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise PoseError(
            f"--ray needs the package {error.name}: pip install 'pose_resnet_ros[ray]'"
        ) from error
    ray.init(address=address, ignore_reinit_error=True)
    try:
        rows = ray.data.from_items([{"job": _absolute(job)} for job in jobs], override_num_blocks=len(jobs))
        done = rows.map(lambda row: {"report": predict_bag(row["job"])}).take_all()
    finally:
        ray.shutdown()
    reports = {row["report"].job.output: row["report"] for row in done}
    return [reports[_absolute(job).output] for job in jobs]


def _absolute(job: BagJob) -> BagJob:
    """Another process has another current folder; a model that is no file is a name."""
    models = {name: Path(job.values[name]) for name in ("pose_model", "detector_model")}
    files = {name: str(path.resolve()) for name, path in models.items() if path.is_file()}
    return replace(
        job, source=job.source.resolve(), output=job.output.resolve(), values={**job.values, **files}
    )


def _targets(sources: Sequence[Path], output: Path) -> dict[Path, Path]:
    if len(sources) == 1:
        if output.is_dir() and not is_bag(output):
            example = output / f"{_name(sources[0])}.mcap"
            raise SettingsError(f"output: {output} is a folder; name the bag to write, for example {example}")
        return {sources[0]: output}
    targets = {source: output / f"{_name(source)}.mcap" for source in sources}
    if len(set(targets.values())) < len(sources):
        raise SettingsError(
            "inputs: several bags have the same name; give them one by one, each with its own --output"
        )
    return targets


def _name(source: Path) -> str:
    """A recording's name without its suffixes; a folder's has none, whatever dots are in it."""
    name = source.resolve().name
    return name if source.is_dir() else Path(name.removesuffix(PACKED)).stem


def _check_packages() -> None:
    try:
        import mcap.stream_reader  # noqa: F401
        import rosbags.highlevel  # noqa: F401
    except ImportError as error:
        raise PoseError(f"bags need the package {error.name}: pip install 'pose_resnet_ros[bags]'") from error
