# dendro_layer(NAME SOURCES ... PUBLIC <layers below> PRIVATE <vendor targets>): one static library a layer of docs/ARCHITECTURE.md.
function(dendro_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(dendro_${name} STATIC ${ARG_SOURCES})
  target_link_libraries(dendro_${name} PUBLIC dendro_flags ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
endfunction()

# dendro_test(NAME SOURCES ... LINK ...): one GoogleTest program a layer; its cases become CTest tests "<name>.<Suite>.<Case>".
# Test files are compiled at -O0: that is a third of the build time and the code under test keeps its own flags.
function(dendro_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINK" ${ARGN})
  add_executable(test_${name} ${ARG_SOURCES})
  set_target_properties(test_${name} PROPERTIES UNITY_BUILD OFF)
  target_compile_options(test_${name} PRIVATE -O0)
  target_include_directories(test_${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(test_${name} PRIVATE dendro_flags ${ARG_LINK} GTest::gmock GTest::gtest GTest::gtest_main)
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_test(NAME ${name} COMMAND test_${name} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT})
endfunction()

# dendro_fuzz(NAME SOURCE LINK ...): one libFuzzer program; its seed corpus is fuzz/corpus/<name>/.
function(dendro_fuzz name source)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(fuzz_${name} ${source})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  target_link_libraries(fuzz_${name} PRIVATE dendro_flags ${ARG_LINK})
endfunction()
