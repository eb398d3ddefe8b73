# Everything that is found by its place:
#   test/unit/<module>/test_<file>.c   an executable and a ctest entry of that name, linked to cmocka and the static library
#   test/support/*.c                   helpers that every test may use (header beside them)
#   examples/<name>.c                  an executable; with examples/<name>.expected also a ctest entry that compares stdout
#   bench/bench_<name>.c               an executable run by `make bench`; other bench/*.c are helpers for all of them
#   test/fuzz/fuzz_<name>.c            an executable that runs over its corpus as a test; with THALWEG_FUZZ=ON, libFuzzer's

# helper_library(NAME FOLDER SOURCES...): the files that are no programs themselves, as one library; none gives an empty target.
function(helper_library name folder)
    if(ARGN)
        add_library(${name} STATIC ${ARGN})
        target_link_libraries(${name} PUBLIC thalweg_static)
        target_include_directories(${name} PUBLIC ${folder})
    else()
        add_library(${name} INTERFACE)
    endif()
endfunction()

# ---- unit tests
file(GLOB_RECURSE test_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/test/unit/test_*.c)
file(GLOB test_helpers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/test/support/*.c)
helper_library(test_support ${CMAKE_SOURCE_DIR}/test ${test_helpers})
foreach(source ${test_sources})
    get_filename_component(name ${source} NAME_WE)
    if(TARGET ${name})      # two modules may have a file of one name: the second carries its module in front
        get_filename_component(folder ${source} DIRECTORY)
        get_filename_component(module ${folder} NAME)
        set(name ${module}_${name})
    endif()
    add_executable(${name} ${source})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
    target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/test)
    target_compile_definitions(${name} PRIVATE THALWEG_TEST_DIR="${CMAKE_SOURCE_DIR}/test")
    target_link_libraries(${name} PRIVATE test_support thalweg_static PkgConfig::cmocka)
    add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_BINARY_DIR}/test)
    set_tests_properties(${name} PROPERTIES TIMEOUT 300 LABELS unit)
endforeach()

# ---- examples
file(GLOB example_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/examples/*.c)
file(GLOB example_expected CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/examples/*.expected)
foreach(source ${example_sources})
    get_filename_component(name ${source} NAME_WE)
    add_executable(example_${name} ${source})
    set_target_properties(example_${name} PROPERTIES OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/examples)
    target_link_libraries(example_${name} PRIVATE thalweg_static)
    if(EXISTS ${CMAKE_SOURCE_DIR}/examples/${name}.expected)
        add_test(NAME example_${name} COMMAND ${CMAKE_SOURCE_DIR}/tools/expect.sh ${CMAKE_SOURCE_DIR}/examples/${name}.expected
            $<TARGET_FILE:example_${name}> WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
        set_tests_properties(example_${name} PROPERTIES TIMEOUT 120 LABELS example)
    endif()
endforeach()

# ---- benchmarks
file(GLOB bench_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bench/bench_*.c)
file(GLOB bench_helpers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bench/*.c)
list(FILTER bench_helpers EXCLUDE REGEX "/bench_[^/]*$")
helper_library(bench_support ${CMAKE_SOURCE_DIR}/bench ${bench_helpers})
foreach(source ${bench_sources})
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
    target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/bench)
    target_link_libraries(${name} PRIVATE bench_support thalweg_static)
    if(NOT THALWEG_SANITIZE)
        target_link_libraries(${name} PRIVATE PkgConfig::jemalloc)
    endif()
endforeach()

# ---- fuzz targets: with libFuzzer, or as a test over their corpus
file(GLOB fuzz_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/test/fuzz/fuzz_*.c)
add_custom_target(fuzz_targets)
foreach(source ${fuzz_sources})
    get_filename_component(name ${source} NAME_WE)
    string(REPLACE fuzz_ "" short ${name})
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE thalweg_static)
    target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/test)
    if(THALWEG_FUZZ)
        set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
        target_link_options(${name} PRIVATE -fsanitize=fuzzer)
        add_dependencies(fuzz_targets ${name})
    else()
        target_sources(${name} PRIVATE ${CMAKE_SOURCE_DIR}/test/fuzz/driver.c)
        set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
        add_test(NAME corpus_${short} COMMAND ${name} ${CMAKE_SOURCE_DIR}/test/fuzz/corpus/${short})
        set_tests_properties(corpus_${short} PROPERTIES TIMEOUT 120 LABELS fuzz)
    endif()
endforeach()
