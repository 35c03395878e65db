# Compiles src/backend/vulkan/shader/*.comp to build/<preset>/shaders/<name>.spv and embeds them.
# A comment line `// variants: <suffix> -DNAME=VALUE ...` makes <stem>.<suffix>.spv; a shader
# with no such line makes <stem>.spv.

set(POLARIS_SHADER_DIR ${POLARIS_SRC}/backend/vulkan/shader)
set(POLARIS_SPV_DIR ${CMAKE_BINARY_DIR}/shaders)
set(POLARIS_SHADER_SPVS "")
set(POLARIS_SHADER_NAMES "")
set(POLARIS_SHADER_INCS "")

# Adds one .spv and the word list that the library embeds.
function(polaris_add_shader source name)
  set(spv ${POLARIS_SPV_DIR}/${name}.spv)
  set(inc ${POLARIS_GEN}/shader/${name}.inc)
  add_custom_command(
    OUTPUT ${spv} ${inc}
    COMMAND ${POLARIS_GLSLC} -O --target-env=vulkan1.2 -I ${POLARIS_SHADER_DIR} -I ${POLARIS_SRC}
      ${ARGN} -MD -MF ${inc}.d -MT ${spv} -o ${spv} ${source}
    COMMAND ${CMAKE_COMMAND} -DSPV=${spv} -DOUT=${inc}
      -P ${CMAKE_SOURCE_DIR}/cmake/embed_spirv.cmake
    DEPENDS ${source} ${CMAKE_SOURCE_DIR}/cmake/embed_spirv.cmake
    DEPFILE ${inc}.d
    COMMENT "Shader ${name}"
    VERBATIM)
  set(POLARIS_SHADER_SPVS ${POLARIS_SHADER_SPVS} ${spv} PARENT_SCOPE)
  set(POLARIS_SHADER_NAMES ${POLARIS_SHADER_NAMES} ${name} PARENT_SCOPE)
  set(POLARIS_SHADER_INCS ${POLARIS_SHADER_INCS} ${inc} PARENT_SCOPE)
endfunction()

file(GLOB shader_sources CONFIGURE_DEPENDS ${POLARIS_SHADER_DIR}/*.comp)
if(shader_sources)
  find_program(POLARIS_GLSLC glslc REQUIRED)
  file(MAKE_DIRECTORY ${POLARIS_SPV_DIR} ${POLARIS_GEN}/shader)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${shader_sources})
endif()
foreach(source IN LISTS shader_sources)
  get_filename_component(stem ${source} NAME_WE)
  file(STRINGS ${source} variants REGEX "^// variants: ")
  if(NOT variants)
    polaris_add_shader(${source} ${stem})
  endif()
  foreach(line IN LISTS variants)
    string(REGEX REPLACE "^// variants: *" "" line "${line}")
    separate_arguments(words UNIX_COMMAND "${line}")
    list(POP_FRONT words suffix)
    polaris_add_shader(${source} ${stem}.${suffix} ${words})
  endforeach()
endforeach()

# The folder holds what is shipped: modules of shaders that are gone would look as if they were.
file(GLOB shader_leftovers ${POLARIS_SPV_DIR}/*.spv)
list(REMOVE_ITEM shader_leftovers ${POLARIS_SHADER_SPVS} "")
if(shader_leftovers)
  file(REMOVE ${shader_leftovers})
endif()

if(EXISTS ${POLARIS_SRC}/backend/vulkan/shader_blobs.h)
  set(arrays "")
  set(entries "")
  foreach(name inc IN ZIP_LISTS POLARIS_SHADER_NAMES POLARIS_SHADER_INCS)
    string(MAKE_C_IDENTIFIER ${name} id)
    string(APPEND arrays
      "constexpr std::uint32_t kWords_${id}[] = {\n#include \"shader/${name}.inc\"\n};\n")
    string(APPEND entries "    {\"${name}\", kWords_${id}, std::size(kWords_${id})},\n")
  endforeach()
  list(LENGTH POLARIS_SHADER_NAMES count)
  if(count EQUAL 0)
    set(entries "    {},\n")
  endif()
  file(CONFIGURE OUTPUT ${POLARIS_GEN}/shader_blobs.cc @ONLY CONTENT
"// Written by CMake from the shader folder; edits are lost.
#include \"backend/vulkan/shader_blobs.h\"

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace polaris::vulkan {
namespace {

${arrays}
}  // namespace

extern const ShaderBlob kShaderBlobs[];
extern const std::size_t kShaderBlobCount;

const ShaderBlob kShaderBlobs[] = {
${entries}};
const std::size_t kShaderBlobCount = ${count};

}  // namespace polaris::vulkan
")
  set_source_files_properties(${POLARIS_GEN}/shader_blobs.cc PROPERTIES
    OBJECT_DEPENDS "${POLARIS_SHADER_INCS}")
  list(APPEND POLARIS_GENERATED_backend ${POLARIS_GEN}/shader_blobs.cc)
endif()
