# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Every parameter of the pose node, and those of the image source."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from pose_resnet_ros.core.errors import SettingsError
from pose_resnet_ros.settings.load_settings import EXTERNAL, LoadSettings
from pose_resnet_ros.settings.setting import SettingsGroup, dynamic, fraction, setting
from pose_resnet_ros.settings.stream_settings import DrawSettings, StreamSettings


@dataclass(frozen=True)
class InputSettings(SettingsGroup):
    """Where images and boxes come from."""

    TITLE: ClassVar[str] = "Input"

    cameras: tuple[str, ...] = setting(
        (),
        "Names of the cameras that share this node's models. Each has its own topics (`front/image`, `~/front/persons`), and may"
        " have its own value of some parameters (`front.image_rotation`). Empty: one camera without a name.",
        pattern="[A-Za-z][A-Za-z0-9_]*",
        pattern_in_words="different names of letters, digits and _, each beginning with a letter, such as [front, rear]",
    )
    image_transport: str = setting(
        "raw",
        "raw: sensor_msgs/Image on `image`. compressed: sensor_msgs/CompressedImage on `image/compressed`. ffmpeg:"
        " ffmpeg_image_transport_msgs/FFMPEGPacket on `image/ffmpeg`. foxglove: foxglove_msgs/CompressedVideo on"
        " `image/foxglove`.",
        choices=("raw", "compressed", "ffmpeg", "foxglove"),
        per_camera=True,
    )
    image_reliability: str = setting(
        "best_effort",
        "QoS reliability of the image subscription. best_effort connects to every publisher, reliable only to reliable ones.",
        choices=("best_effort", "reliable"),
        per_camera=True,
    )
    max_age_ms: float = dynamic(
        0.0,
        "Images that waited longer than this, in milliseconds since their arrival, are dropped. 0: no limit.",
        minimum=0.0,
        per_camera=True,
    )
    max_rate_hz: float = dynamic(
        0.0,
        "Maximum number of images per second that are processed. The newest is taken each time, and the rest stays unread. 0: no"
        " limit.",
        minimum=0.0,
        maximum=1000.0,
        per_camera=True,
    )
    person_class_ids: str = setting(
        "person,0",
        "Class ids on the topic `detections` that mean a person, separated by commas. Used with detector_model external.",
    )

    @property
    def class_ids(self) -> tuple[str, ...]:
        """person_class_ids one by one."""
        return tuple(name.strip() for name in self.person_class_ids.split(",") if name.strip())


@dataclass(frozen=True)
class DepthSettings(SettingsGroup):
    """Persons in 3D."""

    TITLE: ClassVar[str] = "3D"

    use_depth: bool = setting(
        False, "Publish persons in 3D, from `depth_image` (registered to the image) and `camera_info`.", per_camera=True
    )
    depth_transport: str = setting(
        "raw",
        "raw: sensor_msgs/Image on `depth_image`. compressedDepth: PNG or RVL on `depth_image/compressedDepth`. compressed: PNG"
        " on `depth_image/compressed`.",
        choices=("raw", "compressedDepth", "compressed"),
        per_camera=True,
    )
    depth_max_offset_ms: float = dynamic(
        20.0,
        "Maximum difference in milliseconds between the time stamps of an image and its depth image.",
        minimum=0.0,
        maximum=1000.0,
        per_camera=True,
    )
    image_is_rectified: bool = dynamic(
        False, "The images have no lens distortion (image_rect): 3D uses P of `camera_info` instead of K and D.", per_camera=True
    )


@dataclass(frozen=True)
class HriSettings(SettingsGroup):
    """Persons as REP-155 has them."""

    TITLE: ClassVar[str] = "REP-155"

    publish_hri: bool = setting(False, "Publish tracked persons on /humans/bodies (REP-155) too. Needs the package hri_msgs.")
    hri_id_prefix: str = setting(
        "",
        "Prefix of REP-155 body ids (PREFIX_body1 instead of body1), which keeps the ids of several nodes apart. Empty: the"
        " node's namespace, and its name unless that is pose_resnet.",
    )


@dataclass(frozen=True)
class OutputSettings(SettingsGroup):
    """What is published."""

    TITLE: ClassVar[str] = "Output"

    jpeg_quality: int = dynamic(
        90, "JPEG quality of ~/annotated_image/compressed. Higher looks better and takes more bandwidth.", minimum=1, maximum=100
    )


@dataclass(frozen=True)
class NodeSettings(SettingsGroup):
    """The node itself."""

    TITLE: ClassVar[str] = "Node"

    autostart: bool = setting(True, "Configure and activate the node at start. false: leave that to a lifecycle manager.")
    min_output_ratio: float = fraction(
        0.5,
        "Minimum fraction of the camera's images that lead to a result: after 10 s below it, diagnostics warn of an overload. 0:"
        " no warning.",
    )


@dataclass(frozen=True)
class Settings(SettingsGroup):
    """All parameters of the pose node, one consistent set of values: the worker takes one for each image."""

    load: LoadSettings = field(default=LoadSettings())
    stream: StreamSettings = field(default=StreamSettings())
    draw: DrawSettings = field(default=DrawSettings())
    node: NodeSettings = field(default=NodeSettings())
    input: InputSettings = field(default=InputSettings())
    depth: DepthSettings = field(default=DepthSettings())
    hri: HriSettings = field(default=HriSettings())
    output: OutputSettings = field(default=OutputSettings())

    def __post_init__(self) -> None:
        super().__post_init__()
        taken = {row.name.partition(".")[0] for row in self.settings()}
        if used := [name for name in self.input.cameras if name in taken]:
            raise SettingsError(
                f"cameras: {used[0]} is no name for a camera, since a parameter's name begins with {used[0]}; choose another"
            )

    @property
    def is_external(self) -> bool:
        """Whether boxes come by topic, so that no detector is loaded."""
        return self.load.detector_model == EXTERNAL


@dataclass(frozen=True)
class SourceSettings(SettingsGroup):
    """All parameters of the image source."""

    source: str = setting(
        "",
        "What to publish: a video, an image, a folder of images, a webcam (its index, or /dev/video0), or a stream (rtsp://,"
        " http://).",
    )
    rate: float = setting(
        0.0, "Images per second. 0: the source's own times; 10 per second for images.", minimum=0.0, maximum=1000.0
    )
    loop: bool = setting(False, "Start again at the end of the source. false: the process ends there.")
    frame_id: str = setting("camera_optical_frame", "Frame id of image and camera_info: z points forward, x right, y down.")
    wait_for_subscribers: int = setting(
        0, "Number of image subscribers to wait for, so that they miss no image.", minimum=0, maximum=100
    )
    timeout: float = setting(
        5.0, "Time in seconds without an image after which a webcam or a stream counts as lost.", minimum=0.1, maximum=3600.0
    )
    reconnect_timeout: float = setting(
        60.0,
        "Time in seconds to keep trying to reopen a lost webcam or stream, at growing intervals; after it, the process ends with"
        " exit code 1. 0: it ends at once.",
        minimum=0.0,
        maximum=1e9,
    )
