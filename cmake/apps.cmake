# The command line. CLI11 and nlohmann-json are seen here and in tests, never in the core.

file(GLOB cli_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/apps/polaris/*.cc)
if(cli_sources)
  add_executable(polaris ${cli_sources} ${POLARIS_GENERATED_cli})
  target_include_directories(polaris PRIVATE ${CMAKE_SOURCE_DIR}/apps/polaris)
  target_compile_definitions(polaris PRIVATE POLARIS_VERSION="${PROJECT_VERSION}")
  target_link_libraries(polaris PRIVATE polaris_core)
  polaris_precompile(polaris polaris ${POLARIS_PCH_STD})
endif()
