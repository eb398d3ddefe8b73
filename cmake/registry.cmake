# registry(KIND FOLDER) writes gen/KIND_registry.def, sorted lines X(name) for FOLDER/**/KIND_name.c.
# The glob makes the build look again whenever such a file appears or goes.
function(registry kind folder)
    file(GLOB_RECURSE files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/${kind}_*.c)
    execute_process(COMMAND ${CMAKE_SOURCE_DIR}/tools/registry.sh ${kind} ${CMAKE_SOURCE_DIR}/${folder}
        ${CMAKE_BINARY_DIR}/gen/${kind}_registry.def COMMAND_ERROR_IS_FATAL ANY)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/registry.sh)
endfunction()
