# Compiler flags of every target of ours, as one interface library.
include_guard(GLOBAL)
# Without -DNDEBUG: assertions guard against our own bugs and stay on in what is shipped.
set(CMAKE_C_FLAGS_RELEASE "-O2 -g")
add_library(fraiseql_flags INTERFACE)
target_compile_features(fraiseql_flags INTERFACE c_std_17)
target_compile_definitions(fraiseql_flags INTERFACE _GNU_SOURCE)
target_compile_options(fraiseql_flags INTERFACE
  -Wall -Wextra -Werror -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2
  -Wundef -Wwrite-strings -Wswitch-enum -Wpointer-arith -fno-common -fno-omit-frame-pointer)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  # Texts for people are cut on purpose where they do not fit.
  target_compile_options(fraiseql_flags INTERFACE -Wno-format-truncation)
endif()
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND NOT FRAISEQL_SANITIZE)
  target_compile_options(fraiseql_flags INTERFACE -Wduplicated-cond -Wlogical-op)
endif()

set(FRAISEQL_TEST_LAUNCHER "")
if(FRAISEQL_SANITIZE)
  # High-entropy address randomisation makes the sanitizers of this generation fail at random.
  find_program(SETARCH setarch REQUIRED)
  set(FRAISEQL_TEST_LAUNCHER ${SETARCH} -R)
  target_compile_options(fraiseql_flags INTERFACE -fsanitize=${FRAISEQL_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(fraiseql_flags INTERFACE -fsanitize=${FRAISEQL_SANITIZE} -fno-sanitize-recover=all)
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(fraiseql_flags INTERFACE
    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fcf-protection)
  target_link_options(fraiseql_flags INTERFACE -Wl,-z,relro,-z,now)
endif()
if(FRAISEQL_FUZZ)
  target_compile_options(fraiseql_flags INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(fraiseql_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(NOT CMAKE_BUILD_TYPE STREQUAL "Release")
  # Fault points (lib/core/fault.h) exist outside release builds only.
  target_compile_definitions(fraiseql_flags INTERFACE FRAISEQL_FAULTS=1)
endif()
