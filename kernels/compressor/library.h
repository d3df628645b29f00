// What every file of the compressor's library shares.
//
// Its functions stand in for array operations of pointsman_backends/compressor and return what
// those do, to the bit. They take plain arrays that the caller allocates, keep nothing between
// calls, throw nothing, and trust the lengths they are given: the Python beside each call says why
// these suffice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#define POINTSMAN_EXPORT extern "C" __attribute__((visibility("default")))

namespace pointsman {

// Raised when a function is added, removed, or takes other arguments. native.py asks for the same.
constexpr int64_t kVersion = 3;

// What a function returns instead of a count where memory is out.
constexpr int64_t kOutOfMemory = -1;

// Uninitialised memory; null where there is none.
template <class T>
std::unique_ptr<T[]> allocate(size_t count) noexcept {
  return std::unique_ptr<T[]>(new (std::nothrow) T[count]);
}

}  // namespace pointsman
