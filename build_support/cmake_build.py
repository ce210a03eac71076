# Copyright 2026 The pose_resnet_ros authors.
# SPDX-License-Identifier: Apache-2.0
"""setuptools commands that let a ROS 2 CMake project decide what goes into the wheel.

CMake configures, builds and installs into a staging folder; what it put into ``site-packages`` becomes the wheel's Python
package, and everything else (``lib``, ``share``, ``include``) becomes data files, which pip puts below the environment's
prefix. So a plain virtual environment is an ordinary ROS 2 prefix afterwards.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from setuptools import Distribution
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py


def ros_prefixes() -> list[str]:
    """Return the prefixes that may hold ROS 2: the sourced ones first, then this environment."""
    sourced = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    return [prefix for prefix in [*sourced, sys.prefix] if prefix]


def has_ros_package(name: str) -> bool:
    """Say whether the ament index of any known prefix lists the package."""
    marker = Path("share/ament_index/resource_index/packages", name)
    return any(Path(prefix, marker).exists() for prefix in ros_prefixes())


class RosDistribution(Distribution):
    """A distribution with compiled parts although setuptools sees no extension: the wheel is platform-specific."""

    def has_ext_modules(self) -> bool:
        return True


class CleanBuild(build_py):
    """Build the Python files into an empty folder: what an older version left in ``build/`` must not get into the wheel."""

    def run(self) -> None:
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


class CMakeBuild(build_ext):
    """Run the project's CMakeLists.txt and hand what it installs to setuptools."""

    def run(self) -> None:
        tag = f"{Path(sys.prefix).name.strip('.')}-{sysconfig.get_config_var('SOABI')}"  # one for each environment
        build_dir, stage = (Path("build", f"{kind}-{tag}").resolve() for kind in ("cmake", "stage"))
        for leftover in (stage, Path(self.build_lib)):  # a file that was removed from the sources must not live on
            shutil.rmtree(leftover, ignore_errors=True)
        self._cmake(build_dir, stage)
        site_packages = next(stage.glob("l*/python3*/*-packages"))
        shutil.copytree(site_packages, self.build_lib, ignore=shutil.ignore_patterns("__pycache__"))
        self.distribution.data_files = [
            (str(path.parent.relative_to(stage)), [str(path)])
            for path in sorted(stage.rglob("*"))
            if path.is_file() and site_packages not in path.parents
        ]

    def _cmake(self, build_dir: Path, stage: Path) -> None:
        prefixes = os.pathsep.join(ros_prefixes())
        # The generators look their typesupports up in the ament index, so AMENT_PREFIX_PATH must name this environment.
        env = {**os.environ, "AMENT_PREFIX_PATH": prefixes, "CMAKE_PREFIX_PATH": prefixes}
        cmake = shutil.which("cmake", path=os.pathsep.join([str(Path(sys.executable).parent), env["PATH"]]))
        if cmake is None:
            raise SystemExit("cmake is missing: pip install cmake, or sudo apt install cmake")
        configure = [f"-S{Path.cwd()}", f"-B{build_dir}", "-DBUILD_TESTING=OFF", "-DCMAKE_BUILD_TYPE=Release"]
        # pip makes this command from setup.py's entry point, so that it finds this environment's interpreter.
        configure.append("-DINSTALL_COMMAND=OFF")
        # The real prefix, not the stage: CMake refuses exported include paths inside the source tree, where `.venv` may
        # lie, unless they are below the install prefix.
        configure += [f"-DCMAKE_INSTALL_PREFIX={sys.prefix}", f"-DPython3_EXECUTABLE={sys.executable}"]
        subprocess.run([cmake, *configure], env=env, check=True)
        subprocess.run([cmake, "--build", build_dir, "--parallel", str(os.cpu_count() or 1)], env=env, check=True)
        subprocess.run([cmake, "--install", build_dir, "--prefix", stage], env=env, check=True)

    def get_outputs(self) -> list[str]:
        return []

    def get_source_files(self) -> list[str]:
        return []
