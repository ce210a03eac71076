# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""How onnxruntime runs a network, on any backend."""

from __future__ import annotations

import onnxruntime as ort

from pose_resnet_ros.models.cancel import LOG_SEVERITY_FATAL
from pose_resnet_ros.models.cpu_fallback import RECORD_ENTRY
from pose_resnet_ros.models.cpu_features import saturates_at_int8

_SPIN_US = "100"


def session_options(threads: int) -> ort.SessionOptions:
    """Options for one camera pipeline on a machine that has other work to do. threads: 0 takes all physical cores."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL  # fp16 weights are unpacked here, once
    options.log_severity_level = LOG_SEVERITY_FATAL
    # Threads spin while a run lasts (fast hand-over), and sleep between frames: an idle node takes no CPU.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    # And they spin no longer than this (microseconds): enough for the hand-over, where without a limit two threads take up to
    # twice as long as one when other processes want the cores (docs/performance.md). Runtimes that do not know it pass it over.
    options.add_session_config_entry("session.intra_op.spin_duration_us", _SPIN_US)
    options.add_session_config_entry(RECORD_ENTRY, "1")
    # Layers with weights beyond 7 bits, in which sums could saturate, get slower kernels that are exact.
    options.add_session_config_entry("session.x64quantprecision", "1" if saturates_at_int8() else "0")
    return options
