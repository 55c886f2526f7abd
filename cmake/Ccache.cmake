# Compiles through ccache where it is installed. DENDRO_CCACHE=OFF turns it off (timing a clean build, reproducible-build checks).
option(DENDRO_CCACHE "compile through ccache when it is installed" ON)
find_program(DENDRO_CCACHE_PROGRAM ccache)
if(DENDRO_CCACHE AND DENDRO_CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${DENDRO_CCACHE_PROGRAM}")
  set(CMAKE_C_COMPILER_LAUNCHER "${DENDRO_CCACHE_PROGRAM}")
endif()
