# make setup        a virtual environment with ROS 2 from wheels and this package
# make test         all tests                          (PYTEST_ARGS="-k crops" selects some)
# make test-fast    all tests but those marked slow
# make test-oldest  tests without ROS, on the oldest versions that setup.py allows (PYTHON=python3.10 for those of Humble)
# make demo         the demo on street footage         (SOURCE=video.mp4 or a webcam's index for your own,
#                   DETECTOR=yolov3_tiny and POSE=... for other models, downloaded if necessary)
# make fuzz         property-based tests for FUZZ_MINUTES=30 minutes; failing examples are kept in out/fuzz
# make lint         ruff and mypy
# make format       format the code and sort its imports
# make docs         write config/pose.yaml, docs/parameters.md and the tables of docs/models.md
# make docs-html    the API reference, in out/api
# make clean        delete everything that these commands create
#
# All accept ROS_DISTRO=jazzy (default, in .venv) or kilted (in .venv-kilted), and PYTHON=python3.12. A ROS 2 installation on this
# machine is neither used nor changed.

ROS_DISTRO ?= jazzy
PYTHON ?= python3
FUZZ_MINUTES ?= 30
VENV := $(if $(filter jazzy,$(ROS_DISTRO)),.venv,.venv-$(ROS_DISTRO))
BIN := $(VENV)/bin

export ROS_DISTRO
# A sourced ROS 2 must not leak into the environment.
unexport AMENT_PREFIX_PATH CMAKE_PREFIX_PATH COLCON_PREFIX_PATH LD_LIBRARY_PATH PYTHONPATH PYTHONHOME VIRTUAL_ENV
# Without this profile, Fast DDS loses images between processes. Fast DDS 2 (Jazzy) and 3 (Kilted) read different variables.
export FASTRTPS_DEFAULT_PROFILES_FILE ?= $(CURDIR)/config/fastdds_images.xml
export FASTDDS_DEFAULT_PROFILES_FILE ?= $(CURDIR)/config/fastdds_images.xml

# The sources of the environment and of the package: after a change, the next command installs again (seconds).
STAND_INS := $(shell find build_support stand_ins -name build -prune -o -name '*.py' -print -o -name '*.cmake' -print -o -name '*.msg' -print -o -name 'CMakeLists.txt' -print)
WHEELS := requirements/ros2_wheels.txt requirements/$(ROS_DISTRO).txt
PACKAGE := CMakeLists.txt package.xml setup.py scripts/pose_resnet_ros scripts/tool.in \
  $(shell find pose_resnet_ros msg launch config rviz -type f -not -name '*.pyc')

.PHONY: setup test test-fast test-oldest fuzz demo lint format docs docs-html clean

setup: $(VENV)/.package

$(VENV)/.environment: scripts/make_environment.sh $(wildcard $(WHEELS)) $(STAND_INS)
	scripts/make_environment.sh $(ROS_DISTRO) $(VENV) $(PYTHON)
	touch $@

$(VENV)/.package: $(VENV)/.environment $(PACKAGE)
	$(BIN)/python -m pip install --no-build-isolation '.[cpu,test]'
	touch $@

test: setup
	$(BIN)/python -m pytest $(PYTEST_ARGS)

test-fast: setup
	$(BIN)/python -m pytest -m "not slow" $(PYTEST_ARGS)

fuzz: setup
	$(BIN)/python scripts/fuzz.py $(FUZZ_MINUTES)

.venv-oldest/.package: requirements/oldest.txt $(PACKAGE)
	$(PYTHON) -m venv --clear .venv-oldest
	.venv-oldest/bin/python -m pip install --only-binary :all: --constraint requirements/oldest.txt '.[cpu,test]' wheel
	touch $@

test-oldest: .venv-oldest/.package
	.venv-oldest/bin/python -m pytest $(PYTEST_ARGS)

demo: setup
	$(if $(filter yolov3_tiny,$(DETECTOR)),scripts/fetch_yolov3_tiny.sh $(BIN)/python)
	source="$${SOURCE:-$$(scripts/fetch_footage.sh $(BIN)/python)}" && $(BIN)/python -m pose_resnet_ros demo --source "$$source" \
	  -- -p allow_download:=true $(if $(DETECTOR),-p detector_model:=$(DETECTOR)) $(if $(POSE),-p pose_model:=$(POSE))

lint: setup
	$(BIN)/python -m pip install --quiet --requirement requirements/lint.txt
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup
	$(BIN)/python -m pip install --quiet --requirement requirements/lint.txt
	$(BIN)/ruff check --select I --fix .
	$(BIN)/ruff format .

docs: setup
	$(BIN)/python scripts/update_docs.py

docs-html: setup
	$(BIN)/python -m pip install --quiet --requirement requirements/docs.txt
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet docs/api out/api

clean:
	rm -rf .venv .venv-* build stand_ins/*/build *.egg-info stand_ins/*/*.egg-info out
