// Checks a problem against what the kernels can do, and picks the kernel.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>

#include "instances.h"

namespace ck_flash_attention::rocm {
namespace {

constexpr int64_t kMostRows = int64_t{1} << 30;  // sums of a row, a window and a tile fit int32
constexpr int64_t kMostBytes = std::numeric_limits<int32_t>::max();
constexpr int64_t kElementBytes = 2;
constexpr int64_t kVectorBytes = 16;   // what a lane loads or stores at once
constexpr int64_t kRowsPastEnd = 256;  // addressed, not read: the rest of a tile and the next one

bool IsAligned(const void* data) { return reinterpret_cast<uintptr_t>(data) % kVectorBytes == 0; }

bool IsAligned(const Strides& strides) {
  constexpr int64_t kElements = kVectorBytes / kElementBytes;
  return strides.batch % kElements == 0 && strides.head % kElements == 0 &&
         strides.row % kElements == 0;
}

bool Fits32Bits(const Strides& strides) {
  const auto fits = [](int64_t stride) {
    return stride >= 0 && stride <= std::numeric_limits<int32_t>::max();
  };
  return fits(strides.batch) && fits(strides.head) && fits(strides.row);
}

// The kernels address the rows of one head with 32-bit byte offsets.
bool HeadFits32Bits(int64_t rows, int64_t row_stride, int64_t row_elements) {
  const int64_t bytes_left = kMostBytes - row_elements * kElementBytes;
  return bytes_left >= 0 &&
         (row_stride == 0 || rows + kRowsPastEnd <= bytes_left / kElementBytes / row_stride);
}

const char* Refusal(const AttentionProblem& problem) {
  if (problem.element_type != ElementType::kFloat16 &&
      problem.element_type != ElementType::kBFloat16) {
    return "ROCm: the element type must be float16 or bfloat16";
  }
  if (problem.head_size != 32 && problem.head_size != 64 && problem.head_size != 128) {
    return "ROCm: the head size must be 32, 64 or 128";
  }
  if (std::min({problem.batch, problem.heads, problem.query_length, problem.key_length}) < 0) {
    return "ROCm: a size is negative";
  }
  if (std::max({problem.batch, problem.heads, problem.query_length, problem.key_length}) >
      kMostRows) {
    return "ROCm: batch, heads, query length and key length must be at most 2^30";
  }
  if (!(problem.scale > 0) || !std::isfinite(problem.scale)) {
    return "ROCm: the scale must be positive and finite";
  }
  if (problem.window_left < kUnlimitedWindow || problem.window_right < kUnlimitedWindow) {
    return "ROCm: a window must be -1 (unlimited) or at least 0";
  }
  for (const Strides* strides : {&problem.query_strides, &problem.key_strides,
                                 &problem.value_strides, &problem.output_strides}) {
    if (!Fits32Bits(*strides)) {
      return "ROCm: a tensor is too large: its strides must be at most 2^31 - 1 elements";
    }
    if (!IsAligned(*strides)) {
      return "ROCm: the strides of query, key, value and output must be multiples of 8 elements";
    }
  }
  for (const void* data :
       {problem.query, problem.key, problem.value, static_cast<const void*>(problem.output)}) {
    if (!IsAligned(data)) {
      return "ROCm: query, key, value and output must be aligned to 16 bytes";
    }
  }
  const int64_t head_size = problem.head_size;
  if (!HeadFits32Bits(problem.query_length, problem.query_strides.row, head_size) ||
      !HeadFits32Bits(problem.key_length, problem.key_strides.row, head_size) ||
      !HeadFits32Bits(problem.key_length, problem.value_strides.row, head_size) ||
      !HeadFits32Bits(problem.query_length, problem.output_strides.row, head_size)) {
    return "ROCm: the rows of one head must span less than 2 GiB";
  }
  if (problem.bias != nullptr) {
    if (!Fits32Bits(problem.bias_strides)) {
      return "ROCm: the bias is too large: its strides must be at most 2^31 - 1 elements";
    }
    if (!HeadFits32Bits(problem.query_length, problem.bias_strides.row,
                        problem.key_length + kRowsPastEnd)) {
      return "ROCm: the bias of one head must span less than 2 GiB; a bias that is the same for "
             "all queries can have the shape [batch, heads, 1, keys]";
    }
  }
  return nullptr;
}

template <ElementType kElementType, int kHeadSize>
const char* EnqueueVariant(const AttentionProblem& problem, void* stream) {
  if (problem.bias != nullptr) {
    return Enqueue<kElementType, kHeadSize, Variant::kBias>(problem, stream);
  }
  if (problem.window_left != kUnlimitedWindow || problem.window_right != kUnlimitedWindow) {
    return Enqueue<kElementType, kHeadSize, Variant::kWindow>(problem, stream);
  }
  return Enqueue<kElementType, kHeadSize, Variant::kFull>(problem, stream);
}

template <ElementType kElementType>
const char* EnqueueHeadSize(const AttentionProblem& problem, void* stream) {
  switch (problem.head_size) {
    case 32:
      return EnqueueVariant<kElementType, 32>(problem, stream);
    case 64:
      return EnqueueVariant<kElementType, 64>(problem, stream);
    default:
      return EnqueueVariant<kElementType, 128>(problem, stream);
  }
}

// A window that reaches over all keys is none. Others are below the lengths, so they fit 32 bits.
void LimitWindow(AttentionProblem& problem) {
  if (problem.window_left >= problem.query_length - 1) {
    problem.window_left = kUnlimitedWindow;
  }
  if (problem.window_right >= problem.key_length - 1) {
    problem.window_right = kUnlimitedWindow;
  }
}

}  // namespace
}  // namespace ck_flash_attention::rocm

// What RunOnRocm (load.cpp) calls in this library. compute_type is a matter of the CPU: here the
// products are of the tensors' type, and their sums and the softmax are fp32.
extern "C" [[gnu::visibility("default")]] const char* ck_flash_attention_run_on_rocm(
    const ck_flash_attention::AttentionProblem* original, void* stream) {
  using namespace ck_flash_attention;
  AttentionProblem problem = *original;
  if (const char* refusal = rocm::Refusal(problem)) {
    return refusal;
  }
  if (problem.batch == 0 || problem.heads == 0 || problem.query_length == 0) {
    return nullptr;
  }
  if (problem.key_length == 0) {
    return rocm::Clear(problem, stream);
  }
  rocm::LimitWindow(problem);
  if (problem.element_type == ElementType::kFloat16) {
    return rocm::EnqueueHeadSize<ElementType::kFloat16>(problem, stream);
  }
  return rocm::EnqueueHeadSize<ElementType::kBFloat16>(problem, stream);
}
