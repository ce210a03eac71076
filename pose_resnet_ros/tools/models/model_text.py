# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Rows of the model table as text."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.models.download import addresses
from pose_resnet_ros.models.loading import has_wide_weights, spec_of
from pose_resnet_ros.models.model_folder import models_folder
from pose_resnet_ros.models.registry import entry_path
from pose_resnet_ros.models.runtime import OnnxModel, RunOn
from pose_resnet_ros.models.spec import PRECISION, WEIGHT_BITS, ModelEntry, PoseSpec, Spec

HEADINGS = ("name", "state", "input", "MB", "GMAC", "accuracy", "licence", "checked here")
LEGEND = """\
state     bundled: installed with this package; ready: downloaded and converted; fetched: downloaded, not converted yet;
          downloadable: `pose_resnet_ros models fetch NAME` makes it ready; manual: download it with a browser, `models fetch
          NAME` prints where
accuracy  as published, or "measured" with this package: keypoint AP, PCK, PCKh, box AP or person AP of COCO
checked   what was verified with this package: the file (checksum, conversion and results of the published file), the conversion
          (generated files with the published names and shapes), or only the decoder (against its definition)"""


def state_of(entry: ModelEntry) -> str:
    """The word of the column "state"."""
    if entry.bundled:
        return "bundled"
    if entry_path(entry).is_file():
        return "ready"
    if (models_folder() / entry.stored_file).is_file():
        return "fetched"
    return "downloadable" if addresses(entry) else "manual"


def table(rows: Iterable[ModelEntry]) -> str:
    """One line per row, in columns."""
    lines = [HEADINGS, *(cells(entry) for entry in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADINGS))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)


def cells(entry: ModelEntry) -> tuple[str, ...]:
    """A row under ``HEADINGS``."""
    return (
        entry.name,
        state_of(entry),
        input_text(entry),
        size_text(entry),
        cost_text(entry),
        accuracy_text(entry),
        licence_text(entry),
        checked_text(entry),
    )


def size_text(entry: ModelEntry) -> str:
    """Megabytes of the published file."""
    path = entry_path(entry)
    if entry.bundled:
        return f"{path.stat().st_size / 1e6:.1f}"
    megabytes = entry.size / 1e6 if entry.size else entry.megabytes
    return f"{megabytes:.0f}" if megabytes else "-"


def cost_text(entry: ModelEntry) -> str:
    """1e9 multiply-adds of one input: of a bundled model counted in its file, "-" where onnx is missing."""
    gmac = entry.gmac
    if entry.bundled:
        try:
            from pose_resnet_ros.export.onnx_file import giga_multiply_adds
        except ModuleNotFoundError:
            return "-"
        pixels = bundled_spec(entry).input
        gmac = giga_multiply_adds(entry_path(entry), width=pixels.width, height=pixels.height)
    return f"{gmac:.3g}" if gmac else "-"


def licence_text(entry: ModelEntry) -> str:
    """Of the code, and what is known of the weights."""
    if not entry.terms:
        return entry.licence
    weights = "for research" if "research" in entry.terms else "not stated"
    return f"{entry.licence}, weights {weights}"


def checked_text(entry: ModelEntry) -> str:
    """What was verified of the row with this package."""
    checks = {"the file": entry.was_seen or entry.bundled, "conversion": entry.checkpoint, "decoder": True}
    return ", ".join(word for word, was_checked in checks.items() if was_checked)


def bundled_spec(entry: ModelEntry) -> Spec:
    """The description in the file of a bundled model."""
    with closing(OnnxModel(entry_path(entry), run_on=RunOn(backend="cpu", max_batch=1))) as model:
        return spec_of(model, entry)


def input_text(entry: ModelEntry) -> str:
    """Width x height, as everywhere in this package; file names have height x width."""
    pixels = (entry.spec or bundled_spec(entry)).input
    return f"{pixels.width}x{pixels.height}"


def accuracy_text(entry: ModelEntry) -> str:
    """The first of the published figures, or else of those that were measured."""
    if entry.accuracy:
        return "{} {:g}".format(*entry.accuracy[0])
    return "{} {:g} measured".format(*entry.measured[0]) if entry.measured else "-"


def description(entry: ModelEntry) -> str:
    """Everything known of a row's model, a line each."""
    known = "; ".join(f"{measure} {value:g}" for measure, value in entry.accuracy)
    facts = {
        "name": entry.name,
        "kind": entry.kind,
        "state": state_of(entry),
        "file": str(entry_path(entry)),
        "published as": entry.published_file,
        "source": entry.source,
        "URL": "\n               ".join(entry.urls),
        "manual": entry.manual_page or "",
        "size": f"{entry.size} bytes" if entry.size else f"about {size_text(entry)} MB",
        "digest": str(entry.digest) if entry.digest else "not published; the first download is recorded",
        "licence": entry.licence,
        "terms": entry.terms,
        "data set": entry.data,
        **_network_facts(entry_path(entry), entry),
        "GMAC": cost_text(entry),
        "published": known,
        "measured": "; ".join(f"{measure} {value:g}" for measure, value in entry.measured),
        "checked here": checked_text(entry),
        "note": entry.note,
    }
    if entry.bundled:
        facts |= {"size": "", "digest": ""}
    return _lines(facts)


def file_description(path: Path) -> str:
    """What is known of an ONNX file without a row, a line each."""
    return _lines({"file": str(path), "size": f"{path.stat().st_size} bytes", **_network_facts(path, None)})


def _lines(facts: dict[str, str]) -> str:
    return "\n".join(f"{key + ':':<14} {value}" for key, value in facts.items() if value)


def _network_facts(path: Path, entry: ModelEntry | None) -> dict[str, str]:
    """Of the file, where it is here; else of the row."""
    if entry is not None and not path.is_file():
        return _spec_facts(entry.spec) | {"sizes": "known once the file is on this machine"} if entry.spec else {}
    try:
        model = OnnxModel(path, run_on=RunOn(backend="cpu", max_batch=1))
    except ModelError as error:
        return {"unusable": str(error)}
    with closing(model):
        try:
            facts = {} if entry else {"name": spec_of(model, None).name, "kind": spec_of(model, None).kind}
            return facts | _spec_facts(spec_of(model, entry)) | _tensor_facts(model)
        except ModelError as error:
            return {"unusable": str(error)} | _tensor_facts(model)


def _tensor_facts(model: OnnxModel) -> dict[str, str]:
    """What the file declares; a free size is ``any``."""
    facts = {}
    if model.inputs and len(model.inputs[0].shape) == 4:
        batch, _, height, width = model.inputs[0].shape
        facts["sizes"] = f"width {_size_text(width)}, height {_size_text(height)}, batch {_size_text(batch)}"
    for name, tensors in (("inputs", model.inputs), ("outputs", model.outputs)):
        facts[name] = "\n               ".join(map(str, tensors))
    return facts


def _size_text(size: int | None) -> str:
    return "free" if size is None else f"fixed ({size})"


def _precision_text(spec: Spec) -> str:
    """Of an exported file; empty where nothing is known."""
    precision = spec.provenance.get(PRECISION, "")
    if has_wide_weights(spec):
        return f"{precision}, 8-bit weights: slower on x86 without VNNI than a new export"
    bits = spec.provenance.get(WEIGHT_BITS)
    return f"{precision}, {bits}-bit weights" if bits else precision


def _spec_facts(spec: Spec) -> dict[str, str]:
    pixels = spec.input
    facts = {
        "input": f"{pixels.width}x{pixels.height} (width x height), {pixels.channel_order.upper()}",
        "normalised": f"(pixel * {pixels.scale:.6g} - {list(pixels.mean)}) / {list(pixels.std)}, by channel index",
        "decoder": spec.decoder,
        "precision": _precision_text(spec),
    }
    if isinstance(spec, PoseSpec):
        return facts | {"skeleton": spec.skeleton, "crop": f"{spec.crop}, padding {spec.padding:g}"}
    return facts | {"letterbox": spec.letterbox, "classes": f"{spec.class_count}, person is {spec.person_class}"}
