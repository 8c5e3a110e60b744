# Compiler settings common to all targets.
option(SALLYPORT_FUZZ "Build the fuzz targets (clang only)" OFF)
option(SALLYPORT_BENCH "Build the benchmarks" OFF)
set(SALLYPORT_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

find_program(CCACHE ccache)
if(CCACHE)
  # What was compiled in one checkout serves the others. Paths are relative to the build directory then, __FILE__ too.
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_library(sallyport_options INTERFACE)
target_compile_options(sallyport_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast
  -Wno-missing-field-initializers -Wcast-align -Woverloaded-virtual -Wnull-dereference -Wswitch-enum -Werror
  -fno-omit-frame-pointer -fstack-protector-strong)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports false positives of these in the standard library when optimising.
  target_compile_options(sallyport_options INTERFACE
    -Wno-null-dereference -Wno-restrict -Wno-dangling-pointer -Wno-maybe-uninitialized)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_definitions(sallyport_options INTERFACE _FORTIFY_SOURCE=2)
  add_link_options(-Wl,-z,relro,-z,now)
  # One more of those, which the optimisation at link time says.
  add_link_options($<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow>)
endif()
target_include_directories(sallyport_options INTERFACE ${PROJECT_SOURCE_DIR}/src)
if(SALLYPORT_SANITIZE)
  add_compile_options(-fsanitize=${SALLYPORT_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SALLYPORT_SANITIZE})
  add_compile_definitions(SALLYPORT_SANITIZED)
endif()
if(SALLYPORT_SANITIZE MATCHES "thread")
  # The thread sanitizer does not understand fences; Asio's are redundant with its locks.
  add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
endif()
if(SALLYPORT_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
