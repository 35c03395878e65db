#!/bin/sh
# tools/demo_chat.sh POLARIS MODEL: a talk with the model. Where there is nobody at a terminal, two
# questions of ours, the second of which needs the first to be remembered.
set -eu
if [ -t 0 ]; then
  exec "$1" chat "$2"
fi
printf '%s\n' 'Write a Python function that adds two numbers. Only the code.' \
  'Now one that multiplies them.' | "$1" chat "$2" -n 120 --temperature 0
