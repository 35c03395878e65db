#!/bin/sh
# tools/clang_tidy.sh BUILD_DIR [FILE...]: clang-tidy over our C++ files, all or those named.
# A file whose preprocessed text and checks are unchanged since it last passed is skipped.
set -eu
build=$1
shift
[ $# -gt 0 ] || set -- $(git ls-files '*.cc')
[ $# -gt 0 ] || exit 0
includes="-Isrc -Iinclude -Iapps/polaris -Itests -I$build/gen"
stamps=build/clang_tidy
mkdir -p "$stamps"
# g++'s precompiled headers mean nothing to clang.
sed 's/-Winvalid-pch//; s/-include [^ "]*cmake_pch.hxx//' "$build/compile_commands.json" \
  > "$stamps/compile_commands.json"
export build stamps includes
printf '%s\n' "$@" | xargs -P "$(nproc)" -I{} sh -c '
  file=$1
  key=$( (clang++-16 -std=c++20 -mavx2 -E -P $includes "$file" 2>&1
    cat .clang-tidy "${file%%/*}/.clang-tidy" 2>/dev/null) | sha256sum | cut -c1-32)
  [ -e "$stamps/$key" ] && exit 0
  clang-tidy-16 --quiet --extra-arg=-Wno-unknown-warning-option -p "$stamps" "$file" 2>/dev/null &&
    touch "$stamps/$key"
' sh {}
