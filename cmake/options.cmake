# Compiler and linker flags that every target shares (target polaris_options).

find_package(Threads REQUIRED)
add_library(polaris_options INTERFACE)
target_link_libraries(polaris_options INTERFACE Threads::Threads ${CMAKE_DL_LIBS})
target_include_directories(polaris_options INTERFACE
  ${POLARIS_SRC} ${CMAKE_SOURCE_DIR}/include ${POLARIS_GEN})

# Contraction is off so that every compiler gives the same bits; kernels ask for FMA by name.
target_compile_options(polaris_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror
  # Designated initializers leave members to their defaults on purpose.
  -Wno-missing-field-initializers
  -fno-rtti -ffp-contract=off)

# POLARIS_VERSION is defined in apps.cmake (the CLI) and floors.cmake (the C ABI), so that
# a new version rebuilds no more than those.

if(POLARIS_MOVE_ON_INSERT)
  target_compile_definitions(polaris_options INTERFACE POLARIS_MOVE_ON_INSERT)
endif()
if(POLARIS_SANITIZE)
  target_compile_options(polaris_options INTERFACE
    -fsanitize=${POLARIS_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(polaris_options INTERFACE -fsanitize=${POLARIS_SANITIZE})
  if(POLARIS_SANITIZE MATCHES "undefined")
    target_compile_options(polaris_options INTERFACE -fno-sanitize=vptr)  # needs RTTI
  endif()
endif()
if(POLARIS_FUZZ)
  target_compile_options(polaris_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(polaris_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
