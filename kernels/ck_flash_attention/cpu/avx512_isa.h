// The vectors of AVX-512 (F, BW, DQ, VL): 14 queries by 32 keys fill 28 of 32 registers.
#pragma once

// GCC calls its own intrinsics' undefined operands uninitialized (GCC bug 105593).
#pragma GCC diagnostic push
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop

#include "tiled_attention.h"

namespace ck_flash_attention {
namespace {

struct Avx512 {
  using Vector = __m512;
  static constexpr int kLanes = 16;
  static constexpr int kMaxRows = 14;

  static Vector Zero() { return _mm512_setzero_ps(); }
  static Vector Broadcast(float value) { return _mm512_set1_ps(value); }
  static Vector Load(const float* source) { return _mm512_loadu_ps(source); }
  static void Store(float* target, Vector value) { _mm512_storeu_ps(target, value); }
  static Vector Add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
  static Vector Subtract(Vector a, Vector b) { return _mm512_sub_ps(a, b); }
  static Vector Multiply(Vector a, Vector b) { return _mm512_mul_ps(a, b); }
  static Vector MultiplyAdd(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
  static Vector MultiplySubtract(Vector a, Vector b, Vector c) { return _mm512_fmsub_ps(a, b, c); }
  static float FirstLane(Vector value) { return _mm512_cvtss_f32(value); }
  static float SumOfLanes(Vector value) { return _mm512_reduce_add_ps(value); }
  static float LargestLane(Vector value) { return _mm512_reduce_max_ps(value); }

  // b where either is NaN, as every Larger here: a NaN score is found by its weight, not here.
  static Vector Larger(Vector a, Vector b) { return _mm512_max_ps(a, b); }

  static Vector ZeroWhereMinusInfinity(Vector value) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(value, Broadcast(-kInfinity), _CMP_NEQ_UQ),
                               value);
  }

  // value * 2^n, n being the low bits of `shifted`; 0 where x < limit.
  static Vector ScaleUnlessBelow(Vector value, Vector shifted, Vector x, float limit) {
    const __m512i exponent = _mm512_slli_epi32(_mm512_castps_si512(shifted), 23);
    const __mmask16 kept = _mm512_cmp_ps_mask(x, Broadcast(limit), _CMP_NLT_UQ);
    return _mm512_castsi512_ps(_mm512_maskz_add_epi32(kept, _mm512_castps_si512(value), exponent));
  }

  // Lanes [begin, end) of `value`, which may lie anywhere; -inf in the others.
  static Vector Keep(Vector value, int64_t begin, int64_t end) {
    const uint32_t from = 0xffffu << Min(Max(begin, 0), kLanes);
    const uint32_t below = (1u << Min(Max(end, 0), kLanes)) - 1;
    return _mm512_mask_mov_ps(Broadcast(-kInfinity), static_cast<__mmask16>(from & below), value);
  }

  static Vector LoadHalf(const uint16_t* source) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(source)));
  }
  static void StoreHalf(uint16_t* target, Vector value) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(target),
                        _mm512_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT));
  }

  // A square of kLanes by kLanes 32-bit elements.
  static void Transpose(const float* source, int64_t source_stride, float* target,
                        int64_t target_stride) {
    __m512 r[16], t[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) r[i] = _mm512_loadu_ps(source + i * source_stride);
#pragma GCC unroll 8
    for (int i = 0; i < 16; i += 2) {
      t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
      t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 16; i += 4) {
      r[i] = Pairs<false>(t[i], t[i + 2]);
      r[i + 1] = Pairs<true>(t[i], t[i + 2]);
      r[i + 2] = Pairs<false>(t[i + 1], t[i + 3]);
      r[i + 3] = Pairs<true>(t[i + 1], t[i + 3]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      t[i] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
      t[i + 4] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
      t[i + 8] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
      t[i + 12] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      _mm512_storeu_ps(target + i * target_stride, _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88));
      _mm512_storeu_ps(target + (i + 8) * target_stride,
                       _mm512_shuffle_f32x4(t[i], t[i + 8], 0xdd));
      _mm512_storeu_ps(target + (i + 4) * target_stride,
                       _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0x88));
      _mm512_storeu_ps(target + (i + 12) * target_stride,
                       _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0xdd));
    }
  }

 private:
  template <bool kHigh>
  static __m512 Pairs(__m512 a, __m512 b) {
    const __m512d x = _mm512_castps_pd(a), y = _mm512_castps_pd(b);
    return _mm512_castpd_ps(kHigh ? _mm512_unpackhi_pd(x, y) : _mm512_unpacklo_pd(x, y));
  }
};

}  // namespace
}  // namespace ck_flash_attention
