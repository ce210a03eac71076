# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""Sphinx's settings for the API reference: `make docs-html`."""

from pose_resnet_ros import __version__

project = "pose_resnet_ros"
author = "The pose_resnet_ros authors"
copyright = f"2026 {author}"
version = release = __version__
extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.viewcode"]
html_theme = "alabaster"
html_theme_options = {"description": "Camera image in, named human keypoints out", "page_width": "72em"}
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autosummary_generate = False
