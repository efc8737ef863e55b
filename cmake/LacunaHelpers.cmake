# add_lacuna_library(NAME SOURCES... [LINK libs...] [INCLUDES dirs...] [MLIR])
#   A static library with the house flags. LINK is public. MLIR adds the LLVM and MLIR headers, the shared MLIR and LLVM
#   libraries (never the static MLIR components: they duplicate globals) and the precompiled header.
# add_lacuna_executable(NAME SOURCES... [LINK libs...] [MLIR])
# lacuna_gpu_test(NAME TARGET COMMAND...)   a test that needs a GPU which runs TARGET, sm_90a or sm_80: a ctest labelled gpu,
#   and a line of gpu-tests.txt, "TARGET COMMAND", which ./dev test-gpu runs, also from a bundle: a program by its name
#   alone, a file by its path below the source tree.
# lacuna_tablegen(TARGET FILE.td (OUTPUT -flag...)...)   runs mlir-tblgen; the outputs lie in the current binary directory.

set(LACUNA_CXX_FLAGS -Wall -Wextra -Wno-unused-parameter)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  list(APPEND LACUNA_CXX_FLAGS -Wno-unused-command-line-argument)
endif()

find_program(LACUNA_CCACHE ccache)
if(LACUNA_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${LACUNA_CCACHE})
endif()
find_program(LACUNA_LLD NAMES ld.lld-19 ld.lld)
if(LACUNA_LLD AND CMAKE_CXX_COMPILER_ID MATCHES Clang)
  add_link_options(-fuse-ld=${LACUNA_LLD})
endif()
# Programs look into ../lib first, so that a bundle (scripts/bundle.sh) runs as it is unpacked. DT_RPATH, not DT_RUNPATH:
# it holds for the libraries of libraries too.
set(CMAKE_BUILD_RPATH "$ORIGIN/../lib")
add_link_options(LINKER:--disable-new-dtags)
if(LACUNA_SANITIZE)
  # The driver's functions come by name from a library with types of its own.
  add_compile_options(-fsanitize=${LACUNA_SANITIZE} -fno-sanitize=function -fno-sanitize-recover=all -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${LACUNA_SANITIZE})
endif()

function(_lacuna_configure target)
  cmake_parse_arguments(ARG "MLIR" "" "LINK;INCLUDES" ${ARGN})
  target_compile_options(${target} PRIVATE ${LACUNA_CXX_FLAGS})
  target_link_libraries(${target} PUBLIC ${ARG_LINK})
  if(ARG_INCLUDES)
    target_include_directories(${target} PUBLIC ${ARG_INCLUDES})
  endif()
  if(ARG_MLIR)
    target_include_directories(${target} SYSTEM PUBLIC ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
    target_link_libraries(${target} PUBLIC MLIR LLVM)
    target_link_directories(${target} PUBLIC ${LLVM_LIBRARY_DIRS})
    lacuna_use_mlir_pch(${target})
  endif()
endfunction()

# One precompiled header for every file that includes MLIR: a small pass compiles in 1.6 s instead of 8.1 s. ccache takes
# part within one build directory (hence -fno-pch-timestamp and the sloppiness above); the header holds absolute paths, so
# another directory compiles anew.
function(lacuna_use_mlir_pch target)
  if(NOT TARGET LacunaMLIRPch)
    file(WRITE ${CMAKE_BINARY_DIR}/LacunaMLIRPch.cpp.in "// Carries the precompiled header of the MLIR-heavy files.\n")
    configure_file(${CMAKE_BINARY_DIR}/LacunaMLIRPch.cpp.in ${CMAKE_BINARY_DIR}/LacunaMLIRPch.cpp COPYONLY)
    add_library(LacunaMLIRPch OBJECT ${CMAKE_BINARY_DIR}/LacunaMLIRPch.cpp)
    target_compile_options(LacunaMLIRPch PRIVATE ${LACUNA_CXX_FLAGS})
    target_include_directories(LacunaMLIRPch SYSTEM PUBLIC ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
    target_precompile_headers(LacunaMLIRPch PRIVATE ${PROJECT_SOURCE_DIR}/cmake/MLIRPch.h)
    if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
      target_compile_options(LacunaMLIRPch PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
    endif()
  endif()
  target_precompile_headers(${target} REUSE_FROM LacunaMLIRPch)
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
    target_compile_options(${target} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
  endif()
endfunction()

function(add_lacuna_library name)
  cmake_parse_arguments(ARG "MLIR" "" "LINK;INCLUDES" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  set(mlir)
  if(ARG_MLIR)
    set(mlir MLIR)
  endif()
  _lacuna_configure(${name} ${mlir} LINK ${ARG_LINK} INCLUDES ${ARG_INCLUDES})
  target_compile_features(${name} PUBLIC cxx_std_20) # for those outside this tree
endfunction()

function(add_lacuna_executable name)
  cmake_parse_arguments(ARG "MLIR" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  set(mlir)
  if(ARG_MLIR)
    set(mlir MLIR)
  endif()
  _lacuna_configure(${name} ${mlir} LINK ${ARG_LINK})
  # -fPIC, not the -fPIE of executables: the precompiled header is shared with the libraries.
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${name} PRIVATE -fPIC)
endfunction()

function(lacuna_gpu_test name target)
  list(JOIN ARGN " " line)
  set_property(GLOBAL APPEND PROPERTY LACUNA_GPU_TESTS "${target} ${line}")
  add_test(NAME gpu.${name} COMMAND ${ARGN} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(gpu.${name} PROPERTIES LABELS gpu TIMEOUT 600 RUN_SERIAL ON
    ENVIRONMENT_MODIFICATION "PATH=path_list_prepend:${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
endfunction()

# Writes the list that lacuna_gpu_test made; called once, after every test is known.
function(lacuna_write_gpu_tests)
  get_property(lines GLOBAL PROPERTY LACUNA_GPU_TESTS)
  list(TRANSFORM lines APPEND "\n")
  list(JOIN lines "" text)
  file(WRITE ${CMAKE_BINARY_DIR}/gpu-tests.txt "${text}")
endfunction()

function(lacuna_tablegen target td)
  set(LLVM_TARGET_DEFINITIONS ${td})
  set(outputs)
  set(args ${ARGN})
  while(args)
    list(POP_FRONT args output)
    set(flags)
    while(args)
      list(GET args 0 head)
      if(NOT head MATCHES "^-")
        break()
      endif()
      list(APPEND flags ${head})
      list(POP_FRONT args)
    endwhile()
    mlir_tablegen(${output} ${flags} EXTRA_INCLUDES ${PROJECT_SOURCE_DIR}/dialects/include ${MLIR_INCLUDE_DIRS})
  endwhile()
  add_public_tablegen_target(${target})
endfunction()
