# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""The published pose networks. The URLs are as their makers give them; none was opened here."""

from __future__ import annotations

from pose_resnet_ros.core.types import InputSpec
from pose_resnet_ros.models.spec import Digest, ModelEntry, PoseSpec

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_STATS = ("AP", "AP .5", "AP .75", "AP M", "AP L", "AR", "AR .5", "AR .75", "AR M", "AR L")
_COCO = "COCO train2017 (licence of the images not verified)"
_MPII = "MPII Human Pose (licence of the images not verified)"

# Of PoseResNet by depth: the checkpoint's size, and multiply-adds at 192x256 (``export/onnx_file.py``), in proportion elsewhere.
_MEGABYTES = {50: 136, 101: 212, 152: 275}
_GMAC = {50: 5.43, 101: 9.06, 152: 12.70}

_MICROSOFT_PAGE = "https://drive.google.com/drive/folders/13_wJ6nC7my1KKouMkQMqyr9r1ZnLnukP"
_MICROSOFT_PAGE_TOO = "https://1drv.ms/f/s!AhIXJn_J-blW0D5ZE4ArK9wk_fvw"
# An unofficial mirror of one file, not verified.
_MIRROR = "https://cogsys.reutlingen-university.de/pub/files/2019_04_ehpi/pose_resnet_50_256x192.pth.tar"
_OPENMMLAB = "https://download.openmmlab.com/mmpose/v1/body_2d_keypoint/topdown_heatmap/coco/"
_OPENMMLAB_OLD = "https://download.openmmlab.com/mmpose/top_down/resnet/"
_RTMPOSE = "https://download.openmmlab.com/mmpose/v1/projects/rtmposev1/onnx_sdk/"


def _spec(name: str, size: str, *, order: str, decoder: str, skeleton: str = "coco17") -> PoseSpec:
    """size: height x width, as the file names have it. The statistics are in RGB order, whatever the colour order is."""
    height, width = (int(side) for side in size.split("x"))
    pixels = InputSpec(width, height, order, 1 / 255, _MEAN, _STD)  # type: ignore[arg-type]
    return PoseSpec(name, pixels, decoder=decoder, skeleton=skeleton)


def _gmac(depth: int, size: str) -> float:
    height, width = (int(side) for side in size.split("x"))
    return round(_GMAC[depth] * width * height / (192 * 256), 2)


def _microsoft(depth: int, size: str, accuracy: tuple[float, ...], *, mpii: bool = False) -> ModelEntry:
    name = f"pose_resnet_{depth}_mpii_{size}" if mpii else f"pose_resnet_{depth}_{size}"
    skeleton = "mpii16" if mpii else "coco17"
    mirrors = (_MIRROR,) if name == "pose_resnet_50_256x192" else ()
    measures = ("PCKh@0.5", "PCKh@0.1") if mpii else _STATS
    return ModelEntry.of(
        _spec(name, size, order="bgr", decoder="microsoft", skeleton=skeleton),
        checkpoint=f"pose_resnet_{depth}_{size}.pth.tar",
        source="microsoft/human-pose-estimation.pytorch",
        licence="MIT (code)",
        terms="weights for research purposes (README of the source)",
        data=_MPII if mpii else _COCO,
        # BGR pixels with RGB-ordered statistics: the published code never swaps the channels.
        urls=mirrors,
        manual_page=_MICROSOFT_PAGE,
        note=f"also at {_MICROSOFT_PAGE_TOO}" + ("; the URL is an unofficial mirror" if mirrors else ""),
        accuracy=tuple(zip(measures, accuracy, strict=True)),
        megabytes=_MEGABYTES[depth],
        gmac=_gmac(depth, size),
    )


_MICROSOFT = (
    _microsoft(50, "256x192", (0.704, 0.886, 0.783, 0.671, 0.772, 0.763, 0.929, 0.834, 0.721, 0.824)),
    _microsoft(50, "384x288", (0.722, 0.893, 0.789, 0.681, 0.797, 0.776, 0.932, 0.838, 0.728, 0.846)),
    _microsoft(101, "256x192", (0.714, 0.893, 0.793, 0.681, 0.781, 0.771, 0.934, 0.840, 0.730, 0.832)),
    _microsoft(101, "384x288", (0.736, 0.896, 0.803, 0.699, 0.811, 0.791, 0.936, 0.851, 0.745, 0.858)),
    _microsoft(152, "256x192", (0.720, 0.893, 0.798, 0.687, 0.789, 0.778, 0.934, 0.846, 0.736, 0.839)),
    _microsoft(152, "384x288", (0.743, 0.896, 0.811, 0.705, 0.816, 0.797, 0.937, 0.858, 0.751, 0.863)),
    _microsoft(50, "256x256", (88.532, 33.911), mpii=True),
    _microsoft(152, "384x384", (90.200, 39.433), mpii=True),
)


_AILIA = (
    ModelEntry.of(
        _spec("pose_resnet_50_256x192_ailia", "256x192", order="bgr", decoder="microsoft"),
        source="ailia-models (axinc-ai), exported from Microsoft's checkpoint",
        licence="not stated",
        terms="derived from Microsoft's weights, which are for research purposes",
        data=_COCO,
        urls=("https://storage.googleapis.com/ailia-models/pose_resnet/pose_resnet_50_256x192.onnx",),
        megabytes=_MEGABYTES[50],
        gmac=_GMAC[50],
        note="probably a fixed batch of 1; tensor names not verified",
    ),
)


def _mmpose(net: str, size: str, file: str, accuracy: dict[str, float], *, base: str = _OPENMMLAB) -> ModelEntry:
    """file: its last eight hex digits begin its sha256 (mmpose's ``tools/misc/publish_model.py``)."""
    mpii = "mpii" in file
    name = f"mmpose_{net}_mpii_{size}" if mpii else f"mmpose_{net}_{size}"
    skeleton = "mpii16" if mpii else "coco17"
    depth = int(net.removeprefix("res").partition("_")[0])
    return ModelEntry.of(
        _spec(name, size, order="rgb", decoder=_mmpose_decoder(net, size), skeleton=skeleton),
        checkpoint=file,
        source="open-mmlab/mmpose",
        licence="Apache-2.0 (code)",
        terms="no separate licence stated for the weights",
        data=_MPII if mpii else _COCO,
        urls=(base + file,),
        digest=Digest("sha256", file.rsplit("-", 1)[1][:8]),
        accuracy=tuple(accuracy.items()),
        megabytes=_MEGABYTES[depth],
        gmac=_gmac(depth, size),
    )


def _mmpose_decoder(net: str, size: str) -> str:
    """Of the DARK configs, only R152 at 384x288 smooths with a window of 17 cells instead of 11."""
    if "dark" not in net:
        return "mmpose"
    return "dark17" if (net, size) == ("res152_dark", "384x288") else "dark"


def _coco(ap: float, ap50: float, ap75: float, ar: float) -> dict[str, float]:
    return {"AP": ap, "AP .5": ap50, "AP .75": ap75, "AR": ar}


def _mmpose_coco(net: str, size: str, tail: str, accuracy: dict[str, float]) -> ModelEntry:
    gpus = "8xb32" if "152" in net else "8xb64"
    return _mmpose(net, size, f"td-hm_{net}{'-' if '_' in net else '_'}{gpus}-210e_coco-{size}-{tail}.pth", accuracy)


def _mmpose_mpii(depth: int, digest: str, pckh: float) -> ModelEntry:
    file = f"res{depth}_mpii_256x256-{digest}_20200812.pth"
    return _mmpose(f"res{depth}", "256x256", file, {"PCKh@0.5": pckh}, base=_OPENMMLAB_OLD)


# The table of mmpose links R101 384x288 to the 256x192 file by mistake, so that one has no row.
_MMPOSE = (
    _mmpose_coco("res50", "256x192", "04af38ce_20220923", _coco(0.718, 0.898, 0.796, 0.774)),
    _mmpose_coco("res50", "384x288", "7b8db90e_20220923", _coco(0.731, 0.900, 0.799, 0.782)),
    _mmpose_coco("res101", "256x192", "065d3625_20220926", _coco(0.728, 0.904, 0.809, 0.783)),
    _mmpose_coco("res152", "256x192", "0345f330_20220928", _coco(0.736, 0.904, 0.818, 0.791)),
    _mmpose_coco("res152", "384x288", "7fbb906f_20220927", _coco(0.750, 0.908, 0.821, 0.800)),
    _mmpose_coco("res50_dark", "256x192", "c129dcb6_20220926", {"AP": 0.724, "AR": 0.777}),
    _mmpose_coco("res50_dark", "384x288", "8b90b538_20220926", {"AP": 0.735, "AR": 0.786}),
    _mmpose_coco("res152_dark", "384x288", "329f8454_20221031", {"AP": 0.755, "AR": 0.805}),
    _mmpose_mpii(50, "418ffc88", 88.2),
    _mmpose_mpii(152, "3ecba29d", 88.9),
)


def _rtmpose(size_name: str, size: str, tail: str, *, megabytes: float, gmac: float, pck: float | None = None) -> ModelEntry:
    """Another network and decoder (SimCC) through the same pipeline. Files as named by rtmlib; those of halpe26 have feet."""
    feet = tail.startswith("halpe26")
    name = f"rtmpose_{size_name}_{'halpe26_' if feet else ''}{size}"
    separator = "-" if feet else "_"
    return ModelEntry.of(
        _spec(name, size, order="rgb", decoder="simcc", skeleton="halpe26" if feet else "coco17"),
        zip_member="end2end.onnx",
        source="open-mmlab/mmpose (RTMPose), as listed by Tau-J/rtmlib",
        licence="Apache-2.0 (code)",
        terms="no separate licence stated for the weights",
        data="Body7: seven body data sets joined (licences not verified)",
        # Trained on RGB; rtmlib itself feeds BGR.
        urls=(f"{_RTMPOSE}rtmpose-{size_name}_simcc-body7_pt-body7{separator}{tail}.zip",),
        accuracy=(("PCK@0.1", pck),) if pck else (),
        megabytes=megabytes,
        gmac=gmac,
        note="the digits in the zip's name may be its digest, which was not verified",
    )


_RTM = (
    _rtmpose("s", "256x192", "420e-256x192-acd4a1ef_20230504", megabytes=22, gmac=0.68),
    _rtmpose("m", "256x192", "420e-256x192-e48f03d0_20230504", megabytes=54, gmac=1.93),
    _rtmpose("s", "256x192", "halpe26_700e-256x192-7f134165_20230605", megabytes=23, gmac=0.70, pck=93.01),
    _rtmpose("m", "256x192", "halpe26_700e-256x192-4d3e73dd_20230605", megabytes=56, gmac=1.95, pck=94.75),
)


_BUNDLED = (
    ModelEntry(
        name="pose_resnet_lite",
        kind="pose",
        file="pose_resnet_lite.onnx",
        source="trained by training/ of this package",
        licence="Apache-2.0",
        data="LSP-extended photographs (Johnson and Everingham, CVPR 2011), partly machine-labelled",
        bundled=True,
    ),
)

POSE_NETS: tuple[ModelEntry, ...] = (*_BUNDLED, *_MICROSOFT, *_AILIA, *_MMPOSE, *_RTM)
