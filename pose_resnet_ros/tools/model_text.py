# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Rows of the model table as text."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pose_resnet_ros.core.errors import ModelError
from pose_resnet_ros.models.checks import has_wide_weights, spec_of
from pose_resnet_ros.models.entry import ModelEntry
from pose_resnet_ros.models.files import entry_path, models_folder
from pose_resnet_ros.models.runtime import OnnxModel, RunOn
from pose_resnet_ros.models.spec import PRECISION, WEIGHT_BITS, PoseSpec, Spec

HEADINGS = ("name", "kind", "input", "colour", "decoder", "published", "state")


def state_of(entry: ModelEntry) -> str:
    """embedded, ready, fetched (to be exported), manual (no program can fetch it) or absent."""
    if entry.embedded:
        return "embedded"
    if entry_path(entry).is_file():
        return "ready"
    if (models_folder() / entry.stored_file).is_file():
        return "fetched"
    return "manual" if not entry.urls else "absent"


def table(rows: Iterable[ModelEntry]) -> str:
    """One line a row, in columns."""
    lines = [HEADINGS, *(_cells(entry) for entry in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def markdown(rows: Iterable[ModelEntry]) -> str:
    """The table of docs/models.md."""
    lines = [
        "| name | input | colour | decoder | published | size, digest | how to get it |",
        "|" + "---|" * 7,
    ]
    return "\n".join([*lines, *(f"| {' | '.join(_markdown_cells(entry))} |" for entry in rows)])


def _markdown_cells(entry: ModelEntry) -> tuple[str, ...]:
    _, _, pixels, order, decoder, accuracy, _ = _cells(entry)
    size = f"{entry.size / 1e6:.1f} MB, " if entry.size else ""
    digest = "part of the package" if entry.embedded else "recorded at the first fetch"
    if entry.digest:
        digest = f"{entry.digest.algorithm} {entry.digest.hex_digits[:8]}..."
    way = (
        "nothing to do"
        if entry.embedded
        else "`models fetch`"
        if entry.urls
        else "by hand, then `models add`"
    )
    tool = "" if not entry.checkpoint else ", onnx" if entry.checkpoint.endswith(".weights") else ", torch"
    return (f"`{entry.name}`", pixels, order, decoder, accuracy, size + digest, way + tool)


def input_text(entry: ModelEntry) -> str:
    """Width x height, as everywhere in this package; file names have height x width."""
    return f"{entry.spec.input.width}x{entry.spec.input.height}" if entry.spec else "in the file"


def accuracy_text(entry: ModelEntry) -> str:
    """The first of the published figures."""
    return "{} {:g}".format(*entry.accuracy[0]) if entry.accuracy else "-"


def _cells(entry: ModelEntry) -> tuple[str, ...]:
    spec = entry.spec
    order, decoder = (spec.input.channel_order, spec.decoder) if spec else ("-", "-")
    return (entry.name, entry.kind, input_text(entry), order, decoder, accuracy_text(entry), state_of(entry))


def description(entry: ModelEntry) -> str:
    """Everything known of one model of the table, a line each."""
    known = "; ".join(f"{measure} {value:g}" for measure, value in entry.accuracy)
    facts = {
        "name": entry.name,
        "kind": entry.kind,
        "state": state_of(entry),
        "file": str(entry_path(entry)),
        "published as": entry.published_file,
        "source": entry.source,
        "URL": "\n               ".join(entry.urls),
        "by hand": entry.manual_page or "",
        "size": f"{entry.size} bytes" if entry.size else "not known",
        "digest": str(entry.digest) if entry.digest else "not published: recorded at the first fetch",
        "licence": entry.licence,
        "terms": entry.terms,
        "data set": entry.data,
        **_network_facts(entry_path(entry), entry),
        "published": known,
        "note": entry.note,
    }
    if entry.embedded:
        facts |= {"size": "", "digest": ""}
    return _lines(facts)


def file_description(path: Path) -> str:
    """What an ONNX file that is in no row tells of itself, a line each."""
    return _lines({"file": str(path), "size": f"{path.stat().st_size} bytes", **_network_facts(path, None)})


def _lines(facts: dict[str, str]) -> str:
    return "\n".join(f"{key + ':':<14} {value}" for key, value in facts.items() if value)


def _network_facts(path: Path, entry: ModelEntry | None) -> dict[str, str]:
    """Of the file, where it is here; else of the row."""
    if entry is not None and not path.is_file():
        return (
            _spec_facts(entry.spec) | {"sizes": "free or fixed: known when the file is here"}
            if entry.spec
            else {}
        )
    try:
        model = OnnxModel(path, run_on=RunOn(backend="cpu", max_batch=1))
    except ModelError as error:
        return {"unusable": str(error)}
    try:
        facts = {} if entry else {"name": spec_of(model, None).name, "kind": spec_of(model, None).kind}
        return facts | _spec_facts(spec_of(model, entry)) | _tensor_facts(model)
    except ModelError as error:
        return {"unusable": str(error)} | _tensor_facts(model)
    finally:
        model.close()


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
        return f"{precision}, weights of 8 bits: slower on x86 without VNNI than those of a new export"
    bits = spec.provenance.get(WEIGHT_BITS)
    return f"{precision}, weights of {bits} bits" if bits else precision


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
    return facts | {
        "letterbox": spec.letterbox,
        "classes": f"{spec.class_count}, person is {spec.person_class}",
    }
