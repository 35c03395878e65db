# tests/fuzz/<name>_fuzz.cc: one libFuzzer executable each.

file(GLOB fuzz_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/*_fuzz.cc)
foreach(source IN LISTS fuzz_sources)
  get_filename_component(stem ${source} NAME_WE)
  add_executable(${stem} ${source})
  target_include_directories(${stem} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(${stem} PRIVATE polaris_core)
  target_link_options(${stem} PRIVATE -fsanitize=fuzzer)
endforeach()
