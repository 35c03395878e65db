# Test executables, one a kind; each source file that holds test cases is one ctest test.

# Paths stand in one object, not in a header: the compiler cache then serves clones beside each
# other.
file(CONFIGURE OUTPUT ${POLARIS_GEN}/test_paths.h @ONLY CONTENT
"#pragma once
// Where the checkout and the build lie; written by CMake.
namespace polaris::test {
extern const char* const kSourceDir;
extern const char* const kBuildDir;
}  // namespace polaris::test
")
file(CONFIGURE OUTPUT ${POLARIS_GEN}/test_paths.cc @ONLY CONTENT
"// Written by CMake.
#include \"test_paths.h\"
namespace polaris::test {
const char* const kSourceDir = \"${CMAKE_SOURCE_DIR}\";
const char* const kBuildDir = \"${CMAKE_BINARY_DIR}\";
}  // namespace polaris::test
")

set(POLARIS_SUPPORT_OBJECTS "")
file(GLOB_RECURSE support_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/support/*.cc)
if(support_sources)
  add_library(test_support OBJECT ${support_sources} ${POLARIS_GEN}/test_paths.cc)
  target_link_libraries(test_support PRIVATE polaris_options)
  polaris_precompile(test_support polaris_base)
  target_include_directories(test_support PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  set(POLARIS_SUPPORT_OBJECTS $<TARGET_OBJECTS:test_support>)
endif()

# Under a sanitizer test names say so: .ci/run holds several builds in one summary.
set(POLARIS_TEST_PREFIX "")
set(POLARIS_TEST_ENVIRONMENT "")
if(POLARIS_SANITIZE MATCHES "address")
  set(POLARIS_TEST_PREFIX "asan.")
  set(POLARIS_TEST_ENVIRONMENT
    ASAN_OPTIONS=allocator_may_return_null=1
    LSAN_OPTIONS=print_suppressions=0:suppressions=${CMAKE_SOURCE_DIR}/tests/support/lsan.supp)
  # The loader closes a driver with its last instance, and a closed one has no name by which
  # lsan.supp could tell what it keeps from what we leak: the rasterizer stays open to the end.
  find_library(POLARIS_LAVAPIPE vulkan_lvp)
  if(POLARIS_LAVAPIPE)
    list(APPEND POLARIS_TEST_ENVIRONMENT LD_PRELOAD=${POLARIS_LAVAPIPE})
  endif()
elseif(POLARIS_SANITIZE MATCHES "thread")
  set(POLARIS_TEST_PREFIX "tsan.")
endif()

# polaris_tests(<target> <label> <timeout_s> <glob>...)
function(polaris_tests target label timeout_s)
  file(GLOB sources CONFIGURE_DEPENDS ${ARGN})
  if(NOT sources)
    return()
  endif()
  add_executable(${target} ${sources} ${POLARIS_SUPPORT_OBJECTS})
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(${target} PRIVATE polaris_core)
  # What tests themselves compute is little; compiling them at -O2 was a tenth of a build.
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-Og>)
  polaris_precompile(${target} unit_tests ${POLARIS_PCH_STD} <doctest/doctest.h>)
  foreach(source IN LISTS sources)
    file(STRINGS ${source} cases REGEX "TEST_CASE" LIMIT_COUNT 1)
    if(cases)
      get_filename_component(file ${source} NAME)
      get_filename_component(folder ${source} DIRECTORY)
      get_filename_component(folder ${folder} NAME)
      string(REGEX REPLACE "(_test)?\\.cc$" "" stem ${file})
      set(name ${POLARIS_TEST_PREFIX}${folder}.${stem})
      add_test(NAME ${name} COMMAND ${target} -sf=*${folder}/${file})
      set_tests_properties(${name} PROPERTIES
        LABELS ${label} TIMEOUT ${timeout_s} ENVIRONMENT "${POLARIS_TEST_ENVIRONMENT}"
        # A filter that matches nothing must not pass.
        FAIL_REGULAR_EXPRESSION "test cases: +0 ")
    endif()
  endforeach()
endfunction()

set(tests ${CMAKE_SOURCE_DIR}/tests)
polaris_tests(unit_tests unit 300 ${tests}/unit/*.cc)
polaris_tests(op_tests op 600 ${tests}/conformance/*.cc ${tests}/op/*.cc)
polaris_tests(pass_tests pass 300 ${tests}/pass/*.cc)
polaris_tests(e2e_tests e2e 900 ${tests}/e2e/*.cc)
# Plugins of the tests: C, linked against nothing of ours, as a user builds them.
enable_language(C)
foreach(plugin sample broken newer)
  add_library(plugin_${plugin} MODULE ${tests}/plugins/${plugin}_plugin.c)
  target_include_directories(plugin_${plugin} PRIVATE ${CMAKE_SOURCE_DIR}/include)
  set_target_properties(plugin_${plugin} PROPERTIES PREFIX "" OUTPUT_NAME ${plugin}
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins C_VISIBILITY_PRESET hidden)
  if(TARGET e2e_tests)
    add_dependencies(e2e_tests plugin_${plugin})
  endif()
endforeach()
if(TARGET e2e_tests AND TARGET polaris)
  add_dependencies(e2e_tests polaris)
endif()
polaris_tests(audit_tests audit 60 ${tests}/tools/*.cc)
# The longest begin first: begun last, they would be waited for.
foreach(name op.long_axes op.linear_stages e2e.generate_stories)
  if(TEST ${POLARIS_TEST_PREFIX}${name})
    set_tests_properties(${POLARIS_TEST_PREFIX}${name} PROPERTIES COST 100)
  endif()
endforeach()
if(TARGET audit_tests)
  target_link_libraries(audit_tests PRIVATE audit_core radv_core)
endif()
if(NOT POLARIS_SANITIZE)
  find_program(POLARIS_PYTHON python3 REQUIRED)
  add_test(NAME build.isa_leak
    COMMAND ${POLARIS_PYTHON} ${CMAKE_SOURCE_DIR}/tools/isa_leak.py ${CMAKE_BINARY_DIR})
  add_test(NAME build.unserved_format
    COMMAND ${POLARIS_PYTHON} ${tests}/tools/unserved_format.py ${CMAKE_BINARY_DIR})
  set_tests_properties(build.isa_leak build.unserved_format PROPERTIES LABELS build)
endif()
