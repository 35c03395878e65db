#!/bin/sh
# tools/demo.sh POLARIS MODEL PROMPT: a story on the CPU, then the same on a Vulkan device. Where
# there is no GPU, Mesa's software rasterizer stands in: it shows the path, not its speed.
set -eu
polaris=$1
model=$2
prompt=$3
tell() {
  printf '\n== %s\n' "$1"
  "$polaris" generate "$model" -p "$prompt" -n 300 --temperature 0 --device "$1"
}
tell cpu
devices=$("$polaris" info)
if printf '%s\n' "$devices" | grep '^vulkan:' | grep -qv software; then
  tell vulkan
elif printf '%s\n' "$devices" | grep -q '^vulkan:.*llvmpipe'; then
  tell vulkan:llvmpipe
else
  echo "no Vulkan device here: the second story is left out"
fi
