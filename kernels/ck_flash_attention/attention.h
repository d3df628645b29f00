// One attention problem, and the kernels that solve it: what custom_op.cpp hands to a device.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ck_flash_attention {

enum class ElementType : int32_t { kFloat32, kFloat16, kBFloat16 };

// Type of the operands of the two matrix products. Sums and softmax are always fp32.
enum class ComputeType : int32_t { kFloat32, kBFloat16 };

constexpr int64_t kUnlimitedWindow = -1;

// Distances in elements between neighbours along each dimension; along head_size it is 1.
struct Strides {
  int64_t batch;
  int64_t head;
  int64_t row;
};

// O = softmax(scale * Q K^T + bias) V, for every batch and head.
//
// Q and O are [batch, heads, query_length, head_size], K and V [batch, heads, key_length,
// head_size]; all have the type `element_type`, and any strides. `bias` is null or [batch, heads,
// query_length, key_length] of the same type, 0 as a stride where a dimension is broadcast; its
// rows are contiguous. Query i sees key j when i - window_left <= j <= i + window_right; a window
// of kUnlimitedWindow has no bound on that side. A row that sees no key, or only keys with a bias
// of -inf, gives zeros.
struct AttentionProblem {
  const void* query;
  const void* key;
  const void* value;
  const void* bias;
  void* output;

  ElementType element_type;
  ComputeType compute_type;

  int64_t batch;
  int64_t heads;
  int64_t query_length;
  int64_t key_length;
  int64_t head_size;  // 32, 64 or 128

  Strides query_strides;
  Strides key_strides;
  Strides value_strides;
  Strides bias_strides;
  Strides output_strides;

  float scale;
  int64_t window_left;
  int64_t window_right;
};

// Runs task(argument, index) for every index below `count`, possibly in parallel, and returns when
// all are done.
struct ParallelFor {
  void (*run)(void* context, void (*task)(void* argument, size_t index), size_t count,
              void* argument);
  void* context;
};

// Bytes of scratch memory RunOnCpu needs: the packed keys and values of the heads in flight.
size_t CpuScratchBytes(const AttentionProblem& problem);

// Solves the problem on the CPU. `scratch` is CpuScratchBytes(problem) bytes, aligned to 64.
// Takes kFloat32 and kFloat16 tensors. Gives the same bits whatever number of threads runs it.
void RunOnCpu(const AttentionProblem& problem, void* scratch, const ParallelFor& parallel_for);

// The instruction set RunOnCpu uses, "avx512", "avx2" or "portable": the best one the machine has,
// or what the environment variable CK_FLASH_ATTENTION_ISA names. On failure returns null and sets
// `error` to a message (static storage).
const char* CpuInstructionSet(const char** error);

// Enqueues the problem on a HIP stream. Takes kFloat16 and kBFloat16 tensors. Returns null, or a
// message (static storage) that says why nothing was enqueued. Only in builds with ROCm.
const char* RunOnRocm(const AttentionProblem& problem, void* stream);

}  // namespace ck_flash_attention
