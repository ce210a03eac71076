# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Builds the ffmpeg_image_transport_msgs stand-in as a wheel of its own."""

import sys
from pathlib import Path

from setuptools import setup

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "build_support"))
from cmake_build import CMakeBuild, RosDistribution

setup(
    name="pose_resnet_ros_ffmpeg_image_transport_msgs",
    version="1.2.2",
    description="Stand-in for ffmpeg_image_transport_msgs beside the ROS 2 wheels: the type that pose_resnet_ros uses",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=[],
    distclass=RosDistribution,
    cmdclass={"build_ext": CMakeBuild},
)
