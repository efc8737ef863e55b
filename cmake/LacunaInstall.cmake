# What `cmake --install` puts where, and what find_package(lacuna COMPONENTS runtime jit) gives:
#
#   runtime   lacuna::runtime: launch finished kernels, from a bundle or a cubin; lacuna::runtime_c: the same from C,
#             through liblacuna_runtime.so. No LLVM.
#   jit       lacuna::jit: compile and launch, C++; lacuna::c: the same through liblacuna.so. Needs LLVM and MLIR 19.1, which
#             find_package(lacuna) then looks for.
#
# `cmake --install build --component runtime` installs the first alone; the component tools is the command lacuna. tests/consumer has a project for each.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(LACUNA_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/lacuna)

# Every library of ours below `target`, itself first, in `out`.
function(_lacuna_closure target out)
  set(seen ${${out}})
  if(NOT target IN_LIST seen)
    list(APPEND seen ${target})
    get_target_property(links ${target} LINK_LIBRARIES)
    foreach(link ${links})
      string(REGEX REPLACE "^\\$<LINK_ONLY:(.*)>$" "\\1" link "${link}")
      if(link MATCHES "^Lacuna" AND TARGET ${link})
        _lacuna_closure(${link} seen)
      endif()
    endforeach()
  endif()
  set(${out} ${seen} PARENT_SCOPE)
endfunction()

# Installs libraries as `component`. Their include directories hold in this tree only; installed, all headers lie in one.
function(_lacuna_install_libraries component)
  foreach(library ${ARGN})
    get_target_property(includes ${library} INTERFACE_INCLUDE_DIRECTORIES)
    set(installed)
    foreach(include ${includes})
      if(include MATCHES "^${PROJECT_SOURCE_DIR}|^${PROJECT_BINARY_DIR}|^${CMAKE_BINARY_DIR}")
        list(APPEND installed $<BUILD_INTERFACE:${include}>)
      elseif(include)
        list(APPEND installed ${include})
      endif()
    endforeach()
    set_target_properties(${library} PROPERTIES
      INTERFACE_INCLUDE_DIRECTORIES "${installed};$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
  endforeach()
  install(TARGETS ${ARGN} EXPORT lacuna-${component} COMPONENT ${component}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT lacuna-${component} NAMESPACE lacuna:: DESTINATION ${LACUNA_PACKAGE_DIR} COMPONENT ${component})
endfunction()

function(_lacuna_install_headers component)
  foreach(folder ${ARGN})
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT ${component}
      FILES_MATCHING PATTERN "*.h" PATTERN "*.def")
  endforeach()
endfunction()

_lacuna_install_libraries(runtime LacunaRuntime LacunaRuntimeC)
_lacuna_install_headers(runtime runtime/include)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/lacunaConfig.cmake.in ${PROJECT_BINARY_DIR}/lacunaConfig.cmake
  INSTALL_DESTINATION ${LACUNA_PACKAGE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/lacunaConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/lacunaConfig.cmake ${PROJECT_BINARY_DIR}/lacunaConfigVersion.cmake
  ${CMAKE_CURRENT_LIST_DIR}/LacunaXxHash.cmake DESTINATION ${LACUNA_PACKAGE_DIR} COMPONENT runtime)

if(TARGET lacuna)
  set_target_properties(lacuna PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR};${LLVM_LIBRARY_DIR}")
  install(TARGETS lacuna RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT tools)
endif()

if(LACUNA_ENABLE_JIT)
  set(jit_libraries)
  _lacuna_closure(LacunaJit jit_libraries)
  list(REMOVE_ITEM jit_libraries LacunaRuntime)
  _lacuna_install_libraries(jit ${jit_libraries} LacunaC)
  _lacuna_install_headers(jit jit/include autotune/include)
  # Of the compiler, what the headers of the JIT include.
  foreach(header Analysis/KernelReport.h Codegen/Assembler.h Pipeline/Compiler.h Pipeline/Stage.h Pipeline/Target.h)
    get_filename_component(folder ${header} DIRECTORY)
    install(FILES ${PROJECT_SOURCE_DIR}/compiler/include/lacuna/Compiler/${header}
      DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/lacuna/Compiler/${folder} COMPONENT jit)
  endforeach()
endif()
