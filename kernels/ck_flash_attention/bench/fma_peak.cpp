// The fastest that one core multiplies and adds: what attention kernels are measured against.
//
// Loops of independent multiply-adds on registers, more of them than latency times ports (4 x 2 on
// the cores of today), so that nothing but the ports limits them. perf/attention.py compiles this
// file into a shared library and runs it between the measurements, as the clock changes with load.

#include <chrono>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

constexpr int kSums = 14;  // with two operands beside them, the registers that AVX2 has
constexpr int64_t kSteps = 20000;

// Keeps every sum finite and normal, and multiplication by a power of two no special case.
constexpr float kFactor = 0.999f;
constexpr float kTerm = 0.001f;

volatile float sink;

// Four floats, with the multiplication and the addition that the compiler's baseline has.
void Portable() {
  typedef float Vector __attribute__((vector_size(16)));
  Vector sums[kSums];
  for (int i = 0; i < kSums; ++i) sums[i] = Vector{} + static_cast<float>(i);
  const Vector factor = Vector{} + kFactor;
  const Vector term = Vector{} + kTerm;
  for (int64_t step = 0; step < kSteps; ++step) {
#pragma GCC unroll 16
    for (int i = 0; i < kSums; ++i) sums[i] = sums[i] * factor + term;
  }
  for (int i = 0; i < kSums; ++i) sink = sums[i][0];
}

#if defined(__x86_64__)

__attribute__((target("avx2,fma"))) void Avx2() {
  __m256 sums[kSums];
  for (int i = 0; i < kSums; ++i) sums[i] = _mm256_set1_ps(static_cast<float>(i));
  const __m256 factor = _mm256_set1_ps(kFactor);
  const __m256 term = _mm256_set1_ps(kTerm);
  for (int64_t step = 0; step < kSteps; ++step) {
#pragma GCC unroll 16
    for (int i = 0; i < kSums; ++i) sums[i] = _mm256_fmadd_ps(sums[i], factor, term);
  }
  for (int i = 0; i < kSums; ++i) sink = _mm256_cvtss_f32(sums[i]);
}

__attribute__((target("avx512f"))) void Avx512() {
  __m512 sums[kSums];
  for (int i = 0; i < kSums; ++i) sums[i] = _mm512_set1_ps(static_cast<float>(i));
  const __m512 factor = _mm512_set1_ps(kFactor);
  const __m512 term = _mm512_set1_ps(kTerm);
  for (int64_t step = 0; step < kSteps; ++step) {
#pragma GCC unroll 16
    for (int i = 0; i < kSums; ++i) sums[i] = _mm512_fmadd_ps(sums[i], factor, term);
  }
  for (int i = 0; i < kSums; ++i) sink = _mm512_cvtss_f32(sums[i]);
}

#endif

}  // namespace

// Floating-point operations per second, two for each multiply-add, of the calling thread, measured
// over about `seconds`. `isa` is avx512, avx2 or portable; -1 where it is none of these.
extern "C" double fma_peak(const char* isa, double seconds) {
  void (*loop)() = nullptr;
  int lanes = 0;
  if (std::strcmp(isa, "portable") == 0) loop = Portable, lanes = 4;
#if defined(__x86_64__)
  if (std::strcmp(isa, "avx2") == 0) loop = Avx2, lanes = 8;
  if (std::strcmp(isa, "avx512") == 0) loop = Avx512, lanes = 16;
#endif
  if (loop == nullptr) return -1;
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  double elapsed = 0;
  double operations = 0;
  do {
    loop();
    operations += 2.0 * lanes * kSums * kSteps;
    elapsed = std::chrono::duration<double>(Clock::now() - begin).count();
  } while (elapsed < seconds);
  return operations / elapsed;
}
