// Looks up what words weigh in models of risk, and finds the worst window of each sentence; see
// risk.py and risk_signal.py.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "library.h"

namespace pointsman {
namespace {

constexpr uint32_t kFirst = 0x9E3779B1, kSecond = 0x85EBCA6B, kThird = 0xC2B2AE35;
constexpr uint32_t kWord = 0x1B873593, kShape = 0x2545F491, kPair = 0x68E31DA4;
constexpr uint32_t kBegin = 2, kEnd = 3;
constexpr std::array<int64_t, 9> kLengths = {1, 2, 3, 5, 8, 12, 16, 24, 40};
constexpr uint32_t kAscii = 128;
constexpr int64_t kBlock = 64;  // character n-grams hashed at a time

constexpr std::array<uint32_t, 256> crc_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t octet = 0; octet < 256; ++octet) {
    uint32_t rest = octet;
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1) ? 0xEDB88320 : 0);
    table[octet] = rest;
  }
  return table;
}

// The CRC-32 of zlib.
class Crc {
 public:
  void add(uint32_t octet) {
    static constexpr std::array<uint32_t, 256> kTable = crc_table();
    state_ = kTable[(state_ ^ octet) & 0xFF] ^ (state_ >> 8);
  }
  // A code point in UTF-8, also a lone surrogate.
  void add_code(uint32_t code) {
    if (code < 0x80) return add(code);
    if (code < 0x800) {
      add(0xC0 | code >> 6);
    } else {
      if (code < 0x10000) {
        add(0xE0 | code >> 12);
      } else {
        add(0xF0 | code >> 18);
        add(0x80 | (code >> 12 & 0x3F));
      }
      add(0x80 | (code >> 6 & 0x3F));
    }
    add(0x80 | (code & 0x3F));
  }
  uint32_t value() const { return ~state_; }

 private:
  uint32_t state_ = 0xFFFFFFFF;
};

uint32_t mix(uint32_t hash) {
  hash ^= hash >> 16;
  hash *= kSecond;
  hash ^= hash >> 13;
  hash *= kThird;
  return hash ^ hash >> 16;
}

struct Table {
  const int8_t* weights;
  int shift;
  double unit;
  float operator[](uint32_t hash) const { return weights[hash >> shift]; }
};

// Calls found(hash, weighs) for each feature of a word, in the order in which they are added up.
template <class Code, class Found>
uint32_t for_each_feature(const Code* word, int64_t size, Found found) {
  Crc crc;
  uint32_t other = 0, digit = 0, letter = 0;
  for (int64_t i = 0; i < size; ++i) {
    const uint32_t code = word[i];
    crc.add_code(code);
    other |= code > 127;
    digit |= code >= '0' && code <= '9';
    letter |= code >= 'a' && code <= 'z';
  }
  const uint32_t key = mix(crc.value());
  const auto length = std::lower_bound(kLengths.begin(), kLengths.end(), size) - kLengths.begin();
  const uint32_t shape = static_cast<uint32_t>(length) << 3 | other << 2 | digit << 1 | letter;
  found(mix(key ^ kWord), 1.0F);
  found(mix(shape ^ kShape), 1.0F);
  const int64_t grams = size + std::max<int64_t>(size - 1, 0);
  const double share = 1 / std::sqrt(static_cast<double>(std::max<int64_t>(grams, 1)));
  // The word stands between marks of its beginning and its end. A block of it at a time.
  std::array<uint32_t, kBlock + 3> framed;
  std::array<uint32_t, kBlock> hashes;
  for (const int64_t length_of_gram : {3, 4}) {
    const int64_t grams_of_length = size + 3 - length_of_gram;
    for (int64_t first = 0; first < grams_of_length; first += kBlock) {
      const int64_t count = std::min(kBlock, grams_of_length - first);
      for (int64_t i = 0; i < count + length_of_gram - 1; ++i) {
        const int64_t at = first + i;
        framed[i] = at == 0 ? kBegin : at > size ? kEnd : uint32_t{word[at - 1]};
      }
      for (int64_t i = 0; i < count; ++i) {
        auto hash = static_cast<uint32_t>(length_of_gram);
        for (int64_t nth = 0; nth < length_of_gram; ++nth) {
          hash = (hash ^ framed[i + nth]) * kFirst;
          hash ^= hash >> 15;
        }
        hashes[i] = mix(hash);
      }
      for (int64_t i = 0; i < count; ++i) found(hashes[i], static_cast<float>(share));
    }
  }
  return key;
}

constexpr int64_t kMostModels = 8;

template <class Code>
void weigh(const Code* codes, const int64_t* starts, const int64_t* ends, int64_t count,
           const Table* tables, int64_t models, uint32_t* keys, float* weights) {
  for (int64_t word = 0; word < count; ++word) {
    std::array<double, kMostModels> sums{};
    keys[word] = for_each_feature(codes + starts[word], ends[word] - starts[word],
                                  [&](uint32_t hash, float value) {
                                    for (int64_t nth = 0; nth < models; ++nth)
                                      sums[nth] += tables[nth][hash] * value;
                                  });
    for (int64_t nth = 0; nth < models; ++nth) {
      weights[nth * count + word] =
          static_cast<float>(std::nearbyint(sums[nth]) * tables[nth].unit);
    }
  }
}

template <class Code>
int64_t rows_of(const int64_t* terms, const int32_t* which, int64_t term_count,
                const int64_t* starts, int64_t words, const Code* codes, int64_t distinct,
                const uint32_t* others, int64_t other_count, int32_t* rows) {
  int64_t term = 0, unknown = 0;
  for (int64_t word = 0; word < words; ++word) {
    if (term < term_count && terms[term] == word) {
      rows[word] = which[term++];
      continue;
    }
    const uint32_t code = codes[starts[word]];
    int64_t row = code;
    if (code >= kAscii) {
      const uint32_t* found = std::lower_bound(others, others + other_count, code);
      if (found == others + other_count || *found != code) {
        ++unknown;
        found = others;
      }
      row = kAscii + (found - others);
    }
    rows[word] = static_cast<int32_t>(distinct + row);
  }
  return unknown;
}

}  // namespace
}  // namespace pointsman

// Writes keys [count] and, model after model, weights [models, count] of the words
// [starts, ends) of `codes`, which are of code_size octets, 1 or 4. Of each of up to 8 models comes
// the address of its table of 2^bits weights, and the unit of these.
POINTSMAN_EXPORT int64_t pointsman_weigh_words(const void* codes, int64_t code_size,
                                               const int64_t* starts, const int64_t* ends,
                                               int64_t count, const uint64_t* tables,
                                               const int64_t* bits, const double* units,
                                               int64_t models, uint32_t* keys,
                                               float* weights) noexcept {
  using pointsman::kMostModels, pointsman::Table;
  std::array<Table, kMostModels> each{};
  models = std::min(models, kMostModels);
  for (int64_t nth = 0; nth < models; ++nth) {
    each[nth] = {reinterpret_cast<const int8_t*>(tables[nth]), static_cast<int>(32 - bits[nth]),
                 units[nth]};
  }
  if (code_size == 1) {
    pointsman::weigh(static_cast<const uint8_t*>(codes), starts, ends, count, each.data(), models,
                     keys, weights);
  } else {
    pointsman::weigh(static_cast<const uint32_t*>(codes), starts, ends, count, each.data(), models,
                     keys, weights);
  }
  return 0;
}

// Writes for each word its row in the columns of weights, as risk_signal.py lays them out: distinct
// terms, ASCII characters, other marks. Those are given by their code points, ascending. Returns
// how many marks are not among them; their row is that of the first.
POINTSMAN_EXPORT int64_t pointsman_word_rows(const int64_t* terms, const int32_t* which,
                                             int64_t term_count, const int64_t* starts,
                                             int64_t words, const void* codes, int64_t code_size,
                                             int64_t distinct, const uint32_t* others,
                                             int64_t other_count, int32_t* rows) noexcept {
  if (code_size == 1) {
    return pointsman::rows_of(terms, which, term_count, starts, words,
                              static_cast<const uint8_t*>(codes), distinct, others, other_count,
                              rows);
  }
  return pointsman::rows_of(terms, which, term_count, starts, words,
                            static_cast<const uint32_t*>(codes), distinct, others, other_count,
                            rows);
}

// Writes the sum of the worst window of words of each sentence. Words are given by their rows in
// `keys` and `weights`; `first` are the first words of the sentences, ascending, the first 0.
POINTSMAN_EXPORT int64_t pointsman_worst_windows(const int32_t* rows, int64_t words,
                                                 const uint32_t* keys, const float* weights,
                                                 const int8_t* table, int64_t bits, double unit,
                                                 const int64_t* sizes, int64_t size_count,
                                                 const int64_t* first, int64_t sentences,
                                                 double* worst) noexcept {
  using namespace pointsman;
  const auto sums = allocate<double>(words + 1);
  if (!sums) return kOutOfMemory;
  const Table grams{table, static_cast<int>(32 - bits), unit};
  const auto float_unit = static_cast<float>(unit);
  uint32_t before = 0, two_before = 0;
  sums[0] = 0;
  for (int64_t word = 0; word < words; ++word) {
    const int32_t row = rows[word];
    const uint32_t key = keys[row], rotated = before * kFirst;
    const uint32_t pair = ((rotated ^ key) + kPair) * kSecond;
    const uint32_t triple = ((two_before * kSecond + rotated) ^ key) * kThird;
    const float contribution = (grams[pair] + grams[triple]) * float_unit + weights[row];
    sums[word + 1] = sums[word] + contribution;
    two_before = before;
    before = key;
  }
  for (int64_t sentence = 0; sentence < sentences; ++sentence) {
    const int64_t start = first[sentence];
    const int64_t end = sentence + 1 < sentences ? first[sentence + 1] : words;
    double highest = -std::numeric_limits<double>::infinity();
    for (int64_t nth = 0; nth < size_count; ++nth) {
      const int64_t whole = std::min(end, start + sizes[nth]);
      for (int64_t word = start; word < whole; ++word) {
        highest = std::max(highest, sums[word + 1] - sums[start]);
      }
      for (int64_t word = whole; word < end; ++word) {
        highest = std::max(highest, sums[word + 1] - sums[word + 1 - sizes[nth]]);
      }
    }
    worst[sentence] = highest;
  }
  return 0;
}
