# libthalweg.a, libthalweg.so (which exports tw_* and nothing else) and the binary, from one compilation of src/.
file(GLOB_RECURSE engine_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/*.c)
set(main_source ${CMAKE_SOURCE_DIR}/src/surface/cli/main.c)
# In the binary only: jobs of the simulator, the editor of lines, client and server of HTTP, whose libraries a user's program should not need.
file(GLOB binary_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/sim/job*.c ${CMAKE_SOURCE_DIR}/src/ground/sys/sys_linux_editor.c
    ${CMAKE_SOURCE_DIR}/src/ground/sys/sys_linux_http.c ${CMAKE_SOURCE_DIR}/src/ground/sys/sys_linux_httpd.c)
list(REMOVE_ITEM engine_sources ${main_source} ${binary_sources})
if(NOT engine_sources)
    file(WRITE ${CMAKE_BINARY_DIR}/gen/empty.c "extern const int tw_empty;\nconst int tw_empty = 0;\n")
    set(engine_sources ${CMAKE_BINARY_DIR}/gen/empty.c)
endif()

# Time zones: the system's tzdata as tables (tools/zones), made anew when the package changes.
set(zoneinfo /usr/share/zoneinfo CACHE PATH "folder of TZif files")
add_executable(zones ${CMAKE_SOURCE_DIR}/tools/zones/zones.c)
set_target_properties(zones PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tools)
target_compile_options(zones PRIVATE -std=gnu17 -O1 -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wvla -Werror)
target_compile_definitions(zones PRIVATE _GNU_SOURCE)
add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/gen/zone_data.def COMMENT "Time zones of ${zoneinfo}"
    COMMAND zones ${zoneinfo} ${CMAKE_BINARY_DIR}/gen/zone_data.def DEPENDS zones ${zoneinfo}/tzdata.zi)

add_custom_target(zone_data DEPENDS ${CMAKE_BINARY_DIR}/gen/zone_data.def)

add_library(thalweg_objects OBJECT ${engine_sources})
add_dependencies(thalweg_objects zone_data)
# It must run on the processors that it refuses.
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/ground/sys/sys_linux_cpu.c PROPERTIES COMPILE_OPTIONS -march=x86-64)
target_include_directories(thalweg_objects PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include ${CMAKE_BINARY_DIR}/gen)
target_link_libraries(thalweg_objects PUBLIC thalweg_flags thalweg_deps)

add_library(thalweg_static STATIC $<TARGET_OBJECTS:thalweg_objects>)
set_target_properties(thalweg_static PROPERTIES OUTPUT_NAME thalweg)
target_include_directories(thalweg_static PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include ${CMAKE_BINARY_DIR}/gen)
target_link_libraries(thalweg_static PUBLIC thalweg_flags thalweg_deps)

add_library(thalweg_shared SHARED $<TARGET_OBJECTS:thalweg_objects>)
set_target_properties(thalweg_shared PROPERTIES OUTPUT_NAME thalweg VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
    LINK_DEPENDS ${CMAKE_SOURCE_DIR}/cmake/exports.map)
target_link_libraries(thalweg_shared PRIVATE thalweg_flags thalweg_deps)
target_link_options(thalweg_shared PRIVATE -Wl,--no-undefined -Wl,--version-script=${CMAKE_SOURCE_DIR}/cmake/exports.map)

# The binary carries the whole engine and exports tw_*, so that a job's shared object finds the API in the process that loads it.
if(EXISTS ${main_source})
    # Built-in jobs are examples under names of their own: the entry points that TW_JOB makes are renamed.
    foreach(job flights event_time_windows stateful_process)
        add_library(builtin_${job} OBJECT ${CMAKE_SOURCE_DIR}/examples/${job}.c)
        target_compile_definitions(builtin_${job} PRIVATE main=${job}_main tw_plugin=${job}_plugin)
        target_include_directories(builtin_${job} PRIVATE ${CMAKE_SOURCE_DIR}/include)
        target_link_libraries(builtin_${job} PRIVATE thalweg_flags)
        target_compile_options(builtin_${job} PRIVATE -Wno-missing-prototypes)
        list(APPEND builtin_objects $<TARGET_OBJECTS:builtin_${job}>)
    endforeach()
    add_library(thalweg_binary_objects OBJECT ${binary_sources})
    target_link_libraries(thalweg_binary_objects PRIVATE thalweg_flags)
    target_include_directories(thalweg_binary_objects SYSTEM PRIVATE ${curl_INCLUDE_DIRS} ${microhttpd_INCLUDE_DIRS})
    target_include_directories(thalweg_binary_objects PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include ${CMAKE_BINARY_DIR}/gen)
    add_executable(thalweg ${main_source} ${builtin_objects} $<TARGET_OBJECTS:thalweg_binary_objects>)
    target_link_libraries(thalweg PRIVATE -Wl,--whole-archive thalweg_static -Wl,--no-whole-archive)
    target_link_libraries(thalweg PRIVATE PkgConfig::edit)
    target_link_options(thalweg PRIVATE "-Wl,--export-dynamic-symbol=tw_*")
    if(NOT THALWEG_SANITIZE)
        target_link_libraries(thalweg PRIVATE PkgConfig::jemalloc)
    endif()
    # The same, but that it kills itself where its environment says: `make faults`.
    add_executable(thalweg_faults EXCLUDE_FROM_ALL ${main_source} ${CMAKE_SOURCE_DIR}/test/faults/crash.c ${builtin_objects}
        $<TARGET_OBJECTS:thalweg_binary_objects>)
    set_target_properties(thalweg_faults PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
    target_link_libraries(thalweg_faults PRIVATE -Wl,--whole-archive thalweg_static -Wl,--no-whole-archive PkgConfig::edit)
    target_link_options(thalweg_faults PRIVATE "-Wl,--export-dynamic-symbol=tw_*")
endif()
