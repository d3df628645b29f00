// Loads the library with the kernels for AMD GPUs when it is first needed: so the library that
// holds the op also loads where ROCm is not installed.
#include <dlfcn.h>

#include <string>

#include "../attention.h"

namespace ck_flash_attention {
namespace {

using Run = const char*(const AttentionProblem* problem, void* stream);

struct RocmLibrary {
  Run* run = nullptr;
  std::string error;

  RocmLibrary() {
    // Found beside this library, by its run path ($ORIGIN).
    constexpr const char* kName = "libck_flash_attention_rocm.so";
    void* library = dlopen(kName, RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr) {
      run = reinterpret_cast<Run*>(dlsym(library, "ck_flash_attention_run_on_rocm"));
    }
    if (run == nullptr) {
      const char* reason = dlerror();
      error = std::string("ROCm: cannot load ") + kName +
              ", which belongs beside "
              "libck_flash_attention.so and needs the HIP runtime it was built with: " +
              (reason != nullptr ? reason : "unknown reason");
    }
  }
};

}  // namespace

const char* RunOnRocm(const AttentionProblem& problem, void* stream) {
  static const RocmLibrary library;
  if (library.run == nullptr) {
    return library.error.c_str();
  }
  return library.run(&problem, stream);
}

}  // namespace ck_flash_attention
