# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Skeletons: joint names, edges, left/right pairs, OKS sigmas and colours; and the conversion from one to another.

Sources: COCO-17 and MPII-16 from mmpose ``configs/_base_/datasets/{coco,mpii}.py`` (edges, sigmas) and the COCO annotations;
OpenPose-18 from OpenPose ``poseParameters.cpp`` (order) and ``poseParametersRender.hpp`` (drawn pairs, colours);
Halpe-26 from Fang-Haoshu/Halpe-FullBody (order; sigmas in ``halpecocotools/cocoeval.py``) and mmpose ``halpe26.py`` (names,
edges).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.core.types import People, names_of, option

Colour = tuple[int, int, int]

_SIDES_RGB: dict[str, Colour] = {"left": (0, 255, 0), "right": (255, 128, 0)}
_MIDDLE_RGB: Colour = (51, 153, 255)
_HEAD = ("eye", "ear")
_LIMB_ENDS = ("elbow", "wrist", "knee", "ankle")
_TORSO = ("left_shoulder", "right_shoulder", "left_hip", "right_hip", "neck", "thorax", "pelvis", "hip")


@dataclass(frozen=True)
class Skeleton:
    """A set of K joints and how they are connected.

    joint_names: K snake_case names, paired joints with ``left_`` or ``right_`` in front; edges: pairs of joint indices, to draw;
    oks_sigmas: K per-joint spreads of the COCO keypoint metric; joint_colours_rgb, edge_colours_rgb: 0..255 in **RGB** order, one
    for each joint and each edge. Empty colours are filled in by mmpose's scheme: left arm and leg green, right ones orange, trunk
    and head blue.
    """

    name: str
    joint_names: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]
    oks_sigmas: tuple[float, ...]
    joint_colours_rgb: tuple[Colour, ...] = ()
    edge_colours_rgb: tuple[Colour, ...] = ()

    def __post_init__(self) -> None:
        parts = [_side_and_part(name) for name in self.joint_names]
        sides = [_SIDES_RGB.get(side, _MIDDLE_RGB) for side, _ in parts]
        joints = (_MIDDLE_RGB if part in _HEAD else rgb for (_, part), rgb in zip(parts, sides, strict=True))
        ends = [part in _LIMB_ENDS for _, part in parts]
        edges = (sides[a] if ends[a] or ends[b] else _MIDDLE_RGB for a, b in self.edges)
        object.__setattr__(self, "joint_colours_rgb", self.joint_colours_rgb or tuple(joints))
        object.__setattr__(self, "edge_colours_rgb", self.edge_colours_rgb or tuple(edges))

    def __len__(self) -> int:
        return len(self.joint_names)

    @property
    def flip_pairs(self) -> tuple[tuple[int, int], ...]:
        """(left, right) indices that swap in a mirrored image: joints whose names differ only in ``left_`` and ``right_``."""
        index = {name: joint for joint, name in enumerate(self.joint_names)}
        pairs = ((index[name], index.get("right_" + _side_and_part(name)[1])) for name in index if name.startswith("left_"))
        return tuple((left, right) for left, right in pairs if right is not None)

    @property
    def torso(self) -> tuple[int, ...]:
        """Indices of the joints of the trunk, whose middle is where a person stands in 3D."""
        return tuple(joint for joint, name in enumerate(self.joint_names) if name in _TORSO)

    def flip_order(self) -> np.ndarray:
        """(K,) indices: joint k of a mirrored person is joint ``flip_order()[k]`` of the original image."""
        order = np.arange(len(self))
        for left, right in self.flip_pairs:
            order[left], order[right] = right, left
        return order


def _side_and_part(name: str) -> tuple[str, str]:
    """left_big_toe -> left, big_toe; upper_neck -> "", upper_neck."""
    side, _, part = name.partition("_")
    return (side, part) if side in _SIDES_RGB else ("", name)


# OpenPose's colour wheel for its 18 joints; limb number k has the colour number k.
_OPENPOSE_COLOURS: tuple[Colour, ...] = (
    (255, 0, 85), (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0),
    (85, 255, 0), (0, 255, 0), (0, 255, 85), (0, 255, 170), (0, 255, 255), (0, 170, 255),
    (0, 85, 255), (0, 0, 255), (255, 0, 170), (170, 0, 255), (255, 0, 255), (85, 0, 255),
)  # fmt: skip

OPENPOSE18 = Skeleton(
    name="openpose18",
    joint_names=(
        "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow",
        "left_wrist", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
        "right_eye", "left_eye", "right_ear", "left_ear",
    ),
    edges=(
        (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12,
        13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
    ),
    # COCO's values in OpenPose's order; 0.082 for the neck is mmpose's (coco_openpose.py).
    oks_sigmas=(
        0.026, 0.082, 0.079, 0.072, 0.062, 0.079, 0.072, 0.062, 0.107, 0.087, 0.089, 0.107, 0.087, 0.089,
        0.025, 0.025, 0.035, 0.035,
    ),
    joint_colours_rgb=_OPENPOSE_COLOURS,
    edge_colours_rgb=_OPENPOSE_COLOURS[:17],
)  # fmt: skip

COCO17 = Skeleton(
    name="coco17",
    joint_names=(
        "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder",
        "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee",
        "right_knee", "left_ankle", "right_ankle",
    ),
    edges=(
        (15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8), (7, 9),
        (8, 10), (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6),
    ),
    oks_sigmas=(
        0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087,
        0.087, 0.089, 0.089,
    ),
)  # fmt: skip

MPII16 = Skeleton(
    name="mpii16",
    joint_names=(
        "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "pelvis", "thorax",
        "upper_neck", "head_top", "right_wrist", "right_elbow", "right_shoulder", "left_shoulder",
        "left_elbow", "left_wrist",
    ),
    edges=(
        (0, 1), (1, 2), (2, 6), (6, 3), (3, 4), (4, 5), (6, 7), (7, 8), (8, 9), (8, 12), (12, 11), (11, 10),
        (8, 13), (13, 14), (14, 15),
    ),
    oks_sigmas=(
        0.089, 0.083, 0.107, 0.107, 0.083, 0.089, 0.026, 0.026, 0.026, 0.026, 0.062, 0.072, 0.179, 0.179,
        0.072, 0.062,
    ),
)  # fmt: skip

HALPE26 = Skeleton(
    name="halpe26",
    joint_names=(
        *COCO17.joint_names, "head", "neck", "hip", "left_big_toe", "right_big_toe", "left_small_toe", "right_small_toe",
        "left_heel", "right_heel",
    ),
    edges=(
        (15, 13), (13, 11), (11, 19), (16, 14), (14, 12), (12, 19), (17, 18), (18, 19), (18, 5), (5, 7), (7, 9), (18, 6), (6, 8),
        (8, 10), (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6), (15, 20), (15, 22), (15, 24), (16, 21), (16, 23),
        (16, 25),
    ),
    oks_sigmas=(*COCO17.oks_sigmas, 0.026, 0.026, 0.066, *(0.079,) * 6),
)  # fmt: skip

SKELETONS: dict[str, Skeleton] = {skeleton.name: skeleton for skeleton in (COCO17, OPENPOSE18, MPII16, HALPE26)}

# Joints that some skeletons lack: the midpoint of these two (OpenPose's neck).
_DERIVED: dict[str, tuple[str, ...]] = {"neck": ("left_shoulder", "right_shoulder")}


def skeleton_named(name: str) -> Skeleton:
    """The skeleton of that name. Raises SettingsError listing the known ones."""
    return option(SKELETONS, name, what="skeleton")


def joint_sources(native: Skeleton, target: Skeleton) -> tuple[tuple[int, ...], ...]:
    """For each joint of ``target``: the joint of ``native`` that it is, or the two joints whose midpoint it is.

    Raises SettingsError when ``native`` cannot give a joint of ``target``.
    """
    places = {name: index for index, name in enumerate(native.joint_names)}
    wanted = [(name,) if name in places else _DERIVED.get(name, (name,)) for name in target.joint_names]
    missing = sorted({name for names in wanted for name in names} - set(places))
    if missing:
        raise SettingsError(
            f"the model's skeleton '{native.name}' cannot give '{target.name}': it has no "
            f"{names_of(missing)}; use skeleton 'native' or another model"
        )
    return tuple(tuple(places[name] for name in names) for names in wanted)


def convert(people: People, *, native: Skeleton, target: Skeleton) -> People:
    """The same people with the joints of ``target``, in its order.

    A derived joint (OpenPose's neck) is the midpoint of its two sources and has the lower of their scores.
    Raises SettingsError as ``joint_sources`` does.
    """
    if native == target:
        return people
    sources = joint_sources(native, target)
    first = np.array([group[0] for group in sources])
    last = np.array([group[-1] for group in sources])  # groups have one or two members
    keypoints_xy = (people.keypoints_xy[:, first] + people.keypoints_xy[:, last]) / 2
    keypoint_scores = np.minimum(people.keypoint_scores[:, first], people.keypoint_scores[:, last])
    return replace(people, keypoints_xy=keypoints_xy, keypoint_scores=keypoint_scores)
