// AVX-512 with bf16 operands: a 32-bit operand holds two neighbours of the summed dimension.
#pragma once

#include "avx512_isa.h"

namespace ck_flash_attention {
namespace {

// `Instructions` gives
//   Dot(sum, a, b): sum + a.low * b.low + a.high * b.high in every lane,
//   Narrow(values): 16 floats as bf16, rounded to nearest, ties to even.
template <class Instructions>
struct Avx512Bf16 : Avx512 {
  static constexpr int kDepth = 2;

  static __m512i LoadOperands(const float* source) { return _mm512_loadu_si512(source); }
  static __m512i BroadcastOperand(const float* source) {
    return _mm512_castps_si512(_mm512_set1_ps(*source));
  }
  static Vector MultiplyAddOperands(__m512i a, __m512i b, Vector sum) {
    return Instructions::Dot(sum, a, b);
  }
  static void StoreWeights(float* row, int64_t vector, Vector weights) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(row + vector * (kLanes / 2)),
                        Instructions::Narrow(weights));
  }

  static float Weight(const float* row, int64_t key) {
    uint16_t upper;
    std::memcpy(&upper, reinterpret_cast<const char*>(row) + key * 2, sizeof upper);
    const uint32_t bits = uint32_t{upper} << 16;
    float weight;
    std::memcpy(&weight, &bits, sizeof weight);
    return weight;
  }

  static void PackRow(const float* row, float scale, float* packed, int64_t count) {
    for (int64_t i = 0; i < count; i += kLanes) {
      const Vector scaled = Multiply(Load(row + i), Broadcast(scale));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(packed + i / 2), Instructions::Narrow(scaled));
    }
  }
  static void PackValueRows(const float* even, const float* odd, float* packed, int64_t count) {
    for (int64_t i = 0; i < count; i += kLanes) {
      const __m512i low = _mm512_cvtepu16_epi32(Instructions::Narrow(Load(even + i)));
      const __m512i high = _mm512_cvtepu16_epi32(Instructions::Narrow(Load(odd + i)));
      _mm512_storeu_si512(packed + i, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
    }
  }
};

}  // namespace
}  // namespace ck_flash_attention
