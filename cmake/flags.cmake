# Compiler flags, in one interface target `thalweg_flags`. Asserts stay on in every build: NDEBUG is never set.
#
#   THALWEG_SANITIZE   empty, "address,undefined" or "thread": a debug build under those sanitizers (THALWEG_DEBUG is defined)
#   THALWEG_FUZZ       ON builds test/fuzz with clang's libFuzzer
set(THALWEG_SANITIZE "" CACHE STRING "sanitizers: empty, address,undefined or thread")
option(THALWEG_FUZZ "build the fuzz targets (clang only)" OFF)

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Release or Debug" FORCE)
endif()
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)     # one compilation serves the static and the shared library
set(CMAKE_C_FLAGS_RELEASE "-O3 -g1")
set(CMAKE_C_FLAGS_DEBUG "-O1 -g")

file(RELATIVE_PATH source_from_build ${CMAKE_BINARY_DIR} ${CMAKE_SOURCE_DIR})
string(REGEX REPLACE "/$" "" source_from_build "${source_from_build}")
if(source_from_build STREQUAL "")
    set(source_from_build .)      # built in the source folder itself
endif()
add_library(thalweg_flags INTERFACE)
target_compile_options(thalweg_flags INTERFACE -std=gnu17 -march=x86-64-v3 -Wall -Wextra -Wshadow -Wmissing-prototypes
    -Wstrict-prototypes -Wvla -Werror -ffp-contract=off -fno-semantic-interposition
    -fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=      # asserts name src/..., not the place of the checkout
    -fmacro-prefix-map=${source_from_build}/=)    # nor the way there, to which ccache shortens it under a base folder
target_compile_definitions(thalweg_flags INTERFACE _GNU_SOURCE THALWEG_VERSION="${PROJECT_VERSION}")

if(THALWEG_SANITIZE)
    set(CMAKE_BUILD_TYPE Debug)
    target_compile_options(thalweg_flags INTERFACE -fsanitize=${THALWEG_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(thalweg_flags INTERFACE -fsanitize=${THALWEG_SANITIZE})
    target_compile_definitions(thalweg_flags INTERFACE THALWEG_DEBUG=1)
endif()

if(THALWEG_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID MATCHES Clang)
        message(FATAL_ERROR "THALWEG_FUZZ needs clang: configure with -DCMAKE_C_COMPILER=clang (`make fuzz` does)")
    endif()
    target_compile_options(thalweg_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
