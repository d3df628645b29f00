// WordPiece: the longest piece of the vocabulary that a word goes on with, again and again; see
// wordpiece.py.
#include <algorithm>
#include <array>
#include <utility>

#include "library.h"

namespace pointsman {
namespace {

constexpr int32_t kNone = -1;
constexpr int32_t kBegin = 0, kContinue = 1;  // roots: of pieces that begin a word, or go on in one

// An edge of the trie of all pieces, in an open-addressing table of a power of two. A child of 0
// marks a free slot, for a root is nobody's child.
struct Edge {
  uint64_t key;
  int32_t child;
  int32_t piece;  // id of the piece that ends there, or kNone
};
static_assert(sizeof(Edge) == 16);

uint64_t edge_key(int32_t node, uint32_t code) { return uint64_t(node) << 21 | code; }

uint64_t first_slot(uint64_t key, uint64_t mask) {
  const uint64_t at = key * 0x9E3779B97F4A7C15;
  return (at ^ at >> 32) & mask;
}

// The edge, or the free slot where it would be, from its first slot on. One slot at least is free.
template <class Slot>
Slot* find(Slot* edges, uint64_t mask, uint64_t key, uint64_t at) {
  while (edges[at].child != 0 && edges[at].key != key) at = (at + 1) & mask;
  return &edges[at];
}

// Classes of characters: ASCII letters and digits as the normaliser leaves them, the end of the
// word, and all others.
constexpr int32_t kLetters = 26, kEnd = 36, kClasses = 37, kOther = 37;

int32_t class_of(uint32_t code) {
  static constexpr auto kTable = [] {
    std::array<uint8_t, 128> table{};
    table.fill(kOther);
    for (int32_t nth = 0; nth < kLetters; ++nth) table['a' + nth] = nth;
    for (int32_t nth = 0; nth < 10; ++nth) table['0' + nth] = kLetters + nth;
    return table;
  }();
  return code < kTable.size() ? kTable[code] : kOther;
}

uint32_t code_of(int32_t number) {
  return number < kLetters ? 'a' + number : '0' + number - kLetters;
}

// What two characters of a class of their own begin with, below a root: it takes the place of the
// first two edges. In array order [2, kClasses, kClasses]; of the first the end is not asked for.
struct Beginning {
  int32_t child;   // of the second edge; 0 if there is none
  int32_t piece;   // id of the longest piece of them, or kNone
  int32_t length;  // of that piece
};
static_assert(sizeof(Beginning) == 12);

template <class Some>
Some& beginning(Some* beginnings, int32_t root, int32_t first, int32_t second) {
  return beginnings[(root * kClasses + first) * kClasses + second];
}

Beginning find_beginning(const Edge* edges, uint64_t mask, int32_t root, int32_t first,
                         int32_t second) {
  Beginning found{root, kNone, 0};
  int32_t length = 0;
  for (const int32_t number : {first, second}) {
    if (number == kEnd) return {0, found.piece, found.length};
    const uint64_t key = edge_key(found.child, code_of(number));
    const Edge* edge = find(edges, mask, key, first_slot(key, mask));
    ++length;
    found.child = edge->child;
    if (edge->child == 0) break;
    if (edge->piece != kNone) {
      found.piece = edge->piece;
      found.length = length;
    }
  }
  return found;
}

// The pieces of a vocabulary.
struct Trie {
  const Edge* edges;
  uint64_t mask;
  const Beginning* beginnings;
};

// Some words of a text, given by their indices.
template <class Code>
struct Text {
  const Code* codes;
  const int64_t* starts;
  const int64_t* ends;
  const int64_t* words;
  int64_t count;
};

// A walk through the trie along one word. The next edge is fetched while other words walk.
template <class Code>
class Walk {
 public:
  explicit Walk(const Trie& trie) : trie_(trie) {}

  // Begins with a word, the nth of some. Calls found(nth, id, start, end) where it makes out a
  // token, and at the word's end done(nth, tokens): 0 if no piece fits somewhere, for then the
  // whole word is one unknown token. Returns whether there is more of the word.
  template <class Found, class Done>
  bool begin(const Text<Code>& text, int64_t nth, Found found, Done done) {
    nth_ = nth;
    count_ = 0;
    codes_ = text.codes;
    start_ = text.starts[text.words[nth]];
    end_ = text.ends[text.words[nth]];
    return go_on(kBegin, found, done);
  }

  // Goes on by a character, as `begin` does.
  template <class Found, class Done>
  bool step(Found found, Done done) {
    const Edge* edge = find(trie_.edges, trie_.mask, key_, slot_);
    if (edge->child != 0) {
      ++at_;
      if (edge->piece != kNone) {
        piece_ = edge->piece;
        longest_ = at_;
      }
      if (at_ < end_) {
        fetch(edge->child);
        return true;
      }
    }
    return take(found, done) && go_on(kContinue, found, done);
  }

 private:
  // Goes on with the next token, and those after it that two characters decide.
  template <class Found, class Done>
  bool go_on(int32_t root, Found found, Done done) {
    for (;; root = kContinue) {
      const int32_t first = class_of(codes_[start_]);
      const int32_t second = start_ + 1 < end_ ? class_of(codes_[start_ + 1]) : kEnd;
      if (first == kOther || second == kOther) {
        at_ = longest_ = start_;
        piece_ = kNone;
        fetch(root);
        return true;
      }
      const Beginning& known = beginning(trie_.beginnings, root, first, second);
      piece_ = known.piece;
      longest_ = start_ + known.length;
      at_ = start_ + 2;
      if (known.child != 0 && at_ < end_) {
        fetch(known.child);
        return true;
      }
      if (!take(found, done)) return false;
    }
  }

  // Takes the longest piece. Returns whether there is more of the word.
  template <class Found, class Done>
  bool take(Found found, Done done) {
    if (piece_ == kNone) {
      done(nth_, 0);
      return false;
    }
    found(nth_, piece_, start_, longest_);
    ++count_;
    start_ = longest_;
    if (start_ < end_) return true;
    done(nth_, count_);
    return false;
  }

  void fetch(int32_t node) {
    key_ = edge_key(node, codes_[at_]);
    slot_ = first_slot(key_, trie_.mask);
    __builtin_prefetch(trie_.edges + slot_);
  }

  Trie trie_;
  const Code* codes_ = nullptr;
  int64_t nth_ = 0, start_ = 0, end_ = 0, at_ = 0, longest_ = 0;
  uint64_t key_ = 0, slot_ = 0;
  int32_t piece_ = kNone, count_ = 0;
};

// Walks along some words, none of which is empty, a few at a time: the trie outgrows the fast
// caches, and a word alone would wait for each of its edges.
template <class Code, class Found, class Done>
void tokenize(const Trie& trie, const Text<Code>& text, Found found, Done done) {
  constexpr int64_t kWalks = 12;
  std::array<Walk<Code>, kWalks> walks = [&]<size_t... I>(std::index_sequence<I...>) {
    return std::array<Walk<Code>, kWalks>{((void)I, Walk<Code>(trie))...};
  }(std::make_index_sequence<kWalks>());
  int64_t active = 0, next = 0;
  // Begins with the next word that has more than is known at once, if there is one.
  const auto begin = [&](Walk<Code>& walk) {
    while (next < text.count) {
      if (walk.begin(text, next++, found, done)) return true;
    }
    return false;
  };
  while (active < kWalks && begin(walks[active])) ++active;
  while (active > 0) {
    for (int64_t i = 0; i < active; ++i) {
      if (!walks[i].step(found, done) && !begin(walks[i])) walks[i--] = walks[--active];
    }
  }
}

template <class Code>
void count_tokens(const Trie& trie, const Text<Code>& text, int32_t* tokens) {
  tokenize(
      trie, text, [](int64_t, int32_t, int64_t, int64_t) {},
      [&](int64_t nth, int32_t count) { tokens[nth] = count > 0 ? count : 1; });
}

template <class Code>
bool encode(const Trie& trie, int32_t unknown, const Text<Code>& text, const int32_t* counts,
            int64_t* ids, int64_t* token_starts, int64_t* token_ends) {
  // Where the tokens of each word go, and with a word after the last.
  const auto places = allocate<int64_t>(text.count + 1);
  const auto next = allocate<int64_t>(text.count);
  if (!places || !next) return false;
  places[0] = 0;
  for (int64_t nth = 0; nth < text.count; ++nth) {
    next[nth] = places[nth];
    places[nth + 1] = places[nth] + counts[nth];
  }
  const auto put = [&](int64_t at, int32_t id, int64_t start, int64_t end) {
    ids[at] = id;
    token_starts[at] = start;
    token_ends[at] = end;
  };
  tokenize(
      trie, text,
      [&](int64_t nth, int32_t id, int64_t start, int64_t end) {
        // There is no place for those of a word that turns out to be unknown.
        if (next[nth] < places[nth + 1]) put(next[nth]++, id, start, end);
      },
      [&](int64_t nth, int32_t count) {
        if (count > 0) return;
        const int64_t word = text.words[nth];
        put(places[nth], unknown, text.starts[word], text.ends[word]);
      });
  return true;
}

}  // namespace
}  // namespace pointsman

using pointsman::Beginning;
using pointsman::Edge;
using pointsman::Text;

// Builds the trie of pieces: code points [ends[i - 1], ends[i]) of codes each, below roots[i] (0 or
// 1), with ids[i]. Of edges there are slots, a power of two over the number of code points, all 0;
// beginnings are int32 [2, 37, 37, 3]. Returns how many edges there are.
POINTSMAN_EXPORT int64_t pointsman_build_trie(const uint32_t* codes, const int64_t* ends,
                                              const int32_t* roots, const int32_t* ids,
                                              int64_t pieces, void* edges, int64_t slots,
                                              void* beginnings) noexcept {
  using namespace pointsman;
  Edge* const trie = static_cast<Edge*>(edges);
  const uint64_t mask = slots - 1;
  int32_t nodes = 2;
  for (int64_t i = 0, at = 0; i < pieces; ++i) {
    int32_t node = roots[i];
    for (; at < ends[i]; ++at) {
      const uint64_t key = edge_key(node, codes[at]);
      Edge* edge = find(trie, mask, key, first_slot(key, mask));
      if (edge->child == 0) *edge = {key, nodes++, kNone};
      node = edge->child;
      if (at + 1 == ends[i]) edge->piece = ids[i];
    }
  }
  for (const int32_t root : {kBegin, kContinue}) {
    for (int32_t first = 0; first < kEnd; ++first) {
      for (int32_t second = 0; second < kClasses; ++second) {
        beginning(static_cast<Beginning*>(beginnings), root, first, second) =
            find_beginning(trie, mask, root, first, second);
      }
    }
  }
  return nodes - 2;
}

// Counts the tokens of some words of a text, given by their indices, none of them empty. Code
// points are of code_size octets, 1 or 4.
POINTSMAN_EXPORT int64_t pointsman_count_tokens(const void* edges, int64_t slots,
                                                const void* beginnings, const void* codes,
                                                int64_t code_size, const int64_t* starts,
                                                const int64_t* ends, const int64_t* words,
                                                int64_t count, int32_t* tokens) noexcept {
  const pointsman::Trie trie{static_cast<const Edge*>(edges), static_cast<uint64_t>(slots - 1),
                             static_cast<const Beginning*>(beginnings)};
  if (code_size == 1) {
    const auto* octets = static_cast<const uint8_t*>(codes);
    pointsman::count_tokens(trie, Text<uint8_t>{octets, starts, ends, words, count}, tokens);
  } else {
    const auto* points = static_cast<const uint32_t*>(codes);
    pointsman::count_tokens(trie, Text<uint32_t>{points, starts, ends, words, count}, tokens);
  }
  return 0;
}

// Writes id, start and end of each token of some words: of each as many as count_tokens counts.
POINTSMAN_EXPORT int64_t pointsman_encode(const void* edges, int64_t slots, const void* beginnings,
                                          int64_t unknown, const void* codes, int64_t code_size,
                                          const int64_t* starts, const int64_t* ends,
                                          const int64_t* words, int64_t count,
                                          const int32_t* tokens, int64_t* ids,
                                          int64_t* token_starts, int64_t* token_ends) noexcept {
  const pointsman::Trie trie{static_cast<const Edge*>(edges), static_cast<uint64_t>(slots - 1),
                             static_cast<const Beginning*>(beginnings)};
  const int32_t id = static_cast<int32_t>(unknown);
  bool done = false;
  if (code_size == 1) {
    const auto* octets = static_cast<const uint8_t*>(codes);
    done = pointsman::encode(trie, id, Text<uint8_t>{octets, starts, ends, words, count}, tokens,
                             ids, token_starts, token_ends);
  } else {
    const auto* points = static_cast<const uint32_t*>(codes);
    done = pointsman::encode(trie, id, Text<uint32_t>{points, starts, ends, words, count}, tokens,
                             ids, token_starts, token_ends);
  }
  return done ? 0 : pointsman::kOutOfMemory;
}
