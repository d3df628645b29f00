// The kernels of the ROCm library: one for each element type, head size and variant.
#pragma once

#include "../attention.h"

namespace ck_flash_attention::rocm {

enum class Variant {
  kFull,    // no bias, no window
  kWindow,  // a window, no bias
  kBias,    // a bias, and a window (perhaps unlimited)
};

// Enqueues one kernel on a HIP stream. The problem has passed the checks of dispatch.cpp, and has
// the instance's element type, head size and variant. Returns null, or why nothing was enqueued
// (which lasts until the thread's next call).
template <ElementType kElementType, int kHeadSize, Variant kVariant>
const char* Enqueue(const AttentionProblem& problem, void* stream);

// Enqueues zeros for the whole output. Returns as Enqueue does.
const char* Clear(const AttentionProblem& problem, void* stream);

}  // namespace ck_flash_attention::rocm
