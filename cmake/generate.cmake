# A file in its folder is its registration: each list below is written from a glob.

# polaris_write_list(<out> <include> <namespace> <type> <prefix> <array> <count> <stem>...)
# writes a constant-initialized table of pointers to `<prefix>_<stem>`.
function(polaris_write_list out header namespace type prefix array count)
  set(externs "")
  set(entries "")
  foreach(stem IN LISTS ARGN)
    string(APPEND externs "extern const ${type} ${prefix}_${stem};\n")
    string(APPEND entries "    &${prefix}_${stem},\n")
  endforeach()
  list(LENGTH ARGN length)
  if(length EQUAL 0)
    set(entries "    nullptr,\n")  # an array of no elements is not C++
  endif()
  file(CONFIGURE OUTPUT ${POLARIS_GEN}/${out} @ONLY CONTENT
"// Written by CMake from the files of a folder; edits are lost.
#include <cstddef>

#include \"${header}\"

namespace ${namespace} {

${externs}
extern const ${type}* const ${array}[];
extern const std::size_t ${count};

const ${type}* const ${array}[] = {
${entries}};
const std::size_t ${count} = ${length};

}  // namespace ${namespace}
")
endfunction()

# polaris_stems(<var> <glob> [<exclude regex>]): sorted file stems of a folder.
function(polaris_stems var glob)
  file(GLOB files CONFIGURE_DEPENDS ${glob})
  set(stems "")
  foreach(file IN LISTS files)
    get_filename_component(stem ${file} NAME_WE)
    if(NOT ARGC GREATER 2 OR NOT stem MATCHES "${ARGV2}")
      list(APPEND stems ${stem})
    endif()
  endforeach()
  list(SORT stems)
  set(${var} ${stems} PARENT_SCOPE)
endfunction()

set(POLARIS_ISA_SUFFIX "_(sse2|avx2|avx512|vnni)$")
set(POLARIS_GENERATED_ir "")
set(POLARIS_GENERATED_arch "")
set(POLARIS_GENERATED_load "")
set(POLARIS_GENERATED_backend "")

if(EXISTS ${POLARIS_SRC}/ir/op_def.h)
  polaris_stems(stems ${POLARIS_SRC}/ir/op/*.cc)
  polaris_write_list(ir_op_list.cc ir/op_def.h polaris OpDef op
    kBuiltinOps kBuiltinOpCount ${stems})
  list(APPEND POLARIS_GENERATED_ir ${POLARIS_GEN}/ir_op_list.cc)
endif()

if(EXISTS ${POLARIS_SRC}/arch/architecture.h)
  polaris_stems(stems ${POLARIS_SRC}/arch/*.cc "^(common_.*|architecture)$")
  polaris_write_list(arch_list.cc arch/architecture.h polaris Architecture arch
    kArchitectures kArchitectureCount ${stems})
  list(APPEND POLARIS_GENERATED_arch ${POLARIS_GEN}/arch_list.cc)
endif()

if(EXISTS ${POLARIS_SRC}/load/hf/architecture.h)
  polaris_stems(stems ${POLARIS_SRC}/load/hf/model/*.cc)
  polaris_write_list(hf_model_list.cc load/hf/architecture.h polaris::hf HfArchitecture hf_model
    kHfArchitectures kHfArchitectureCount ${stems})
  list(APPEND POLARIS_GENERATED_load ${POLARIS_GEN}/hf_model_list.cc)
endif()

foreach(backend cpu vulkan)
  if(EXISTS ${POLARIS_SRC}/backend/${backend}/kernel.h)
    polaris_stems(stems ${POLARIS_SRC}/backend/${backend}/kernel/*.cc "${POLARIS_ISA_SUFFIX}")
    polaris_write_list(${backend}_kernel_list.cc backend/${backend}/kernel.h
      polaris::${backend} KernelFamily family kFamilies kFamilyCount ${stems})
    list(APPEND POLARIS_GENERATED_backend ${POLARIS_GEN}/${backend}_kernel_list.cc)
  endif()
endforeach()

set(POLARIS_GENERATED_cli "")
if(EXISTS ${CMAKE_SOURCE_DIR}/apps/polaris/command.h)
  polaris_stems(stems ${CMAKE_SOURCE_DIR}/apps/polaris/cmd_*.cc)
  list(TRANSFORM stems REPLACE "^cmd_" "")
  polaris_write_list(command_list.cc command.h polaris::cli Command command
    kCommands kCommandCount ${stems})
  list(APPEND POLARIS_GENERATED_cli ${POLARIS_GEN}/command_list.cc)
endif()
