// Keys and entries to store, each recognisable.
#pragma once

#include "lacuna/Runtime/CacheEntry.h"

namespace lacuna::runtime {

inline CacheKey sampleKey(int number) {
  return CacheKeyBuilder()
      .number("schema", 1)
      .text("source", "kernel k() grid (i: 1) {}")
      .text("kernel", "k")
      .table("params", {{"BM", "128"}, {"D", fmt::format("{}", number)}})
      .flag("positive", true)
      .finish();
}

/// An entry for sampleKey(number) with an image of about `bytes` bytes.
inline CacheEntry sampleEntry(int number, size_t bytes = 64) {
  CacheEntry entry;
  entry.metadata.kernel = "k";
  entry.metadata.symbol = fmt::format("k_{}", number);
  entry.metadata.target = "sm_90a";
  entry.metadata.grid = {"1"};
  entry.isCubin = number % 2 == 0;
  entry.image = entry.isCubin ? "\177ELF" : ".version 8.3\n";
  while (entry.image.size() < bytes)
    entry.image += fmt::format("{} ", static_cast<size_t>(number) * 7919 + entry.image.size());
  entry.record = R"({"registers":168})";
  return entry;
}

} // namespace lacuna::runtime
