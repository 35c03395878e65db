# tools/radv: the shipped shader variants, for the tools below.

find_path(POLARIS_VULKAN_INCLUDE vulkan/vulkan.h REQUIRED)
file(GLOB radv_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/radv/*.cc)
add_library(radv_core OBJECT ${radv_sources})
target_include_directories(radv_core PUBLIC ${CMAKE_SOURCE_DIR}/tools)
target_link_libraries(radv_core PUBLIC polaris_options)

# tools/audit: every shipped shader variant through that compiler.

file(GLOB audit_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/audit/*.cc)
list(REMOVE_ITEM audit_sources ${CMAKE_SOURCE_DIR}/tools/audit/main.cc)
add_library(audit_core OBJECT ${audit_sources})
target_include_directories(audit_core PUBLIC ${CMAKE_SOURCE_DIR}/tools/audit)
target_link_libraries(audit_core PUBLIC radv_core)
add_executable(audit ${CMAKE_SOURCE_DIR}/tools/audit/main.cc)
target_link_libraries(audit PRIVATE audit_core radv_core polaris_core)

# tools/gcn: executes and times what that compiler makes.
file(GLOB gcn_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/gcn/*.cc)
list(REMOVE_ITEM gcn_sources ${CMAKE_SOURCE_DIR}/tools/gcn/main.cc)
add_library(gcn_core OBJECT ${gcn_sources})
target_link_libraries(gcn_core PUBLIC radv_core)
add_executable(gcn ${CMAKE_SOURCE_DIR}/tools/gcn/main.cc)
target_link_libraries(gcn PRIVATE gcn_core audit_core radv_core polaris_core)
# What another program dispatches, for gcn replay: preloaded, so it stands on nothing of ours.
add_library(gcn_record MODULE ${CMAKE_SOURCE_DIR}/tools/gcn/record/recorder.cc)
target_link_libraries(gcn_record PRIVATE polaris_options ${CMAKE_DL_LIBS})

if(EXISTS ${POLARIS_SRC}/backend/vulkan/variants.h)
  add_executable(list_shaders ${CMAKE_SOURCE_DIR}/tools/list_shaders.cc)
  target_link_libraries(list_shaders PRIVATE polaris_core)
  set(shaders_json ${POLARIS_SPV_DIR}/shaders.json)
  add_custom_command(OUTPUT ${shaders_json}
    COMMAND list_shaders > ${shaders_json}.part
    COMMAND ${CMAKE_COMMAND} -E rename ${shaders_json}.part ${shaders_json}
    DEPENDS list_shaders ${POLARIS_SHADER_SPVS} VERBATIM)
  add_custom_target(shaders ALL DEPENDS ${shaders_json})
  if(POLARIS_TESTS AND NOT POLARIS_SANITIZE)
    add_test(NAME build.spirv_val WORKING_DIRECTORY ${POLARIS_SPV_DIR}
      COMMAND sh -c "for f in *.spv; do spirv-val --target-env vulkan1.2 $f || exit 1; done")
    set_tests_properties(build.spirv_val PROPERTIES LABELS build TIMEOUT 120)
    add_test(NAME audit.polaris10 COMMAND audit ${shaders_json}
      --ratchet ${CMAKE_SOURCE_DIR}/tools/audit/ratchet.json
      --simulated ${CMAKE_SOURCE_DIR}/tools/gcn/marks.json)
    add_test(NAME gcn.marks COMMAND gcn marks ${shaders_json} ${CMAKE_SOURCE_DIR}/tools/gcn/marks
      ${CMAKE_SOURCE_DIR}/tools/gcn/marks.json)
    set_tests_properties(gcn.marks PROPERTIES LABELS audit TIMEOUT 900)
    set_tests_properties(audit.polaris10 PROPERTIES LABELS audit TIMEOUT 900)
  endif()
endif()

if(NOT POLARIS_TESTS OR POLARIS_SANITIZE)
  return()
endif()

# Canaries: shaders that the audit must refuse, each with the word it must say.
find_program(POLARIS_GLSLC glslc REQUIRED)
set(canaries ${CMAKE_SOURCE_DIR}/tests/tools/audit)
set(canary_dir ${CMAKE_BINARY_DIR}/audit_canaries)
file(MAKE_DIRECTORY ${canary_dir})
set(canary_files "")
foreach(name lean spill scratch shared unlisted)
  set(source ${canaries}/${name}.comp)
  if(name STREQUAL "unlisted")
    set(source ${canaries}/lean.comp)
  endif()
  add_custom_command(OUTPUT ${canary_dir}/${name}.spv
    COMMAND ${POLARIS_GLSLC} -O --target-env=vulkan1.2 -o ${canary_dir}/${name}.spv
      ${source}
    DEPENDS ${source} VERBATIM)
  list(APPEND canary_files ${canary_dir}/${name}.spv)
endforeach()
add_custom_target(audit_canaries ALL DEPENDS ${canary_files})
configure_file(${canaries}/canaries.json ${canary_dir}/canaries.json COPYONLY)

function(polaris_audit_test name expected)
  add_test(NAME audit.${name} COMMAND audit ${canary_dir}/canaries.json ${ARGN})
  set_tests_properties(audit.${name} PROPERTIES LABELS audit TIMEOUT 120
    PASS_REGULAR_EXPRESSION "${expected}")
endfunction()
polaris_audit_test(passes_lean "lean .* 1 .*(valu|latency)" --only lean)
polaris_audit_test(refuses_spill "audit: spill: spilled VGPRs: got [1-9]" --only spill)
polaris_audit_test(refuses_scratch "audit: scratch: scratch bytes: got [1-9]" --only scratch)
polaris_audit_test(refuses_lds "audit: shared: LDS bytes: got 49152, wanted at most 32768"
  --only shared)
polaris_audit_test(refuses_unlisted "audit: unlisted.spv: shipped, but no variant")
polaris_audit_test(refuses_missing "audit: missing: no SPIR-V in missing.spv" --only missing)

# Drivers that die or hang: each variant says so, and the audit ends.
foreach(name dies hangs)
  add_library(audit_driver_${name} MODULE ${canaries}/broken_driver.cc)
  set_target_properties(audit_driver_${name} PROPERTIES
    PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${canary_dir})
  file(WRITE ${canary_dir}/${name}.json "{\"file_format_version\": \"1.0.0\", \"ICD\": "
    "{\"library_path\": \"${canary_dir}/audit_driver_${name}.so\", \"api_version\": \"1.3.0\"}}\n")
endforeach()
target_compile_definitions(audit_driver_hangs PRIVATE HANGS)
polaris_audit_test(outlives_a_dying_driver
  "lean: the driver died while compiling it.*spill: the driver died while compiling it"
  --icd ${canary_dir}/dies.json)
polaris_audit_test(outlives_a_hanging_driver "lean: took over 1 s.*spill: took over 1 s"
  --icd ${canary_dir}/hangs.json --seconds 1)

# Canaries of tools/gcn: each breaks one rule, and the check of that name must say so.
set(gcn_dir ${CMAKE_BINARY_DIR}/gcn_canaries)
file(MAKE_DIRECTORY ${gcn_dir})
set(gcn_files "")
foreach(name clean no_barrier assumes_32 race off_by_one unwritten beyond_lds uneven_barrier)
  set(source ${CMAKE_SOURCE_DIR}/tests/tools/gcn/${name}.comp)
  add_custom_command(OUTPUT ${gcn_dir}/${name}.spv
    COMMAND ${POLARIS_GLSLC} -O --target-env=vulkan1.2 -o ${gcn_dir}/${name}.spv ${source}
    DEPENDS ${source} VERBATIM)
  list(APPEND gcn_files ${gcn_dir}/${name}.spv)
endforeach()
add_custom_target(gcn_canaries ALL DEPENDS ${gcn_files})

function(polaris_gcn_test name shader expected)
  add_test(NAME gcn.${name} COMMAND gcn run ${gcn_dir}/${shader}.spv --buffer 4096 --buffer 4096
    --push 1024 --grid 4,1,1 ${ARGN})
  set_tests_properties(gcn.${name} PROPERTIES LABELS audit TIMEOUT 120
    PASS_REGULAR_EXPRESSION "${expected}")
endfunction()
polaris_gcn_test(passes_clean clean "^[0-9]+ wave instructions")
polaris_gcn_test(catches_missing_barrier no_barrier "lds-race at .*ds_write_b32")
polaris_gcn_test(catches_subgroup_32 assumes_32 "unwritten-lds at ")
polaris_gcn_test(catches_race race "lds-race at ")
polaris_gcn_test(catches_off_by_one off_by_one "out-of-bounds at .*buffer_store_dword")
polaris_gcn_test(catches_unwritten_lds unwritten "unwritten-lds at .*ds_read_b32")
polaris_gcn_test(catches_lds_bounds beyond_lds "lds-bounds at .*ds_write_b32")
polaris_gcn_test(catches_uneven_barrier uneven_barrier "barrier-divergence at ")
# Edited machine code: what a compiler would have to get wrong.
polaris_gcn_test(catches_missing_wait clean "missing-wait at .*ds_write_b32" --drop s_waitcnt)
polaris_gcn_test(catches_dropped_barrier clean "lds-race at " --drop s_barrier)
polaris_gcn_test(catches_unwritten_vector clean "unwritten-register at .*: v[0-9]+ lane "
  --drop ds_read_b32)
polaris_gcn_test(catches_unwritten_scalar clean "unwritten-register at .*: s[0-9]+"
  --drop s_load_dwordx4)
polaris_gcn_test(catches_unsupported clean "unsupported at .*the program has no end"
  --drop s_endpgm)
polaris_gcn_test(catches_too_long clean "too-long at " --instructions 1000)

# What was recorded of another program is timed: here one dispatch of the clean shader.
file(WRITE ${gcn_dir}/replay/dispatches.jsonl "{\"shader\": \"../clean.spv\", \"constants\": [], \
\"push\": [1024], \"buffers\": [[1, 0, 4096], [1, 4096, 4096]], \"grid\": [4, 1, 1]}\n")
add_test(NAME gcn.replays COMMAND gcn replay ${gcn_dir}/replay --chip rx470:1000)
set_tests_properties(gcn.replays PROPERTIES LABELS audit TIMEOUT 120
  PASS_REGULAR_EXPRESSION "\"simulated_us\": [0-9.]+, .*\"groups_simulated\": 4,")

# What is no shader is never handed to the compiler, which need not survive it.
polaris_gcn_test(refuses_a_missing_shader missing "no SPIR-V in .*missing.spv")
file(WRITE ${gcn_dir}/replay_missing/dispatches.jsonl "{\"shader\": \"missing.spv\", \
\"constants\": [], \"push\": [1024], \"buffers\": [[1, 0, 4096]], \"grid\": [4, 1, 1]}\n")
add_test(NAME gcn.replay_refuses_a_missing_shader COMMAND gcn replay ${gcn_dir}/replay_missing)
set_tests_properties(gcn.replay_refuses_a_missing_shader PROPERTIES LABELS audit TIMEOUT 120
  PASS_REGULAR_EXPRESSION "no SPIR-V in missing.spv")

# The conformance samples on the card's machine code. What takes minutes is a shard of tools/soak.
add_test(NAME gcn.decodes COMMAND gcn check ${POLARIS_SPV_DIR}/shaders.json 16)
set_tests_properties(gcn.decodes PROPERTIES LABELS audit TIMEOUT 300)
file(GLOB gcn_samples CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/op/*.cc)
list(FILTER gcn_samples EXCLUDE REGEX "/long_axes\\.cc$")
foreach(source IN LISTS gcn_samples)
  get_filename_component(stem ${source} NAME_WE)
  add_test(NAME gcn.op.${stem} COMMAND op_tests -sf=*op/${stem}.cc "-tce=*many tokens*")
  list(APPEND gcn_tests gcn.op.${stem})
endforeach()
add_test(NAME gcn.onnx_nodes COMMAND op_tests "-tc=ONNX node tests on the card's machine code*")
set_tests_properties(gcn.onnx_nodes ${gcn_tests} PROPERTIES LABELS audit TIMEOUT 600
  ENVIRONMENT "POLARIS_DEVICES=reference,gcn" FAIL_REGULAR_EXPRESSION "test cases: +0 ")
