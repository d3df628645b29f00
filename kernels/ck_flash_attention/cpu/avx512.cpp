#include "avx512_isa.h"

namespace ck_flash_attention {

const CpuKernel kAvx512Kernel{&TiledAttention<Avx512>::ScratchBytes, &TiledAttention<Avx512>::Run};

}  // namespace ck_flash_attention
