// Products of fp32: the packed operands of TiledAttention are the floats themselves.
#pragma once

#include <cstdint>

namespace ck_flash_attention {
namespace {

template <class Vectors>
struct Fp32Operands : Vectors {
  using typename Vectors::Vector;
  using Vectors::kLanes;
  static constexpr int kDepth = 1;

  static Vector LoadOperands(const float* source) { return Vectors::Load(source); }
  static Vector BroadcastOperand(const float* source) { return Vectors::Broadcast(*source); }
  static Vector MultiplyAddOperands(Vector a, Vector b, Vector sum) {
    return Vectors::MultiplyAdd(a, b, sum);
  }
  static void StoreWeights(float* row, int64_t vector, Vector weights) {
    Vectors::Store(row + vector * kLanes, weights);
  }
  static float Weight(const float* row, int64_t key) { return row[key]; }
  static void PackRow(const float* row, float scale, float* packed, int64_t count) {
    for (int64_t i = 0; i < count; i += kLanes) {
      Vectors::Store(packed + i,
                     Vectors::Multiply(Vectors::Load(row + i), Vectors::Broadcast(scale)));
    }
  }
  static void PackValueRows(const float* row, const float*, float* packed, int64_t count) {
    for (int64_t i = 0; i < count; i += kLanes) Vectors::Store(packed + i, Vectors::Load(row + i));
  }
};

}  // namespace
}  // namespace ck_flash_attention
