#include "library.h"

POINTSMAN_EXPORT int64_t pointsman_compressor_version() noexcept { return pointsman::kVersion; }
