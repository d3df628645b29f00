// AVX2 with FMA and F16C: 6 queries by 16 keys fill 12 of 16 registers.
#include <immintrin.h>

#include "fp32_operands.h"
#include "tiled_attention.h"

namespace ck_flash_attention {
namespace {

struct Avx2 {
  using Vector = __m256;
  static constexpr int kLanes = 8;
  static constexpr int kMaxRows = 6;

  static Vector Zero() { return _mm256_setzero_ps(); }
  static Vector Broadcast(float value) { return _mm256_set1_ps(value); }
  static Vector Load(const float* source) { return _mm256_loadu_ps(source); }
  static void Store(float* target, Vector value) { _mm256_storeu_ps(target, value); }
  static Vector Add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
  static Vector Subtract(Vector a, Vector b) { return _mm256_sub_ps(a, b); }
  static Vector Multiply(Vector a, Vector b) { return _mm256_mul_ps(a, b); }
  static Vector MultiplyAdd(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
  static Vector MultiplySubtract(Vector a, Vector b, Vector c) { return _mm256_fmsub_ps(a, b, c); }
  static Vector Larger(Vector a, Vector b) { return _mm256_max_ps(a, b); }
  static float FirstLane(Vector value) { return _mm256_cvtss_f32(value); }

  static float SumOfLanes(Vector value) {
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(value), _mm256_extractf128_ps(value, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
  }
  static float LargestLane(Vector value) {
    __m128 most = _mm_max_ps(_mm256_castps256_ps128(value), _mm256_extractf128_ps(value, 1));
    most = _mm_max_ps(most, _mm_movehl_ps(most, most));
    return _mm_cvtss_f32(_mm_max_ss(most, _mm_movehdup_ps(most)));
  }

  static Vector ZeroWhereMinusInfinity(Vector value) {
    return _mm256_and_ps(value, _mm256_cmp_ps(value, Broadcast(-kInfinity), _CMP_NEQ_UQ));
  }

  static Vector ScaleUnlessBelow(Vector value, Vector shifted, Vector x, float limit) {
    const __m256i exponent = _mm256_slli_epi32(_mm256_castps_si256(shifted), 23);
    const Vector scaled =
        _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(value), exponent));
    return _mm256_and_ps(scaled, _mm256_cmp_ps(x, Broadcast(limit), _CMP_NLT_UQ));
  }

  static Vector Keep(Vector value, int64_t begin, int64_t end) {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i from = _mm256_set1_epi32(static_cast<int>(Min(Max(begin, 0), kLanes)));
    const __m256i to = _mm256_set1_epi32(static_cast<int>(Min(Max(end, 0), kLanes)));
    const __m256i kept =
        _mm256_andnot_si256(_mm256_cmpgt_epi32(from, lanes), _mm256_cmpgt_epi32(to, lanes));
    return _mm256_blendv_ps(Broadcast(-kInfinity), value, _mm256_castsi256_ps(kept));
  }

  static Vector LoadHalf(const uint16_t* source) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(source)));
  }
  static void StoreHalf(uint16_t* target, Vector value) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(target),
                     _mm256_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT));
  }

  static void Transpose(const float* source, int64_t source_stride, float* target,
                        int64_t target_stride) {
    __m256 r[8], t[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) r[i] = Load(source + i * source_stride);
#pragma GCC unroll 4
    for (int i = 0; i < 8; i += 2) {
      t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
      t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 8; i += 4) {
      r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
      r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
      r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
      r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      Store(target + i * target_stride, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
      Store(target + (i + 4) * target_stride, _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
    }
  }
};

using Attention = TiledAttention<Fp32Operands<Avx2>>;

}  // namespace

const CpuKernel kAvx2Kernel{&Attention::ScratchBytes, &Attention::Run};

}  // namespace ck_flash_attention
