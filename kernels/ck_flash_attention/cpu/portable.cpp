// Any machine: four floats in the vectors GCC and Clang lower to what the baseline has.
#include "fp32_operands.h"
#include "tiled_attention.h"

namespace ck_flash_attention {
namespace {

struct Portable {
  typedef float Vector __attribute__((vector_size(16)));
  typedef int32_t Bits __attribute__((vector_size(16)));
  static constexpr int kLanes = 4;
  static constexpr int kMaxRows = 4;

  static Vector Zero() { return Vector{}; }
  static Vector Broadcast(float value) { return Vector{value, value, value, value}; }
  static Vector Load(const float* source) {
    Vector value;
    std::memcpy(&value, source, sizeof value);
    return value;
  }
  static void Store(float* target, Vector value) { std::memcpy(target, &value, sizeof value); }
  static Vector Add(Vector a, Vector b) { return a + b; }
  static Vector Subtract(Vector a, Vector b) { return a - b; }
  static Vector Multiply(Vector a, Vector b) { return a * b; }
  static Vector MultiplyAdd(Vector a, Vector b, Vector c) { return a * b + c; }
  static Vector MultiplySubtract(Vector a, Vector b, Vector c) { return a * b - c; }
  static Vector Larger(Vector a, Vector b) { return a > b ? a : b; }
  static float FirstLane(Vector value) { return value[0]; }
  static float SumOfLanes(Vector value) { return (value[0] + value[1]) + (value[2] + value[3]); }
  static float LargestLane(Vector value) {
    float most = value[0];
    for (int i = 1; i < kLanes; ++i) most = value[i] > most ? value[i] : most;
    return most;
  }

  static Vector ZeroWhereMinusInfinity(Vector value) {
    return value == Broadcast(-kInfinity) ? Zero() : value;
  }

  static Vector ScaleUnlessBelow(Vector value, Vector shifted, Vector x, float limit) {
    // Shifted as unsigned: the bits that leave at the top are of no interest.
    typedef uint32_t Unsigned __attribute__((vector_size(16)));
    const Unsigned scaled =
        reinterpret_cast<Unsigned>(value) + (reinterpret_cast<Unsigned>(shifted) << 23);
    const Bits below = x < Broadcast(limit);
    return reinterpret_cast<Vector>(reinterpret_cast<Bits>(scaled) & ~below);
  }

  static Vector Keep(Vector value, int64_t begin, int64_t end) {
    for (int i = 0; i < kLanes; ++i) {
      if (i < begin || i >= end) value[i] = -kInfinity;
    }
    return value;
  }

  static Vector LoadHalf(const uint16_t* source) {
    return Vector{HalfToFloat(source[0]), HalfToFloat(source[1]), HalfToFloat(source[2]),
                  HalfToFloat(source[3])};
  }
  static void StoreHalf(uint16_t* target, Vector value) {
    for (int i = 0; i < kLanes; ++i) target[i] = FloatToHalf(value[i]);
  }

  static void Transpose(const float* source, int64_t source_stride, float* target,
                        int64_t target_stride) {
    for (int i = 0; i < kLanes; ++i) {
      for (int j = 0; j < kLanes; ++j) {
        target[i * target_stride + j] = source[j * source_stride + i];
      }
    }
  }
};

using Attention = TiledAttention<Fp32Operands<Portable>>;

}  // namespace

const CpuKernel kPortableKernel{&Attention::ScratchBytes, &Attention::Run};

}  // namespace ck_flash_attention
