// WordPiece: the longest piece of the vocabulary that a word goes on with, again and again; see
// wordpiece.py.
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

// The edge, or the free slot where it would be. One slot at least is free.
template <class Slot>
Slot* find(Slot* edges, uint64_t mask, uint64_t key) {
  uint64_t at = key * 0x9E3779B97F4A7C15;
  at = (at ^ at >> 32) & mask;
  while (edges[at].child != 0 && edges[at].key != key) at = (at + 1) & mask;
  return &edges[at];
}

// Calls found(id, end) for each token of a word. Returns how many there are, or 0 if no piece fits
// somewhere: then the whole word is one unknown token.
template <class Code, class Found>
int32_t tokenize(const Edge* edges, uint64_t mask, const Code* word, int64_t length,
                 Found found) noexcept {
  int32_t count = 0, root = kBegin;
  for (int64_t start = 0; start < length; root = kContinue) {
    int64_t longest = start;
    int32_t piece = kNone, node = root;
    for (int64_t i = start; i < length; ++i) {
      const Edge* edge = find(edges, mask, edge_key(node, word[i]));
      if (edge->child == 0) break;
      node = edge->child;
      if (edge->piece != kNone) {
        piece = edge->piece;
        longest = i + 1;
      }
    }
    if (piece == kNone) return 0;
    found(piece, longest);
    start = longest;
    ++count;
  }
  return count;
}

template <class Code>
void count_tokens(const Edge* edges, uint64_t mask, const Code* codes, const int64_t* starts,
                  const int64_t* ends, const int64_t* words, int64_t count, int32_t* tokens) {
  for (int64_t i = 0; i < count; ++i) {
    const int64_t start = starts[words[i]];
    const int32_t found =
        tokenize(edges, mask, codes + start, ends[words[i]] - start, [](int32_t, int64_t) {});
    tokens[i] = found > 0 ? found : 1;
  }
}

template <class Code>
void encode(const Edge* edges, uint64_t mask, int32_t unknown, const Code* codes,
            const int64_t* starts, const int64_t* ends, const int64_t* words, int64_t count,
            int64_t tokens, int64_t* ids, int64_t* token_starts, int64_t* token_ends) {
  for (int64_t i = 0, at = 0; i < count; ++i) {
    const int64_t start = starts[words[i]], end = ends[words[i]];
    int64_t next = at, from = start;
    const int32_t found =
        tokenize(edges, mask, codes + start, end - start, [&](int32_t id, int64_t to) {
          if (next == tokens) return;  // of a word that turns out to be unknown
          ids[next] = id;
          token_starts[next] = from;
          token_ends[next++] = from = start + to;
        });
    if (found == 0) {
      ids[at] = unknown;
      token_starts[at] = start;
      token_ends[at] = end;
    }
    at += found > 0 ? found : 1;
  }
}

}  // namespace
}  // namespace pointsman

using pointsman::Edge;

// Builds the trie of pieces: code points [ends[i - 1], ends[i]) of codes each, below roots[i] (0 or
// 1), with ids[i]. Of edges there are slots, a power of two over the number of code points, all 0.
// Returns how many edges there are.
POINTSMAN_EXPORT int64_t pointsman_build_trie(const uint32_t* codes, const int64_t* ends,
                                              const int32_t* roots, const int32_t* ids,
                                              int64_t pieces, void* edges, int64_t slots) noexcept {
  int32_t nodes = 2;
  for (int64_t i = 0, at = 0; i < pieces; ++i) {
    int32_t node = roots[i];
    for (; at < ends[i]; ++at) {
      const uint64_t key = pointsman::edge_key(node, codes[at]);
      Edge* edge = pointsman::find(static_cast<Edge*>(edges), slots - 1, key);
      if (edge->child == 0) *edge = {key, nodes++, pointsman::kNone};
      node = edge->child;
      if (at + 1 == ends[i]) edge->piece = ids[i];
    }
  }
  return nodes - 2;
}

// Counts the tokens of some words of a text, given by their indices. Code points are of code_size
// octets, 1 or 4.
POINTSMAN_EXPORT int64_t pointsman_count_tokens(const void* edges, int64_t slots, const void* codes,
                                                int64_t code_size, const int64_t* starts,
                                                const int64_t* ends, const int64_t* words,
                                                int64_t count, int32_t* tokens) noexcept {
  const Edge* trie = static_cast<const Edge*>(edges);
  if (code_size == 1) {
    pointsman::count_tokens(trie, slots - 1, static_cast<const uint8_t*>(codes), starts, ends,
                            words, count, tokens);
  } else {
    pointsman::count_tokens(trie, slots - 1, static_cast<const uint32_t*>(codes), starts, ends,
                            words, count, tokens);
  }
  return 0;
}

// Writes id, start and end of each token of some words: `tokens`, as many as count_tokens counts.
POINTSMAN_EXPORT int64_t pointsman_encode(const void* edges, int64_t slots, int64_t unknown,
                                          const void* codes, int64_t code_size,
                                          const int64_t* starts, const int64_t* ends,
                                          const int64_t* words, int64_t count, int64_t tokens,
                                          int64_t* ids, int64_t* token_starts,
                                          int64_t* token_ends) noexcept {
  const Edge* trie = static_cast<const Edge*>(edges);
  const int32_t id = static_cast<int32_t>(unknown);
  if (code_size == 1) {
    pointsman::encode(trie, slots - 1, id, static_cast<const uint8_t*>(codes), starts, ends, words,
                      count, tokens, ids, token_starts, token_ends);
  } else {
    pointsman::encode(trie, slots - 1, id, static_cast<const uint32_t*>(codes), starts, ends, words,
                      count, tokens, ids, token_starts, token_ends);
  }
  return 0;
}
