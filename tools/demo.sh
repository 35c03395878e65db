#!/bin/sh
# tools/demo.sh POLARIS MODEL PROMPT: a story on the CPU, then the same on a Vulkan device.
set -eu
polaris=$1
model=$2
prompt=$3
tell() {
  printf '\n== %s\n' "$1"
  "$polaris" generate "$model" -p "$prompt" -n 120 --temperature 0 --device "$1"
}
tell cpu
if "$polaris" info | grep -q '^vulkan:'; then
  tell vulkan
else
  echo "no Vulkan device here: the second story is left out"
fi
