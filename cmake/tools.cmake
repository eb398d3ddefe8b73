# The project's own tools: tidy and docgen, and the tests that look at the project itself rather than at one module.
function(tool name)
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/${name}/*.c)
    add_executable(${name} ${sources})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tools)
    target_compile_options(${name} PRIVATE -std=gnu17 -O1 -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wvla -Werror)
    target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
endfunction()

tool(tidy)
tool(docgen)
tool(reference)         # asks the registries, so it is linked to the engine
target_link_libraries(reference PRIVATE thalweg_static)
add_custom_target(docs_inputs DEPENDS docgen reference)
add_custom_target(tidy_inputs DEPENDS tidy thalweg_static thalweg_sim_jobs)

# Under sanitizers the objects are not those of the product, and the rest would only be run twice.
if(NOT THALWEG_SANITIZE AND NOT THALWEG_FUZZ)
    add_test(NAME tidy COMMAND tidy --root ${CMAKE_SOURCE_DIR} --build ${CMAKE_BINARY_DIR} --cc ${CMAKE_C_COMPILER})
    add_test(NAME tidy_finds COMMAND ${CMAKE_SOURCE_DIR}/test/tools/tidy_finds.sh $<TARGET_FILE:tidy> ${CMAKE_C_COMPILER})
    add_test(NAME docs_current COMMAND ${CMAKE_SOURCE_DIR}/test/tools/docs_current.sh $<TARGET_FILE:docgen> $<TARGET_FILE:reference>
        WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    add_test(NAME registry COMMAND ${CMAKE_SOURCE_DIR}/test/tools/registry.sh WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    add_test(NAME twice COMMAND ${CMAKE_SOURCE_DIR}/test/tools/twice.sh ${CMAKE_BINARY_DIR} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    add_test(NAME install COMMAND ${CMAKE_SOURCE_DIR}/test/tools/install.sh ${CMAKE_BINARY_DIR} ${CMAKE_C_COMPILER}
        WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(tidy tidy_finds docs_current registry install PROPERTIES TIMEOUT 120 LABELS project)
endif()
