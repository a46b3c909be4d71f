# fraiseql_embed(OUTPUT FILES...): a C source that holds the files as arrays, by their path below provisioner/.
# Called as a script (-DOUTPUT -DROOT -DLIST) it writes that source.
if(CMAKE_SCRIPT_MODE_FILE)
  file(STRINGS ${LIST} files)
  list(SORT files)
  set(arrays "")
  set(table "")
  set(number 0)
  foreach(path IN LISTS files)
    file(READ ${ROOT}/${path} hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(LENGTH "${hex}" digits)
    math(EXPR length "${digits} / 2")
    # An array must not be empty; the terminator is not counted.
    string(APPEND arrays "static const unsigned char file_${number}[] = {${bytes}0};\n")
    string(APPEND table "    {\"${path}\", {(const char *)file_${number}, ${length}}},\n")
    math(EXPR number "${number} + 1")
  endforeach()
  file(WRITE ${OUTPUT} "#include \"provisioner/embedded.h\"\n\n${arrays}\nconst struct embedded_file embedded_files[] = {\n${table}};\nconst size_t embedded_file_count = ${number};\n")
  return()
endif()

include_guard(GLOBAL)

function(fraiseql_embed OUTPUT ROOT)
  set(list ${OUTPUT}.list)
  set(sources "")
  foreach(path IN LISTS ARGN)
    list(APPEND sources ${ROOT}/${path})
  endforeach()
  string(REPLACE ";" "\n" lines "${ARGN}")
  file(CONFIGURE OUTPUT ${list} CONTENT "@lines@\n" @ONLY)
  add_custom_command(OUTPUT ${OUTPUT}
                     COMMAND ${CMAKE_COMMAND} -DOUTPUT=${OUTPUT} -DROOT=${ROOT} -DLIST=${list} -P ${CMAKE_CURRENT_FUNCTION_LIST_FILE}
                     DEPENDS ${sources} ${list} ${CMAKE_CURRENT_FUNCTION_LIST_FILE} VERBATIM)
endfunction()
