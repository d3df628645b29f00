// Chooses the instruction set, once a process.
#include "cpu_kernel.h"

#include <cstdlib>
#include <string_view>

namespace ck_flash_attention {
namespace {

struct InstructionSet {
  const char* name;  // null on failure
  const char* error;
  const CpuKernel* float32;
  const CpuKernel* bfloat16;
};

#if defined(__x86_64__)

InstructionSet Choose() {
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("f16c");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl");
  const bool bf16 = avx512 && __builtin_cpu_supports("avx512bf16");

  const InstructionSet portable{"portable", nullptr, &kPortableKernel, &kPortableKernel};
  const InstructionSet with_avx2{"avx2", nullptr, &kAvx2Kernel, &kAvx2Kernel};
  const InstructionSet with_avx512{"avx512", nullptr, &kAvx512Kernel, &kAvx512Kernel};
  const InstructionSet with_bf16{"avx512_bf16", nullptr, &kAvx512Kernel, &kAvx512Bf16Kernel};
  const InstructionSet emulated{"avx512_bf16_emulated", nullptr, &kAvx512Kernel,
                                &kAvx512Bf16EmulatedKernel};

  const char* variable = std::getenv("CK_FLASH_ATTENTION_ISA");
  const std::string_view wanted = variable != nullptr ? variable : "";
  if (wanted.empty()) return bf16 ? with_bf16 : avx512 ? with_avx512 : avx2 ? with_avx2 : portable;

  const struct {
    const InstructionSet& set;
    bool supported;
  } sets[] = {{portable, true},
              {with_avx2, avx2},
              {with_avx512, avx512},
              {with_bf16, bf16},
              {emulated, avx512}};
  for (const auto& [set, supported] : sets) {
    if (wanted != set.name) continue;
    if (supported) return set;
    return {nullptr,
            "CK_FLASH_ATTENTION_ISA names an instruction set this CPU does not have; "
            "unset it, or set it to portable",
            nullptr, nullptr};
  }
  return {nullptr,
          "CK_FLASH_ATTENTION_ISA must be avx512_bf16, avx512_bf16_emulated, avx512, avx2 "
          "or portable",
          nullptr, nullptr};
}

#else

InstructionSet Choose() {
  const char* variable = std::getenv("CK_FLASH_ATTENTION_ISA");
  const std::string_view wanted = variable != nullptr ? variable : "portable";
  if (wanted.empty() || wanted == "portable") {
    return {"portable", nullptr, &kPortableKernel, &kPortableKernel};
  }
  return {nullptr, "CK_FLASH_ATTENTION_ISA must be portable on this CPU", nullptr, nullptr};
}

#endif

const InstructionSet& Chosen() {
  static const InstructionSet chosen = Choose();
  return chosen;
}

// Callers have seen CpuInstructionSet succeed.
const CpuKernel& KernelFor(const AttentionProblem& problem) {
  const InstructionSet& set = Chosen();
  return problem.compute_type == ComputeType::kBFloat16 ? *set.bfloat16 : *set.float32;
}

}  // namespace

const char* CpuInstructionSet(const char** error) {
  *error = Chosen().error;
  return Chosen().name;
}

size_t CpuScratchBytes(const AttentionProblem& problem) {
  return KernelFor(problem).scratch_bytes(problem);
}

void RunOnCpu(const AttentionProblem& problem, void* scratch, const ParallelFor& parallel_for) {
  KernelFor(problem).run(problem, scratch, parallel_for);
}

}  // namespace ck_flash_attention
