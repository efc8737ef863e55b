# LACUNA_NVTX_INCLUDE: where nvtx3/nvToolsExt.h is, three headers that need nothing else of a CUDA toolkit. They come with one,
# or by the Python package nvidia-nvtx, which ./dev setup installs. Without them no ranges are built; `lacuna doctor` says so.
option(LACUNA_ENABLE_NVTX "Build ranges for profilers (NVTX 3), where its headers are found" ON)
if(LACUNA_ENABLE_NVTX)
  find_path(LACUNA_NVTX_INCLUDE nvtx3/nvToolsExt.h
    HINTS ${PROJECT_SOURCE_DIR}/.cache/nvtx/nvidia/cu13/include ${PROJECT_SOURCE_DIR}/.cache/nvtx/nvidia/nvtx/include
      $ENV{CUDA_HOME}/include
    PATHS /usr/local/cuda/include)
  if(NOT LACUNA_NVTX_INCLUDE)
    message(STATUS "nvtx3/nvToolsExt.h was not found: profilers will see kernels, and no ranges (set LACUNA_NVTX_INCLUDE)")
  endif()
else()
  unset(LACUNA_NVTX_INCLUDE CACHE)
endif()
