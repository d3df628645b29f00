// What a file of one instruction set gives to cpu_kernel.cpp.
#pragma once

#include "../attention.h"

namespace ck_flash_attention {

struct CpuKernel {
  size_t (*scratch_bytes)(const AttentionProblem& problem);
  void (*run)(const AttentionProblem& problem, void* scratch, const ParallelFor& parallel_for);
};

extern const CpuKernel kPortableKernel;
#if defined(__x86_64__)
extern const CpuKernel kAvx2Kernel;
extern const CpuKernel kAvx512Kernel;
extern const CpuKernel kAvx512Bf16Kernel;
extern const CpuKernel kAvx512Bf16EmulatedKernel;
#endif

}  // namespace ck_flash_attention
