// Normalises a text by tables over all code points; see characters.py.

#include "library.h"

namespace pointsman {
namespace {

constexpr uint8_t kUnseen = 255;

// What each code point becomes: how many characters (kUnseen: that is not known yet), which if it
// is one, where they are in a list if they are more; and its properties.
struct Table {
  const uint8_t* lengths;
  const uint32_t* becomes;
  const uint8_t* properties;
};

// Replaces each character as if all became one. Returns whether they do.
template <class Code>
bool replace(const Table& table, const Code* text, int64_t length, Code* codes,
             uint8_t* properties) {
  uint8_t others = 0;
  for (int64_t i = 0; i < length; ++i) {
    others |= table.lengths[text[i]] ^ 1;
    codes[i] = static_cast<Code>(table.becomes[text[i]]);
    properties[i] = table.properties[text[i]];
  }
  return others == 0;
}

template <class Code>
int64_t count(const Table& table, const Code* text, int64_t length) {
  int64_t total = 0;
  for (int64_t i = 0; i < length; ++i) {
    const uint8_t characters = table.lengths[text[i]];
    if (characters == kUnseen) return -1;
    total += characters;
  }
  return total;
}

template <class Code>
void expand(const Table& table, const uint32_t* expansions, const Code* text, int64_t length,
            Code* codes, uint8_t* properties, int32_t* source) {
  for (int64_t i = 0, at = 0; i < length; ++i) {
    const uint32_t code = text[i], becomes = table.becomes[code];
    const uint8_t characters = table.lengths[code];
    for (uint8_t nth = 0; nth < characters; ++nth, ++at) {
      codes[at] = static_cast<Code>(characters == 1 ? becomes : expansions[becomes + nth]);
      properties[at] = table.properties[code];
      source[at] = static_cast<int32_t>(i);
    }
  }
}

}  // namespace
}  // namespace pointsman

using pointsman::Table;

// Replaces each character of a text; code points are of code_size octets, 1 or 4, before and
// after. Returns 1 if each became one, 0 if not: then what is written is of no use.
POINTSMAN_EXPORT int64_t pointsman_replace(const uint8_t* lengths, const uint32_t* becomes,
                                           const uint8_t* properties, const void* text,
                                           int64_t code_size, int64_t length, void* codes,
                                           uint8_t* properties_out) noexcept {
  const Table table{lengths, becomes, properties};
  if (code_size == 1) {
    return pointsman::replace(table, static_cast<const uint8_t*>(text), length,
                              static_cast<uint8_t*>(codes), properties_out);
  }
  return pointsman::replace(table, static_cast<const uint32_t*>(text), length,
                            static_cast<uint32_t*>(codes), properties_out);
}

// Counts the characters that a text becomes; -1 if one is not known yet.
POINTSMAN_EXPORT int64_t pointsman_normal_length(const uint8_t* lengths, const void* text,
                                                 int64_t code_size, int64_t length) noexcept {
  const Table table{lengths, nullptr, nullptr};
  if (code_size == 1) {
    return pointsman::count(table, static_cast<const uint8_t*>(text), length);
  }
  return pointsman::count(table, static_cast<const uint32_t*>(text), length);
}

// Replaces each character, all of them known, by any number of others, as many in all as
// pointsman_normal_length says. `source` tells of each which one it comes from.
POINTSMAN_EXPORT int64_t pointsman_expand(const uint8_t* lengths, const uint32_t* becomes,
                                          const uint8_t* properties, const uint32_t* expansions,
                                          const void* text, int64_t code_size, int64_t length,
                                          void* codes, uint8_t* properties_out,
                                          int32_t* source) noexcept {
  const Table table{lengths, becomes, properties};
  if (code_size == 1) {
    pointsman::expand(table, expansions, static_cast<const uint8_t*>(text), length,
                      static_cast<uint8_t*>(codes), properties_out, source);
  } else {
    pointsman::expand(table, expansions, static_cast<const uint32_t*>(text), length,
                      static_cast<uint32_t*>(codes), properties_out, source);
  }
  return 0;
}
