# fraiseql_module(NAME FOLDER <folder> DEPENDS <modules...> LINKS <targets...>)
#
# The only way to add a library. One folder (with its subfolders) is one static library; the arrows
# it may follow are listed in tests/lint/arrows.txt and checked there, because a static library alone
# does not stop an #include. Every tests/unit/<folder>/test_*.c becomes one executable and one test.
include_guard(GLOBAL)

function(fraiseql_module NAME)
  cmake_parse_arguments(M "" "FOLDER" "DEPENDS;LINKS;GENERATED" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${M_FOLDER}/*.c)
  list(FILTER sources EXCLUDE REGEX "/main\\.c$")
  add_library(${NAME} STATIC ${sources} ${M_GENERATED})
  target_include_directories(${NAME} PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
  target_link_libraries(${NAME} PUBLIC ${M_DEPENDS} PRIVATE fraiseql_flags ${M_LINKS})
  if(FRAISEQL_TESTS)
    fraiseql_unit_tests(${NAME} ${M_FOLDER})
  endif()
endfunction()

function(fraiseql_unit_tests NAME FOLDER)
  file(GLOB tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/unit/${FOLDER}/test_*.c)
  foreach(source IN LISTS tests)
    get_filename_component(base ${source} NAME_WE)
    string(REPLACE "/" "_" prefix ${FOLDER})
    set(target ${prefix}_${base})
    add_executable(${target} ${source})
    target_link_libraries(${target} PRIVATE ${NAME} fraiseql_test_support fraiseql_flags PkgConfig::CHECK)
    target_compile_definitions(${target} PRIVATE TEST_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
    add_test(NAME unit/${FOLDER}/${base} COMMAND ${FRAISEQL_TEST_LAUNCHER} $<TARGET_FILE:${target}>)
    set_tests_properties(unit/${FOLDER}/${base} PROPERTIES LABELS unit TIMEOUT 300
      ENVIRONMENT "CK_FORK=no;TEST_SOURCE_DIR=${PROJECT_SOURCE_DIR}")
  endforeach()
endfunction()

# fraiseql_fuzzer(NAME MODULES...): tests/fuzz/fuzz_NAME.c with its corpus in tests/fuzz/corpus/NAME.
# Under clang with -DFRAISEQL_FUZZ=ON a libFuzzer target; otherwise the same function replays the corpus.
function(fraiseql_fuzzer NAME)
  set(target fuzz_${NAME})
  if(FRAISEQL_FUZZ)
    add_executable(${target} ${PROJECT_SOURCE_DIR}/tests/fuzz/fuzz_${NAME}.c)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(${target} ${PROJECT_SOURCE_DIR}/tests/fuzz/fuzz_${NAME}.c
                             ${PROJECT_SOURCE_DIR}/tests/fuzz/replay_main.c)
  endif()
  target_link_libraries(${target} PRIVATE ${ARGN} fraiseql_flags)
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
  if(NOT FRAISEQL_FUZZ)
    add_test(NAME fuzz-corpus/${NAME}
             COMMAND ${FRAISEQL_TEST_LAUNCHER} $<TARGET_FILE:${target}> ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${NAME})
    set_tests_properties(fuzz-corpus/${NAME} PROPERTIES LABELS fuzz TIMEOUT 120)
  endif()
endfunction()
