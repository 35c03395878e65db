# bench/<name>.cc: one program each, built on request (ninja bench_<name>, or benches for all).

file(GLOB bench_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bench/*.cc)
foreach(source IN LISTS bench_sources)
  get_filename_component(stem ${source} NAME_WE)
  add_executable(bench_${stem} EXCLUDE_FROM_ALL ${source})
  target_link_libraries(bench_${stem} PRIVATE polaris_core)
  list(APPEND bench_programs bench_${stem})
endforeach()
add_custom_target(benches DEPENDS ${bench_programs})
