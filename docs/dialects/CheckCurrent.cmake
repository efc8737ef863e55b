# cmake -D made=FILE -D committed=FILE -P CheckCurrent.cmake: fails where the committed reference is not the one that
# the .td files give.
execute_process(COMMAND ${CMAKE_COMMAND} -E compare_files ${made} ${committed} RESULT_VARIABLE differs)
if(differs)
  message(FATAL_ERROR "${committed} is not what the .td files say; run: cmake --build build --target dialect-docs")
endif()
