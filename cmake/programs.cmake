# Everything that is found by its place:
#   test/unit/<module>/test_<file>.c   an executable and a ctest entry of that name, linked to cmocka and the static library
#   test/support/*.c                   helpers that every test may use (header beside them)
#   test/sql/<area>/*.test              text tests of SQL: a ctest entry sql_<area>, run by test/sqltest in every mode
#   test/sqlgen/*.c                    the generator of SQL, which checks the engine against itself, as a ctest entry sqlgen
#   test/e2e/test_<name>.sh            a ctest entry e2e_<name>: the binary as a user meets it
#   test/functions/<name>.c            libraries of SQL functions for these; examples/functions/<name>.c are such, too
#   examples/<name>.c                  an executable; with examples/<name>.expected also a ctest entry that compares stdout
#   bench/bench_<name>.c               an executable run by `make bench`, with --smoke a ctest entry; other bench/*.c are helpers
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

# ---- libraries of functions for SQL
function(function_libraries folder to)
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.c)
    foreach(source ${sources})
        get_filename_component(name ${source} NAME_WE)
        add_library(functions_${name} MODULE ${source})
        set_target_properties(functions_${name} PROPERTIES OUTPUT_NAME ${name} PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/${to})
        target_include_directories(functions_${name} PRIVATE ${CMAKE_SOURCE_DIR}/include)
        target_link_libraries(functions_${name} PRIVATE thalweg_flags)
    endforeach()
endfunction()
function_libraries(test/functions test/functions)
set_target_properties(test_table_rows PROPERTIES ENABLE_EXPORTS ON) # it loads one of them
add_dependencies(test_table_rows functions_tables)
function_libraries(examples/functions examples)

# ---- text tests of SQL: one folder a test, run by one program in every mode
file(GLOB sqltest_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/test/sqltest/*.c)
file(GLOB sql_areas CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/test/sql/*)
add_executable(sqltest ${sqltest_sources})
set_target_properties(sqltest PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test ENABLE_EXPORTS ON)
target_compile_definitions(sqltest PRIVATE SQLTEST_LIBRARIES="${CMAKE_BINARY_DIR}/test/functions")
target_link_libraries(sqltest PRIVATE thalweg_static m)
foreach(area ${sql_areas})
    if(IS_DIRECTORY ${area})
        get_filename_component(name ${area} NAME)
        add_test(NAME sql_${name} COMMAND sqltest test/sql/${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
        set_tests_properties(sql_${name} PROPERTIES TIMEOUT 300 LABELS sql)
    endif()
endforeach()

# ---- generated SQL: every query in every mode; `make sqlgen` runs many seeds, and asks SQLite and DuckDB
file(GLOB sqlgen_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/test/sqlgen/*.c)
add_executable(sqlgen ${sqlgen_sources})
set_target_properties(sqlgen PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
target_link_libraries(sqlgen PRIVATE thalweg_static m)
add_test(NAME sqlgen COMMAND sqlgen --seeds 60 --folder ${CMAKE_BINARY_DIR}/test)
set_tests_properties(sqlgen PROPERTIES TIMEOUT 300 LABELS sql)

# ---- examples: each as a program and, when it is a job, as the shared object that `thalweg run` loads; both print the same
file(GLOB example_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/examples/*.c)
file(GLOB example_expected CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/examples/*.expected)
function(example_test name test)
    if(EXISTS ${CMAKE_SOURCE_DIR}/examples/${name}.expected)
        add_test(NAME ${test} COMMAND ${CMAKE_SOURCE_DIR}/tools/expect.sh ${CMAKE_SOURCE_DIR}/examples/${name}.expected ${ARGN}
            WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
        set_tests_properties(${test} PROPERTIES TIMEOUT 120 LABELS example)
    endif()
endfunction()
foreach(source ${example_sources})
    get_filename_component(name ${source} NAME_WE)
    add_executable(example_${name} ${source})
    set_target_properties(example_${name} PROPERTIES OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/examples)
    target_link_libraries(example_${name} PRIVATE thalweg_static)
    example_test(${name} example_${name} $<TARGET_FILE:example_${name}>)
    file(STRINGS ${source} job REGEX "^TW_JOB")
    if(TARGET thalweg AND job)
        add_library(example_${name}_so MODULE ${source})
        set_target_properties(example_${name}_so PROPERTIES OUTPUT_NAME ${name} PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/examples)
        target_include_directories(example_${name}_so PRIVATE ${CMAKE_SOURCE_DIR}/include)
        target_link_libraries(example_${name}_so PRIVATE thalweg_flags)
        example_test(${name} example_${name}_so $<TARGET_FILE:thalweg> run $<TARGET_FILE:example_${name}_so>)
    endif()
endforeach()

# ---- the jobs in the simulated world, each against its reference run
if(TARGET thalweg AND NOT THALWEG_FUZZ)
    add_test(NAME sim_seeds COMMAND thalweg sim --seeds 200 --spread)
    set_tests_properties(sim_seeds PROPERTIES TIMEOUT 300 LABELS sim)
    add_test(NAME sim_fault_seeds COMMAND thalweg sim --faults --seeds 200 --spread)
    set_tests_properties(sim_fault_seeds PROPERTIES TIMEOUT 300 LABELS sim)
    add_test(NAME sim_rescale COMMAND thalweg sim --rescale --seeds 7) # every pair of parallelisms once, of every job
    set_tests_properties(sim_rescale PROPERTIES TIMEOUT 300 LABELS sim)
    add_test(NAME sim_rescale_faults COMMAND thalweg sim --rescale --faults --seeds 100 --spread)
    set_tests_properties(sim_rescale_faults PROPERTIES TIMEOUT 300 LABELS sim)
    add_test(NAME sim_fault_kept COMMAND thalweg sim --faults --seeds 100 --job nexmark_columns) # 17 and 64 found something
    set_tests_properties(sim_fault_kept PROPERTIES TIMEOUT 300 LABELS sim)
endif()

# ---- the binary from its command line: test_<name>.sh BINARY CC SOURCE-FOLDER SANITIZERS, in a folder of its own
file(GLOB e2e_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/test/e2e/test_*.sh)
if(TARGET thalweg AND NOT THALWEG_FUZZ)
    foreach(source ${e2e_sources})
        get_filename_component(name ${source} NAME_WE)
        string(REPLACE test_ e2e_ name ${name})
        add_test(NAME ${name} COMMAND ${source} $<TARGET_FILE:thalweg> ${CMAKE_C_COMPILER} ${CMAKE_SOURCE_DIR} "${THALWEG_SANITIZE}")
        set_tests_properties(${name} PROPERTIES TIMEOUT 120 LABELS e2e SKIP_RETURN_CODE 77)
    endforeach()
endif()

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
    file(STRINGS ${source} has_smoke REGEX "bench_start\\(")      # those of bench.h check their results on tiny inputs
    if(has_smoke)
        string(REPLACE bench_ smoke_ smoke ${name})
        add_test(NAME ${smoke} COMMAND ${name} --smoke)
        set_tests_properties(${smoke} PROPERTIES TIMEOUT 120 LABELS bench)
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

# ---- tests in Python, which compare with other implementations: test/python/test_<name>.py, run by test/python/run.sh
file(GLOB python_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/test/python/test_*.py)
if(python_sources AND NOT THALWEG_FUZZ)
    add_library(thalweg_everything SHARED $<TARGET_OBJECTS:thalweg_objects>)    # exports all, for ctypes; never installed
    set_target_properties(thalweg_everything PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
    target_link_libraries(thalweg_everything PRIVATE thalweg_flags thalweg_deps)
    set(sanitizer_runtime "")       # goes into the interpreter's process in front of everything
    if(THALWEG_SANITIZE)
        string(REGEX REPLACE "address.*" "asan" runtime ${THALWEG_SANITIZE})
        string(REPLACE "thread" "tsan" runtime ${runtime})
        execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=lib${runtime}.so OUTPUT_VARIABLE sanitizer_runtime
            OUTPUT_STRIP_TRAILING_WHITESPACE)
    endif()
    foreach(source ${python_sources})
        get_filename_component(name ${source} NAME_WE)
        string(REPLACE test_ python_ name ${name})
        add_test(NAME ${name} COMMAND ${CMAKE_SOURCE_DIR}/test/python/run.sh ${source} $<TARGET_FILE:thalweg_everything>
            ${sanitizer_runtime})
        set_tests_properties(${name} PROPERTIES TIMEOUT 600 LABELS python SKIP_RETURN_CODE 77)
    endforeach()
endif()
