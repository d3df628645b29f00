#include "avx512_bf16_isa.h"

namespace ck_flash_attention {
namespace {

struct Native {
  static __m512 Dot(__m512 sum, __m512i a, __m512i b) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
  }
  static __m256i Narrow(__m512 values) {
    return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(values));
  }
};
using Isa = Avx512Bf16<Native>;

}  // namespace

const CpuKernel kAvx512Bf16Kernel{&TiledAttention<Isa>::ScratchBytes, &TiledAttention<Isa>::Run};

}  // namespace ck_flash_attention
