# Precompiled standard headers, for tests with doctest: most files of ours are short, and half of a
# build was reading <string>. Not the large libraries of templates that few files include
# (nlohmann-json, CLI11): every file paid for them, tests by half as much again.
# g++ only: clang's presets compile without, so that a file that forgot an include is found there.

option(POLARIS_PCH "Precompile the standard headers (g++)" ON)
set(POLARIS_PCH_STD <algorithm> <array> <atomic> <cmath> <cstddef> <cstdint> <cstring>
  <functional> <limits> <map> <memory> <mutex> <optional> <set> <span> <string> <string_view>
  <utility> <variant> <vector>)

# polaris_precompile(<target> <owner> <header>...): `target` uses the header that `owner`, the
# first target to come with it, compiles; both have the same compile flags.
function(polaris_precompile target owner)
  if(NOT POLARIS_PCH OR NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    return()
  endif()
  # The first is for ccache. The others: g++ 12 no longer knows that a header it precompiled is the
  # system's, and reports overflows in std::string that cannot be (its bugs 105329 and 105651).
  target_compile_options(${target} PRIVATE
    -fpch-preprocess -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread)
  if(target STREQUAL owner)
    target_precompile_headers(${target} PRIVATE ${ARGN})
  else()
    target_precompile_headers(${target} REUSE_FROM ${owner})
  endif()
endfunction()
