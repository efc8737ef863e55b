# cmake -DLIST=FILE -DROOT=DIR -P HashedSources.cmake
# Fails where a file that a kernel's code may depend on is missing in LIST: a change of it would leave every key of the
# cache as it is (jit/CMakeLists.txt).
cmake_minimum_required(VERSION 3.20)
file(STRINGS ${LIST} listed)
foreach(folder compiler dialects jit runtime)
  file(GLOB_RECURSE present ${ROOT}/${folder}/*)
  foreach(source ${present})
    if(NOT source IN_LIST listed AND NOT source MATCHES "/(CMakeLists\\.txt|exports\\.map|\\.clang-tidy)$")
      message(SEND_ERROR "${source} is not part of the hash of sources; add its ending to jit/CMakeLists.txt")
    endif()
  endforeach()
endforeach()
