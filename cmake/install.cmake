# `make install PREFIX=...`: the public headers, both libraries, the binary with the data of its demo, and a pkg-config file.
include(GNUInstallDirs)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/thalweg DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h)
install(TARGETS thalweg_static thalweg_shared ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET thalweg)
    install(TARGETS thalweg RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    # `thalweg sql` under the name and with the flags of Flink's client
    file(CREATE_LINK thalweg ${CMAKE_BINARY_DIR}/gen/sql-client.sh SYMBOLIC)
    install(FILES ${CMAKE_BINARY_DIR}/gen/sql-client.sh DESTINATION ${CMAKE_INSTALL_BINDIR})
    # what `thalweg run` reads without arguments; it looks below ../share/thalweg of its own place
    install(FILES ${CMAKE_SOURCE_DIR}/examples/data/flights.csv DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/thalweg/examples/data)
endif()

# The prefix is known at install time only; pkg-config derives it from where the file lies.
string(REGEX REPLACE "[^/]+" ".." PC_UP "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
configure_file(${CMAKE_SOURCE_DIR}/cmake/thalweg.pc.in ${CMAKE_BINARY_DIR}/gen/thalweg.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/gen/thalweg.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
