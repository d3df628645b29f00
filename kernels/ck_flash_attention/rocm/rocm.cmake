# The kernels for AMD GPUs: libck_flash_attention_rocm.so, which the library of the op loads when it
# first runs on one. Compiled, not tested: no AMD GPU was at hand.
#
# Included by CMakeLists.txt where POINTSMAN_ROCM is ON, or AUTO on a machine with ROCm. What is
# missing or not supported is an error where it is ON; where it is AUTO the kernels are left out.
#
# ROCm's own compiler and headers are used where they are found ($ROCM_PATH, else /opt/rocm). Without
# them, Debian's packages do to compile the kernels: clang-19 lld-19 libamdhip64-dev
# rocm-device-libs, and CK_INCLUDE_DIR.
cmake_minimum_required(VERSION 3.20)
set(POINTSMAN_HIP_COMPILER "" CACHE FILEPATH "clang++ that compiles HIP; empty: ROCm's, else clang++-19")
set(GPU_TARGETS "" CACHE STRING
    "GPU architectures, such as gfx942; empty: gfx942, and gfx90a and gfx950 where they are known")

set(hip_targets_known gfx942 gfx90a gfx950)  # those with the matrix instructions and waves of 64

macro(rocm_stop)
  if(POINTSMAN_ROCM STREQUAL "AUTO")
    message(STATUS "The kernels for AMD GPUs are left out: " ${ARGN})
    set(rocm OFF)
    return()
  endif()
  message(FATAL_ERROR ${ARGN} "\nOr leave out the kernels for AMD GPUs: -DPOINTSMAN_ROCM=OFF")
endmacro()

# What can be refused without a compiler goes first.
foreach(target ${GPU_TARGETS})
  if(NOT target IN_LIST hip_targets_known)
    list(JOIN hip_targets_known ", " known)
    rocm_stop("GPU_TARGETS names ${target}, which is not supported. Supported: ${known}")
  endif()
endforeach()

# Composable Kernel.
set(hip_roots "$ENV{ROCM_PATH}")
if(NOT hip_roots)
  set(hip_roots /opt/rocm /usr)
endif()
set(hip_root "")
foreach(folder ${hip_roots})
  if(NOT hip_root AND EXISTS "${folder}/include/hip/hip_runtime.h")
    set(hip_root "${folder}")
  endif()
endforeach()
list(JOIN hip_roots " or " hip_roots)
set(ck "${CK_INCLUDE_DIR}")
if(NOT ck)
  if(NOT hip_root)
    rocm_stop("no ROCm: no include/hip/hip_runtime.h in ${hip_roots}. Install ROCm (hip-dev and "
              "composablekernel-dev), or name its folder in the environment variable ROCM_PATH.")
  endif()
  set(ck "${hip_root}/include")
endif()
if(NOT EXISTS "${ck}/ck_tile/core.hpp")
  rocm_stop("no Composable Kernel in ${ck}: it has no ck_tile/core.hpp. Install composablekernel-dev, "
            "or name the folder that holds ck_tile/ with -DCK_INCLUDE_DIR=")
endif()

# The version is in ck/version.h, or, in a source tree, in the project's CMakeLists.txt; copies
# inside other projects may have neither. The attention API changed within one version, so it is
# recognised by what it is: see flash_attention.hip for what the code needs.
set(ck_versions 1.1.0 1.2.0)
set(ck_supported "Supported: Composable Kernel 1.1.0 and 1.2.0 of ROCm 6.3 and 7.0 to 7.2, with the "
                 "attention API as it was in October 2024, August 2025 or November 2025.")
set(ck_version "of unknown version")
if(EXISTS "${ck}/ck/version.h")
  file(READ "${ck}/ck/version.h" text)
  if(text MATCHES "#define CK_VERSION ([0-9]+\\.[0-9]+\\.[0-9]+)")
    set(ck_version ${CMAKE_MATCH_1})
  elseif(text MATCHES
         "CK_VERSION_MAJOR ([0-9]+).*CK_VERSION_MINOR ([0-9]+).*CK_VERSION_PATCH ([0-9]+)")
    set(ck_version ${CMAKE_MATCH_1}.${CMAKE_MATCH_2}.${CMAKE_MATCH_3})
  endif()
elseif(EXISTS "${ck}/../CMakeLists.txt")
  file(READ "${ck}/../CMakeLists.txt" text)
  if(text MATCHES "\nset\\(version ([0-9]+\\.[0-9]+\\.[0-9]+)\\)")
    set(ck_version ${CMAKE_MATCH_1})
  endif()
endif()
if(NOT ck_version STREQUAL "of unknown version" AND NOT ck_version IN_LIST ck_versions)
  rocm_stop("Composable Kernel ${ck_version} in ${ck} is not supported. " ${ck_supported})
endif()
set(text "")
foreach(header kernel/fmha_fwd_kernel pipeline/block_fmha_pipeline_problem
        pipeline/block_fmha_pipeline_qr_ks_vs)
  if(EXISTS "${ck}/ck_tile/ops/fmha/${header}.hpp")
    file(READ "${ck}/ck_tile/ops/fmha/${header}.hpp" header_text)
    string(APPEND text "${header_text}")
  endif()
endforeach()
if(NOT text MATCHES "struct FmhaFwdKernel" OR NOT text MATCHES "struct BlockFmhaPipelineQRKSVS")
  rocm_stop("Composable Kernel ${ck_version} in ${ck} has no attention kernel that is known. "
            ${ck_supported})
endif()
# Later ones add sinks and new kinds of quantisation to the problem.
if(text MATCHES "[Ss]ink|QuantScaleEnum")
  rocm_stop("Composable Kernel ${ck_version} in ${ck} has a later attention API than is supported. "
            ${ck_supported})
endif()
if(text MATCHES "typename TilePartitioner_, typename FmhaPipeline_")
  set(ck_api 2024-10)
elseif(text MATCHES "typename AttentionVariant_" AND text MATCHES "kHasLogitsSoftCap")
  set(ck_api 2025)
else()
  rocm_stop("Composable Kernel ${ck_version} in ${ck} has another attention API than is supported. "
            ${ck_supported})
endif()

# The compiler and the HIP runtime.
if(NOT hip_root)
  rocm_stop("no HIP: no include/hip/hip_runtime.h in ${hip_roots}. Install ROCm (or Debian's "
            "libamdhip64-dev), or name its folder in the environment variable ROCM_PATH.")
endif()
set(hip_compiler "${POINTSMAN_HIP_COMPILER}")
if(NOT hip_compiler)
  find_program(ROCM_CLANG NAMES amdclang++ clang++ NO_DEFAULT_PATH
               PATHS "${hip_root}/lib/llvm/bin" "${hip_root}/llvm/bin")
  # Debian's HIP headers are too old for later ones.
  find_program(DEBIAN_CLANG clang++-19)
  if(NOT hip_root STREQUAL "/usr" AND ROCM_CLANG)
    set(hip_compiler "${ROCM_CLANG}")
  elseif(hip_root STREQUAL "/usr" AND DEBIAN_CLANG)
    set(hip_compiler "${DEBIAN_CLANG}")
  endif()
endif()
if(NOT hip_compiler)
  rocm_stop("no compiler for HIP in ${hip_root}: install ROCm's (or, with Debian's HIP, clang-19 and "
            "lld-19), or name a clang++ with -DPOINTSMAN_HIP_COMPILER=")
endif()
find_library(HIP_RUNTIME amdhip64 HINTS "${hip_root}/lib" "${hip_root}/lib64")
if(NOT HIP_RUNTIME)
  rocm_stop("no libamdhip64.so in ${hip_root}/lib: install the HIP runtime")
endif()
set(hip_flags -x hip -std=c++20 --rocm-path=${hip_root} --hip-path=${hip_root})
if(hip_root STREQUAL "/usr")
  # Debian keeps the device libraries elsewhere, and they predate gfx942: what they do for gfx940 is
  # the same.
  find_path(HIP_DEVICE_LIBS ockl.bc PATH_SUFFIXES amdgcn/bitcode
            PATHS /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE} /usr/lib)
  if(NOT HIP_DEVICE_LIBS)
    rocm_stop("no device libraries (ockl.bc) for HIP: install rocm-device-libs")
  endif()
  set(device_libs "${HIP_DEVICE_LIBS}")
  if(NOT EXISTS "${device_libs}/oclc_isa_version_942.bc"
     AND EXISTS "${device_libs}/oclc_isa_version_940.bc")
    set(device_libs "${CMAKE_CURRENT_BINARY_DIR}/device-libs")
    file(COPY "${HIP_DEVICE_LIBS}/" DESTINATION "${device_libs}" FILES_MATCHING PATTERN "*.bc")
    configure_file("${HIP_DEVICE_LIBS}/oclc_isa_version_940.bc"
                   "${device_libs}/oclc_isa_version_942.bc" COPYONLY)
  endif()
  list(APPEND hip_flags --rocm-device-lib-path=${device_libs})
endif()

# The architectures: a kernel that does nothing shows what the compiler and its libraries know.
file(WRITE "${CMAKE_CURRENT_BINARY_DIR}/probe.hip"
     "#include <hip/hip_runtime.h>\n__global__ void Probe() {}\n")
file(READ "${ck}/ck_tile/core/config.hpp" text)
set(hip_targets "")
foreach(target ${hip_targets_known})
  if(GPU_TARGETS AND NOT target IN_LIST GPU_TARGETS)
    continue()
  endif()
  execute_process(
    COMMAND "${hip_compiler}" ${hip_flags} --offload-arch=${target} --cuda-device-only -c -o
            probe.o "${CMAKE_CURRENT_BINARY_DIR}/probe.hip"
    WORKING_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}"
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(result EQUAL 0 AND (NOT target STREQUAL "gfx950" OR text MATCHES "gfx950"))
    list(APPEND hip_targets ${target})
  elseif(target IN_LIST GPU_TARGETS OR target STREQUAL "gfx942")
    rocm_stop("${hip_compiler} does not compile HIP for ${target}, or Composable Kernel in ${ck} does "
              "not know it:\n${output}")
  endif()
endforeach()
message(STATUS "Kernels for AMD GPUs: ${hip_targets}; Composable Kernel ${ck_version} in ${ck}, "
               "attention API of ${ck_api}; ${hip_compiler}")

# Without fp32 denormals exp2 is one instruction; a weight that small adds nothing to a sum.
list(APPEND hip_flags -O3 -fgpu-flush-denormals-to-zero -DNDEBUG -fPIC -fvisibility=hidden
     -fvisibility-inlines-hidden -Wall -Wextra -Wno-undefined-func-template -isystem "${ck}"
     -DCK_TILE_FLOAT_TO_BFLOAT16_DEFAULT=3)
if(ck_api STREQUAL "2024-10")
  list(APPEND hip_flags -DINSTANCE_CK_PARTITIONER=1)
else()
  list(APPEND hip_flags -DINSTANCE_CK_PARTITIONER=0)
endif()
foreach(target ${hip_targets})
  list(APPEND hip_flags --offload-arch=${target})
endforeach()

set(hip_objects "")
foreach(element kFloat16 kBFloat16)
  foreach(head_size 32 64 128)
    foreach(variant kFull kWindow kBias)
      set(fast_exp2 1)
      if(variant STREQUAL "kBias")
        set(fast_exp2 0)
      endif()
      set(object "${CMAKE_CURRENT_BINARY_DIR}/${element}_${head_size}_${variant}.o")
      add_custom_command(
        OUTPUT "${object}"
        COMMAND "${hip_compiler}" ${hip_flags} -DINSTANCE_ELEMENT=${element}
                -DINSTANCE_HEAD_SIZE=${head_size} -DINSTANCE_VARIANT=${variant}
                -DCK_TILE_FMHA_FWD_FAST_EXP2=${fast_exp2} -MD -MF "${object}.d" -c -o "${object}"
                "${CMAKE_CURRENT_LIST_DIR}/flash_attention.hip"
        DEPENDS "${CMAKE_CURRENT_LIST_DIR}/flash_attention.hip"
        DEPFILE "${object}.d"
        COMMENT "Compiling the kernel ${element} ${head_size} ${variant} for ${hip_targets}"
        VERBATIM)
      list(APPEND hip_objects "${object}")
    endforeach()
  endforeach()
endforeach()

add_library(ck_flash_attention_rocm MODULE "${CMAKE_CURRENT_LIST_DIR}/clear.cpp"
            "${CMAKE_CURRENT_LIST_DIR}/dispatch.cpp" ${hip_objects})
target_include_directories(ck_flash_attention_rocm SYSTEM PRIVATE "${hip_root}/include")
target_compile_definitions(ck_flash_attention_rocm PRIVATE __HIP_PLATFORM_AMD__)
set_source_files_properties(${hip_objects} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
target_compile_options(ck_flash_attention_rocm PRIVATE -Wall -Wextra -Werror)
target_link_libraries(ck_flash_attention_rocm PRIVATE "${HIP_RUNTIME}")
target_link_options(ck_flash_attention_rocm PRIVATE -Wl,--no-undefined)
install(TARGETS ck_flash_attention_rocm LIBRARY DESTINATION lib)

# The library of the op finds this one beside itself.
target_sources(ck_flash_attention PRIVATE "${CMAKE_CURRENT_LIST_DIR}/load.cpp")
target_compile_definitions(ck_flash_attention PRIVATE POINTSMAN_ROCM)
target_link_libraries(ck_flash_attention PRIVATE ${CMAKE_DL_LIBS})
set_target_properties(ck_flash_attention PROPERTIES INSTALL_RPATH "$ORIGIN"
                                                    BUILD_WITH_INSTALL_RPATH ON)
add_dependencies(ck_flash_attention ck_flash_attention_rocm)
