# The command line. CLI11 and nlohmann-json are seen here and in tests, never in the core.

file(GLOB cli_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/apps/polaris/*.cc)
if(cli_sources)
  add_executable(polaris ${cli_sources} ${POLARIS_GENERATED_cli})
  target_include_directories(polaris PRIVATE ${CMAKE_SOURCE_DIR}/apps/polaris)
  target_compile_definitions(polaris PRIVATE POLARIS_VERSION="${PROJECT_VERSION}")
  target_link_libraries(polaris PRIVATE polaris_core)
  polaris_precompile(polaris polaris ${POLARIS_PCH_STD})
  # docs/adr/0040. Sanitizers bring allocators of their own. No symbol of it is named.
  if(NOT POLARIS_SANITIZE AND NOT POLARIS_FUZZ)
    find_package(mimalloc REQUIRED)
    target_link_options(polaris PRIVATE LINKER:--no-as-needed)
    target_link_libraries(polaris PRIVATE mimalloc)
  endif()
endif()
