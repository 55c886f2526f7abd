# Flags every file of the project is compiled with, whatever the preset; -Werror comes from the presets that test.
add_library(dendro_flags INTERFACE)
target_include_directories(dendro_flags INTERFACE "${PROJECT_SOURCE_DIR}/src")
target_compile_options(dendro_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>)
# Equal in every file, or the one-definition rule breaks.
target_compile_definitions(dendro_flags INTERFACE
  SIMDJSON_EXCEPTIONS=0
  BOOST_ASIO_SEPARATE_COMPILATION
  BOOST_ASIO_NO_DEPRECATED
  DENDRO_VERSION="${PROJECT_VERSION}")
