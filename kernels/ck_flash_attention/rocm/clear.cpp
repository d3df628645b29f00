// What no kernel is needed for: zeros, where there are no keys.
#include <hip/hip_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>

#include "instances.h"

namespace ck_flash_attention::rocm {

const char* Clear(const AttentionProblem& problem, void* stream) {
  constexpr size_t kElementBytes = 2;
  const Strides& strides = problem.output_strides;
  for (int64_t batch = 0; batch < problem.batch; ++batch) {
    for (int64_t head = 0; head < problem.heads; ++head) {
      char* rows = static_cast<char*>(problem.output) +
                   static_cast<size_t>(batch * strides.batch + head * strides.head) * kElementBytes;
      const hipError_t status = hipMemset2DAsync(
          rows, static_cast<size_t>(strides.row) * kElementBytes, 0,
          static_cast<size_t>(problem.head_size) * kElementBytes,
          static_cast<size_t>(problem.query_length), static_cast<hipStream_t>(stream));
      if (status != hipSuccess) {
        // The error has been told: it must not turn up at the next check in this thread.
        static_cast<void>(hipGetLastError());
        thread_local char message[160];
        std::snprintf(message, sizeof(message), "ROCm: HIP did not clear the output: %s (%d)",
                      hipGetErrorString(status), static_cast<int>(status));
        return message;
      }
    }
  }
  return nullptr;
}

}  // namespace ck_flash_attention::rocm
