#include "lacuna/Runtime/Pattern.h"
#include "lacuna/Runtime/Random.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <new>
#include <optional>

namespace lacuna::runtime {
namespace {

constexpr int64_t kMaxEntries = std::numeric_limits<int32_t>::max();

template <class T> bool parseNumber(std::string_view text, T &value) {
  auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  return status == std::errc() && end == text.data() + text.size();
}

enum class BlockClass { Absent, Partial, Full };

/// The part of the matrix that one block covers, ends exclusive, and the shift that aligns its bottom-right corners.
struct Area {
  int64_t i0, i1, j0, j1, shift;
};

/// Query i sees key j when d = i + shift - j lies in [0, left], or d >= 0 and j < sink. Over the block, d takes every
/// value between its two corners, which makes both questions, "all?" and "any?", exact.
BlockClass classify(const Pattern &pattern, const Area &area) {
  if (pattern.kind == Pattern::Kind::Dense)
    return BlockClass::Full;
  int64_t lowest = area.i0 + area.shift - (area.j1 - 1), highest = area.i1 - 1 + area.shift - area.j0;
  if (highest < 0)
    return BlockClass::Absent;
  if (pattern.kind == Pattern::Kind::Causal)
    return lowest >= 0 ? BlockClass::Full : BlockClass::Partial;
  bool anyInWindow = lowest <= pattern.left;
  bool anyInSink = area.j0 < pattern.sink;
  if (!anyInWindow && !anyInSink)
    return BlockClass::Absent;
  int64_t firstBeyondSink = std::max(area.j0, pattern.sink);
  bool allInWindowOrSink = firstBeyondSink >= area.j1 || area.i1 - 1 + area.shift - firstBeyondSink <= pattern.left;
  return lowest >= 0 && allInWindowOrSink ? BlockClass::Full : BlockClass::Partial;
}

void buildByPredicate(const Pattern &pattern, const AttentionShape &shape, BlockLists &lists, bool &overflow) {
  std::vector<int32_t> full;
  for (int64_t r = 0; r < lists.rowBlocks && !overflow; ++r) {
    full.clear();
    for (int64_t c = 0; c < lists.keyBlocks; ++c) {
      Area area{r * lists.queryBlock, std::min(shape.queries, (r + 1) * lists.queryBlock), c * lists.keyBlock,
                std::min(shape.keys, (c + 1) * lists.keyBlock), shape.keys - shape.queries};
      BlockClass kind = classify(pattern, area);
      if (kind == BlockClass::Partial)
        lists.indices.push_back(static_cast<int32_t>(c));
      else if (kind == BlockClass::Full)
        full.push_back(static_cast<int32_t>(c));
    }
    lists.split.push_back(static_cast<int32_t>(lists.indices.size()));
    lists.indices.insert(lists.indices.end(), full.begin(), full.end());
    overflow = static_cast<int64_t>(lists.indices.size()) > kMaxEntries;
    lists.indptr.push_back(static_cast<int32_t>(lists.indices.size()));
  }
}

/// Each row takes density * keyBlocks blocks, the fraction decided by chance, and at least one. Without a mask they are
/// full.
void buildRandom(const Pattern &pattern, const AttentionShape &shape, uint64_t seed, BlockLists &lists,
                 bool &overflow) {
  lists.batches = shape.batch;
  lists.heads = pattern.shared ? 1 : shape.heads;
  const double wanted = pattern.density * static_cast<double>(lists.keyBlocks);
  for (int64_t row = 0; row < lists.numLists() * lists.rowBlocks && !overflow; ++row) {
    SplitMix64 random(seed, static_cast<uint64_t>(row) + 0x6c69737473u);
    int64_t count = static_cast<int64_t>(wanted) + (random.uniform() < wanted - std::floor(wanted));
    count = std::clamp<int64_t>(count, 1, lists.keyBlocks);
    lists.split.push_back(static_cast<int32_t>(lists.indices.size()));
    // Knuth's selection sampling: ascending, each subset equally likely.
    for (int64_t c = 0; c < lists.keyBlocks && count > 0; ++c)
      if (static_cast<int64_t>(random.below(static_cast<uint64_t>(lists.keyBlocks - c))) < count) {
        lists.indices.push_back(static_cast<int32_t>(c));
        --count;
      }
    overflow = static_cast<int64_t>(lists.indices.size()) > kMaxEntries;
    lists.indptr.push_back(static_cast<int32_t>(lists.indices.size()));
  }
}

} // namespace

Expected<Pattern> Pattern::parse(std::string_view text) {
  Pattern pattern;
  size_t colon = text.find(':');
  std::string_view name = text.substr(0, colon);
  std::optional<std::string_view> rest;
  if (colon != std::string_view::npos)
    rest = text.substr(colon + 1);
  auto refuse = [&](std::string_view why) {
    return makeError(
        ErrorCode::InvalidArgument,
        "the pattern '{}' {}; give dense, causal, window:LEFT[:SINK], random:DENSITY[:shared] or lists:DIR", text, why);
  };

  if ((name == "dense" || name == "causal") && !rest) {
    pattern.kind = name == "dense" ? Kind::Dense : Kind::Causal;
  } else if (name == "window" && rest) {
    pattern.kind = Kind::Window;
    size_t second = rest->find(':');
    bool good = parseNumber(rest->substr(0, second), pattern.left);
    if (second != std::string_view::npos)
      good &= parseNumber(rest->substr(second + 1), pattern.sink);
    if (!good || pattern.left < 0 || pattern.sink < 0 || pattern.left > kMaxEntries || pattern.sink > kMaxEntries)
      return refuse("needs LEFT, and SINK if given, to be whole numbers from 0 to 2147483647");
  } else if (name == "random" && rest) {
    pattern.kind = Kind::Random;
    constexpr std::string_view kShared = ":shared";
    pattern.shared = rest->ends_with(kShared);
    if (pattern.shared)
      rest->remove_suffix(kShared.size());
    if (!parseNumber(*rest, pattern.density) || !(pattern.density > 0 && pattern.density <= 1))
      return refuse("needs a DENSITY above 0 and up to 1");
  } else if (name == "lists" && rest && !rest->empty()) {
    pattern.kind = Kind::Lists;
    pattern.directory = *rest;
  } else {
    return refuse("is not known");
  }
  return pattern;
}

bool Pattern::keeps(const AttentionShape &shape, int64_t i, int64_t j) const {
  int64_t distance = i + shape.keys - shape.queries - j;
  switch (kind) {
  case Kind::Causal:
    return distance >= 0;
  case Kind::Window:
    return distance >= 0 && (distance <= left || j < sink);
  default:
    return true;
  }
}

std::string Pattern::keepHook() const {
  switch (kind) {
  case Kind::Causal:
    return "j <= i + N - M";
  case Kind::Window:
    return fmt::format("j <= i + N - M && (i + N - M - j <= {} || j < {})", left, sink);
  default:
    return "";
  }
}

std::string Pattern::rowsHook() const {
  switch (kind) {
  case Kind::Dense:
    return "dense";
  case Kind::Causal:
    return "causal";
  case Kind::Window: {
    std::string sinks =
        fmt::format("some 0 .. min({0}, last + N - M + 1) all 0 .. min({0}, first + N - M + 1), ", sink);
    return (sink > 0 ? sinks : "") + fmt::format("some max(first + N - M, 0) - {0} .. last + N - M + 1 "
                                                 "all max(min(last, M - 1) + N - M, 0) - {0} .. first + N - M + 1",
                                                 left);
  }
  default:
    return "";
  }
}

int64_t Pattern::rowLength(const AttentionShape &shape, int64_t queryBlock, int64_t keyBlock, int64_t row) const {
  // Blocks that meet the keys [begin, end).
  auto blocks = [&](int64_t begin, int64_t end) {
    return begin < end ? (end - 1) / keyBlock - begin / keyBlock + 1 : 0;
  };
  if (kind == Kind::Dense)
    return blocks(0, shape.keys);
  const int64_t shift = shape.keys - shape.queries, first = row * queryBlock + shift;
  const int64_t end = std::min(shape.queries, (row + 1) * queryBlock) + shift;
  if (kind == Kind::Causal)
    return blocks(0, end);
  const int64_t sinkEnd = std::min(sink, end), begin = std::max<int64_t>(first - left, 0);
  if (sinkEnd <= 0)
    return blocks(begin, end);
  // The window may begin in the last block of the sinks, or before it.
  return blocks(0, sinkEnd) + blocks(std::max(begin, (sinkEnd + keyBlock - 1) / keyBlock * keyBlock), end);
}

double Pattern::entries(const AttentionShape &shape, int64_t queryBlock, int64_t keyBlock) const {
  const int64_t rows = (shape.queries + queryBlock - 1) / queryBlock;
  const double columns = static_cast<double>((shape.keys + keyBlock - 1) / keyBlock);
  switch (kind) {
  case Kind::Lists:
    return 0;
  case Kind::Random:
    return density * columns * static_cast<double>(rows) * static_cast<double>(shape.batch) *
           static_cast<double>(shared ? 1 : shape.heads);
  case Kind::Dense:
    return columns * static_cast<double>(rows);
  default:
    break;
  }
  double sum = 0;
  for (int64_t row = 0; row < rows; ++row)
    sum += static_cast<double>(rowLength(shape, queryBlock, keyBlock, row));
  return sum;
}

Expected<BlockLists> Pattern::build(const AttentionShape &shape, int64_t queryBlock, int64_t keyBlock,
                                    uint64_t seed) const {
  if (Expected<void> done = shape.check(); !done)
    return takeError(done);
  if (Expected<void> done = checkListBlock(queryBlock, keyBlock); !done)
    return takeError(done);
  if (kind == Kind::Lists)
    return makeError(ErrorCode::InvalidArgument, "the lists of '{}' are read from files, not built from a pattern",
                     directory);
  BlockLists lists;
  lists.queryBlock = queryBlock;
  lists.keyBlock = keyBlock;
  lists.rowBlocks = (shape.queries + queryBlock - 1) / queryBlock;
  lists.keyBlocks = (shape.keys + keyBlock - 1) / keyBlock;
  // What is plainly too much is not tried: it would take gigabytes before it is seen.
  const double expected = entries(shape, queryBlock, keyBlock);
  bool overflow = expected > (kind == Kind::Random ? 1.01 : 1) * static_cast<double>(kMaxEntries);
  try { // The library throws where memory ends; that must not leave this function.
    if (!overflow)
      lists.indices.reserve(static_cast<size_t>(expected));
  } catch (const std::bad_alloc &) {
    return makeError(ErrorCode::ResourceExhausted,
                     "no memory for the {:.0f} entries of the lists; give larger blocks or a sparser pattern",
                     expected);
  }
  if (kind == Kind::Random)
    buildRandom(*this, shape, seed, lists, overflow);
  else
    buildByPredicate(*this, shape, lists, overflow);
  if (overflow)
    return makeError(ErrorCode::ResourceExhausted,
                     "{} x {} blocks of {}x{} give more than {} list entries; give larger blocks or a sparser pattern",
                     lists.rowBlocks, lists.keyBlocks, queryBlock, keyBlock, kMaxEntries);
  return lists;
}

} // namespace lacuna::runtime
