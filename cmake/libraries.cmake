# Libraries of the system, by pkg-config, behind one interface target. tools/deps.sh installs the packages they come from.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(crypto  REQUIRED IMPORTED_TARGET libcrypto)
pkg_check_modules(xxhash  REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(zlib    REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(zstd    REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(lz4     REQUIRED IMPORTED_TARGET liblz4)
pkg_check_modules(fyaml   REQUIRED IMPORTED_TARGET libfyaml)
pkg_check_modules(jansson REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(icu     REQUIRED IMPORTED_TARGET icu-uc)
pkg_check_modules(pcre2   REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(jemalloc REQUIRED IMPORTED_TARGET jemalloc)      # the binary only: a library must not choose its host's allocator
pkg_check_modules(edit REQUIRED IMPORTED_TARGET libedit)           # the binary only: lines of the shell
pkg_check_modules(curl REQUIRED libcurl)                            # the binary only, which loads it when it speaks HTTP: headers
pkg_check_modules(microhttpd REQUIRED libmicrohttpd)                # the binary only, which loads it when it answers HTTP: headers
pkg_check_modules(rocksdb REQUIRED rocksdb)                         # headers: the library is loaded when state is kept in it
pkg_check_modules(cmocka  REQUIRED IMPORTED_TARGET cmocka)         # tests only

add_library(thalweg_deps INTERFACE)
target_link_libraries(thalweg_deps INTERFACE PkgConfig::crypto PkgConfig::zlib PkgConfig::zstd PkgConfig::lz4
    PkgConfig::fyaml PkgConfig::jansson PkgConfig::icu PkgConfig::pcre2 Threads::Threads m ${CMAKE_DL_LIBS})
target_include_directories(thalweg_deps SYSTEM INTERFACE ${xxhash_INCLUDE_DIRS})
