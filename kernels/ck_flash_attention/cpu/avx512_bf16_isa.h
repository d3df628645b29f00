// AVX-512 with bf16 operands: a 32-bit operand holds two neighbours of the summed dimension.
#pragma once

#include "avx512_isa.h"

namespace ck_flash_attention {
namespace {

// `Dot` gives Dot::Pairs(sum, a, b): sum + a.low * b.low + a.high * b.high in every lane.
template <class Dot>
struct Avx512Bf16 : Avx512 {
  static constexpr int kDepth = 2;

  static __m512i LoadOperands(const float* source) { return _mm512_loadu_si512(source); }
  static __m512i BroadcastOperand(const float* source) {
    return _mm512_castps_si512(_mm512_set1_ps(*source));
  }
  static Vector MultiplyAddOperands(__m512i a, __m512i b, Vector sum) {
    return Dot::Pairs(sum, a, b);
  }
  static void StoreWeights(float* row, int64_t vector, Vector weights) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(row + vector * (kLanes / 2)), Narrow(weights));
  }

  static float Weight(const float* row, int64_t key) {
    uint16_t upper;
    std::memcpy(&upper, reinterpret_cast<const char*>(row) + key * 2, sizeof upper);
    const uint32_t bits = uint32_t{upper} << 16;
    float weight;
    std::memcpy(&weight, &bits, sizeof weight);
    return weight;
  }

  // In place: `count` floats become `count` / 2 operands.
  static void PackRow(float* row, int64_t count) {
    for (int64_t i = 0; i < count; i += kLanes) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(row + i / 2), Narrow(Load(row + i)));
    }
  }
  static void PackValueRows(const float* even, const float* odd, float* packed, int64_t count) {
    for (int64_t i = 0; i < count; i += kLanes) {
      const __m512i low = _mm512_srli_epi32(Round(Load(even + i)), 16);
      const __m512i high = _mm512_and_si512(Round(Load(odd + i)), _mm512_set1_epi32(-0x10000));
      _mm512_storeu_si512(packed + i, _mm512_or_si512(low, high));
    }
  }

 private:
  static __m256i Narrow(Vector value) {
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(Round(value), 16));
  }

  // To nearest, ties to even, in the upper 16 bits; the lower ones are left over. NaN stays NaN.
  static __m512i Round(Vector value) {
    const __m512i bits = _mm512_castps_si512(value);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i rounded =
        _mm512_add_epi32(_mm512_add_epi32(bits, odd), _mm512_set1_epi32(0x7fff));
    const __mmask16 nan = _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
    return _mm512_mask_mov_epi32(rounded, nan, _mm512_set1_epi32(0x7fc00000));
  }
};

}  // namespace
}  // namespace ck_flash_attention
