// The bf16 path for machines without its instruction: slower than fp32, there to be tested.
#include "avx512_bf16_isa.h"

namespace ck_flash_attention {
namespace {

struct Emulated {
  static __m512 Dot(__m512 sum, __m512i a, __m512i b) {
    const __m512 with_high = _mm512_fmadd_ps(High(a), High(b), sum);
    return _mm512_fmadd_ps(Low(a), Low(b), with_high);
  }

  static __m256i Narrow(__m512 values) {
    const __m512i bits = _mm512_castps_si512(values);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i half = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff));
    const __mmask16 nan = _mm512_cmp_ps_mask(values, values, _CMP_UNORD_Q);
    const __m512i rounded =
        _mm512_mask_mov_epi32(_mm512_add_epi32(bits, half), nan, _mm512_set1_epi32(0x7fc00000));
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16));
  }

 private:
  static __m512 Low(__m512i pairs) { return _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16)); }
  static __m512 High(__m512i pairs) {
    return _mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32(-0x10000)));
  }
};
using Isa = Avx512Bf16<Emulated>;

}  // namespace

const CpuKernel kAvx512Bf16EmulatedKernel{&TiledAttention<Isa>::ScratchBytes,
                                          &TiledAttention<Isa>::Run};

}  // namespace ck_flash_attention
