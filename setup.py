# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Installation with pip: runs CMakeLists.txt if ROS 2's message generators are available, else packs only the tools without ROS.

With ROS 2 in this environment or sourced:  pip install --no-build-isolation .[cpu]
Without:                                    pip install .[cpu]     (the version then ends in +without.ros)
"""

import re
import sys
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "build_support"))
from cmake_build import CleanBuild, CMakeBuild, RosDistribution, has_ros_package  # noqa: E402

ONNX = ["onnx>=1.17"]  # published weights become ONNX files
BAGS = ["rosbags>=0.11.6", "mcap>=1.2.1", "zstandard>=0.19"]
IMAGES = ["opencv-python-headless>=4.5.4,<5", "av>=12"]
# `make test-oldest` runs the suite on these versions: requirements/oldest.txt names them, a test compares.
EXTRAS = {
    # The onnxruntime wheels collide with one another, and so do OpenCV's: choose one of cpu, gpu and openvino.
    "cpu": ["onnxruntime>=1.16", *IMAGES, *ONNX],
    "gpu": ["onnxruntime-gpu[cuda,cudnn]>=1.21", *IMAGES, *ONNX],
    "openvino": ["onnxruntime-openvino>=1.17", *IMAGES, *ONNX],
    "bags": BAGS,
    "ray": [*BAGS, "ray>=2.9"],
    "rerun": ["rerun-sdk>=0.23"],
    "export": ONNX,
    "check": [*ONNX, "torch>=2.2"],
    "benchmark": [*ONNX, "torch>=2.2", "openvino>=2023.1", "matplotlib>=3.5"],
    "evaluate": ["pycocotools>=2.0.7", "matplotlib>=3.5"],
    "test": [
        *BAGS,
        "mcap-ros2-support>=0.5",
        "pytest>=7",
        "hypothesis>=6.36",
        *ONNX,
        "PyYAML>=6",
        "pycocotools>=2.0.7",
        "matplotlib>=3.5",
        "pillow-heif>=0.9.3",
        "trustme>=1",
    ],
}


def version() -> str:
    source = (ROOT / "pose_resnet_ros" / "__init__.py").read_text(encoding="utf-8")
    return re.search(r'^__version__ = "(.+)"$', source, re.MULTILINE).group(1)


def ros_options() -> dict:
    """Return what setup() needs to build the messages, or to leave them out and say so."""
    if not has_ros_package("rosidl_default_generators"):
        print("No ROS 2 message generators here: packing the ROS-free tools only.", file=sys.stderr)
        return {
            "version": version() + "+without.ros",  # pip's closing line shows it
            "packages": find_packages(include=["pose_resnet_ros", "pose_resnet_ros.*"]),
            "package_data": {"pose_resnet_ros": ["py.typed", "weights/*"]},
            "cmdclass": {"build_py": CleanBuild},
        }
    if not has_ros_package("vision_msgs"):
        raise SystemExit(
            "ROS 2's message generators are here but vision_msgs is not: on a ROS install "
            "`sudo apt install ros-$ROS_DISTRO-vision-msgs`, beside the ROS 2 wheels "
            "`pip install --no-build-isolation ./stand_ins/vision_msgs`"
        )
    options = {"version": version(), "packages": [], "distclass": RosDistribution}
    return {**options, "cmdclass": {"build_ext": CMakeBuild}}


setup(
    name="pose_resnet_ros",
    description="Human pose estimation for ROS 2: camera images in, people with named keypoints out",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="The pose_resnet_ros authors",
    license="Apache-2.0",
    python_requires=">=3.10",
    install_requires=["numpy>=1.21.6", "scipy>=1.8", "tqdm>=4.57", "requests>=2.25", "pillow>=9"],
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["pose_resnet_ros = pose_resnet_ros.__main__:main"]},
    zip_safe=False,
    **ros_options(),
)
