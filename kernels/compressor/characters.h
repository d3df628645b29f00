// The properties of characters, as characters.py has them.
#pragma once

#include <cstdint>

namespace pointsman {

constexpr uint8_t kKind = 3;  // mask of the four kinds
constexpr uint8_t kSpace = 0, kWord = 1;
constexpr uint8_t kTerm = 1;  // the odd kinds carry content
constexpr uint8_t kLower = 1 << 2, kDigit = 1 << 3, kCloser = 1 << 4;
constexpr uint8_t kNewline = 1 << 5, kStop = 1 << 6, kFullStop = 1 << 7;

}  // namespace pointsman
