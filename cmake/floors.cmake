# One object library per floor folder of src/, in the order of docs/architecture.md; together
# they are the static library polaris_core and the shared library libpolaris.so (the C ABI only).

set(POLARIS_FLOORS base gcn tensor text media ir plugin wire arch load save pass backend plan
  session sim quant pipeline server cluster)

# Kernels above the SSE2 baseline are compiled apart and chosen at run time.
function(polaris_isa_flags)
  set(avx2 -mavx2 -mfma -mf16c)
  set(avx512 -mavx512f -mavx512bw -mavx512vl -mavx512dq ${avx2})
  foreach(source IN LISTS ARGN)
    if(source MATCHES "_avx2\\.cc$")
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${avx2}")
    elseif(source MATCHES "_avx512\\.cc$")
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${avx512}")
    elseif(source MATCHES "_vnni\\.cc$")
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${avx512};-mavx512vnni")
    endif()
    # A register tile is in registers only where its loops are unrolled whole, which -O2 does not;
    # nor does it vectorize the loops over the lanes of a simulated wave or of a fit of scales, or
    # unroll those that turn a block of weights.
    if(source MATCHES "/simd/|/gcn/(op_valu|wave)|/vulkan/.*conv_weights|/tensor/block_quantize")
      set_property(SOURCE ${source} APPEND PROPERTY COMPILE_OPTIONS $<$<CONFIG:Release>:-O3>)
    endif()
    # A precompiled header fits one set of flags.
    if(source MATCHES "/simd/|_(avx2|avx512|vnni)\\.cc$")
      set_source_files_properties(${source} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
    endif()
  endforeach()
endfunction()

find_path(POLARIS_XXHASH_INCLUDE xxhash.h REQUIRED)
find_library(POLARIS_XXHASH_LIB xxhash REQUIRED)
find_path(POLARIS_UTF8PROC_INCLUDE utf8proc.h REQUIRED)
find_library(POLARIS_UTF8PROC_LIB utf8proc REQUIRED)
find_path(POLARIS_ZLIB_INCLUDE zlib.h REQUIRED)
find_library(POLARIS_ZLIB_LIB z REQUIRED)
# The headers lie on the compiler's own path; the C++ files of src/media alone include them.
find_path(POLARIS_PNG_INCLUDE png.h REQUIRED)
find_library(POLARIS_PNG_LIB png REQUIRED)
find_path(POLARIS_JPEG_INCLUDE jpeglib.h REQUIRED)
find_library(POLARIS_JPEG_LIB jpeg REQUIRED)
find_path(POLARIS_SNDFILE_INCLUDE sndfile.h REQUIRED)
find_library(POLARIS_SNDFILE_LIB sndfile REQUIRED)

set(POLARIS_CORE_OBJECTS "")
foreach(floor IN LISTS POLARIS_FLOORS)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${POLARIS_SRC}/${floor}/*.cc)
  list(APPEND sources ${POLARIS_GENERATED_${floor}})
  if(sources)
    polaris_isa_flags(${sources})
    add_library(polaris_${floor} OBJECT ${sources})
    target_link_libraries(polaris_${floor} PRIVATE polaris_options)
    polaris_precompile(polaris_${floor} polaris_base ${POLARIS_PCH_STD})
    list(APPEND POLARIS_CORE_OBJECTS $<TARGET_OBJECTS:polaris_${floor}>)
  endif()
endforeach()

file(GLOB_RECURSE capi_sources CONFIGURE_DEPENDS ${POLARIS_SRC}/capi/*.cc)
if(capi_sources)
  add_library(polaris_capi OBJECT ${capi_sources})
  target_link_libraries(polaris_capi PRIVATE polaris_options)
  polaris_precompile(polaris_capi polaris_base)
  target_compile_definitions(polaris_capi PRIVATE POLARIS_VERSION="${PROJECT_VERSION}")
  list(APPEND POLARIS_CORE_OBJECTS $<TARGET_OBJECTS:polaris_capi>)
endif()

add_library(polaris_core STATIC ${POLARIS_CORE_OBJECTS})
set_target_properties(polaris_core PROPERTIES LINKER_LANGUAGE CXX)
target_link_libraries(polaris_core PUBLIC polaris_options ${POLARIS_XXHASH_LIB}
  ${POLARIS_UTF8PROC_LIB} ${POLARIS_ZLIB_LIB} ${POLARIS_PNG_LIB} ${POLARIS_JPEG_LIB}
  ${POLARIS_SNDFILE_LIB})

if(capi_sources)
  set(exports ${CMAKE_SOURCE_DIR}/cmake/exports.map)
  add_library(polaris_shared SHARED $<TARGET_OBJECTS:polaris_capi>)
  target_link_libraries(polaris_shared PRIVATE polaris_core)
  target_link_options(polaris_shared PRIVATE -Wl,--version-script=${exports})
  set_target_properties(polaris_shared PROPERTIES OUTPUT_NAME polaris LINK_DEPENDS ${exports})
endif()
