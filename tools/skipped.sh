#!/bin/sh
# tools/skipped.sh BUILD...: how many test cases the last run of each build left out, and why.
set -eu
for build in "$@"; do
  notes=$build/skipped.txt
  if [ ! -s "$notes" ]; then
    echo "$build: no test case was skipped"
    continue
  fi
  echo "$build: $(wc -l < "$notes") test cases or parts of them were skipped:"
  sort "$notes" | uniq -c
done
