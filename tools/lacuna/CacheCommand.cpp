#include "CacheCommand.h"

#include "OptionChecks.h"

#include "lacuna/Runtime/CacheDirectory.h"
#include "lacuna/Runtime/DiskCache.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>

namespace lacuna::tools {

using namespace runtime;
using Json = nlohmann::ordered_json;

/// So many have a number of bytes in 64 bits.
static constexpr int64_t kMostMegabytes = (int64_t(1) << 43) - 1;

CLI::App *addCacheCommand(CLI::App &app, CacheOptions &options) {
  using Action = CacheOptions::Action;
  CLI::App *command = app.add_subcommand("cache", "Look at the cache of compiled kernels, and remove from it");
  command->require_subcommand(1);
  auto add = [&](const char *name, Action action, const char *help) {
    CLI::App *sub = command->add_subcommand(name, help);
    sub->callback([&options, action] { options.action = action; });
    sub->add_option("--dir", options.directory, "the cache's directory (by the environment, see lacuna doctor)")
        ->check(refuseEmpty);
    return sub;
  };
  add("stat", Action::Stat, "Say where it lies, how many kernels it holds and how large it may become")
      ->add_flag("--json", options.json, "as a JSON object");
  add("verify", Action::Verify, "Check every entry; exit status 1 if one is not as it should be")
      ->add_flag("--remove", options.remove, "remove those");
  CLI::App *explain = add("explain", Action::Explain, "Say which fields of two entries' keys differ");
  explain->add_option("KEY_A", options.key, "a key, or its first digits (at least 4)")->required();
  explain->add_option("KEY_B", options.other, "another")->required();
  CLI::App *extract = add("extract", Action::Extract, "Write a part of an entry to a file or to standard output");
  extract->add_option("KEY", options.key, "a key, or its first digits (at least 4)")->required();
  extract->add_option("--part", options.part, "image (cubin or PTX), metadata, record, key or source")
      ->capture_default_str();
  extract->add_option("-o", options.output, "the file; - is standard output")->check(refuseEmpty);
  add("prune", Action::Prune,
      "Remove those kernels used longest ago, notes not read for a month, and files that dead processes left")
      ->add_option("--to", options.megabytes, "the size to come down to, in MiB (LACUNA_CACHE_MB)")
      ->check(wholeNumber<int64_t>(0, kMostMegabytes));
  add("clear", Action::Clear, "Remove every kernel and every note");
  return command;
}

namespace {

CommandResult failure(const Error &error) {
  return {error.code == ErrorCode::InvalidArgument ? 2 : 1, "", fmt::format("lacuna cache: {}\n", error.render())};
}

Expected<std::string> directoryOf(const CacheOptions &options, const Knobs &knobs) {
  if (options.directory.empty())
    return chooseCacheDirectory(knobs);
  Knobs named;
  named.cacheDirectory = options.directory;
  Expected<std::string> chosen = chooseCacheDirectory(named);
  if (!chosen)
    return makeError(ErrorCode::InvalidArgument, "--dir {}: give an absolute path without '..'", options.directory);
  return chosen;
}

DiskCacheOptions limitsOf(const Knobs &knobs) {
  DiskCacheOptions limits;
  limits.sizeLimit = static_cast<uint64_t>(knobs.cacheMegabytes) << 20;
  return limits;
}

uint64_t totalBytes(const std::vector<ListedEntry> &entries) {
  uint64_t bytes = 0;
  for (const ListedEntry &entry : entries)
    bytes += entry.bytes;
  return bytes;
}

std::string mebibytes(uint64_t bytes) {
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

/// The one key that begins with `prefix`.
Expected<std::string> findKey(const DiskCache &cache, const std::string &prefix) {
  if (prefix.size() < 4 || prefix.size() > 64 || prefix.find_first_not_of("0123456789abcdef") != std::string::npos)
    return makeError(ErrorCode::InvalidArgument, "'{}' is no key; give 4 to 64 digits of 0-9 and a-f", prefix);
  std::vector<std::string> found;
  for (const ListedEntry &entry : cache.list())
    if (entry.hex.starts_with(prefix))
      found.push_back(entry.hex);
  if (found.size() == 1)
    return found.front();
  if (found.empty())
    return makeError(ErrorCode::NotFound, "no key in {} begins with {}", cache.directory(), prefix);
  return makeError(ErrorCode::InvalidArgument, "{} keys begin with {}, {} and {} among them; give more digits",
                   found.size(), prefix, found[0], found[1]);
}

Expected<KeyedEntry> readEntry(const DiskCache &cache, const std::string &prefix) {
  Expected<std::string> hex = findKey(cache, prefix);
  if (!hex)
    return takeError(hex);
  auto entry = cache.read(*hex);
  if (!entry)
    return makeError(ErrorCode::Incompatible, "the entry {} is {}", *hex, missReasonName(entry.error()));
  return std::move(*entry);
}

//===--------------------------------------------------------------------------------------------------------------===//
// The commands
//===--------------------------------------------------------------------------------------------------------------===//

CommandResult stat(const DiskCache *cache, const std::string &directory, const CacheOptions &options,
                   const Knobs &knobs) {
  std::vector<ListedEntry> entries = cache ? cache->list() : std::vector<ListedEntry>();
  uint64_t bytes = totalBytes(entries), limit = limitsOf(knobs).sizeLimit;
  const NoteTotals notes = cache ? cache->notes() : NoteTotals();
  if (options.json) {
    Json json{{"directory", directory}, {"exists", cache != nullptr}, {"entries", Json::array()}, {"bytes", bytes},
              {"limit_bytes", limit},   {"notes", notes.count},       {"note_bytes", notes.bytes}};
    for (const ListedEntry &entry : entries)
      json["entries"].push_back({{"key", entry.hex}, {"bytes", entry.bytes}, {"used_at_ns", entry.usedAt}});
    return {0, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"};
  }
  std::string text = fmt::format("directory  {}{}\n", directory, cache ? "" : " (not made yet)");
  text += fmt::format("kernels    {}, {} of {}\n", entries.size(), mebibytes(bytes), mebibytes(limit));
  text += fmt::format("notes      {}, {} bytes\n", notes.count, notes.bytes);
  std::ranges::sort(entries, std::ranges::greater(), &ListedEntry::usedAt);
  for (const ListedEntry &entry : entries) {
    auto read = cache->read(entry.hex);
    std::string what = read ? fmt::format("{} for {}, {}", read->entry.metadata.kernel, read->entry.metadata.target,
                                          read->entry.isCubin ? "cubin" : "PTX")
                            : std::string(missReasonName(read.error()));
    double hours = static_cast<double>(::time(nullptr) - entry.usedAt / 1'000'000'000) / 3600;
    text += fmt::format("  {}  {:>9} bytes, used {:.1f} h ago: {}\n", entry.hex.substr(0, 16), entry.bytes,
                        std::max(0.0, hours), what);
  }
  return {0, text};
}

CommandResult verify(const DiskCache &cache, bool remove) {
  CommandResult result;
  size_t faults = 0, removed = 0;
  std::vector<ListedEntry> entries = cache.list();
  for (const ListedEntry &entry : entries) {
    auto read = cache.read(entry.hex);
    if (read)
      continue;
    ++faults;
    result.output += fmt::format("{}: {}\n", entry.hex, missReasonName(read.error()));
    removed += remove && cache.removeFile(entry.hex);
  }
  result.output += fmt::format("{} entries, {} of them not as they should be{}\n", entries.size(), faults,
                               remove ? fmt::format(", {} removed", removed) : "");
  result.status = faults > removed ? 1 : 0;
  return result;
}

/// A field's value in few words; of two long texts, the first line in which they differ.
std::pair<std::string, std::string> shorten(const KeyDifference &difference) {
  auto shown = [](const std::optional<std::string> &value) { return value ? fmt::format("'{}'", *value) : "none"; };
  if (!difference.left || !difference.right)
    return {difference.left && difference.left->size() > 100 ? "a text" : shown(difference.left),
            difference.right && difference.right->size() > 100 ? "a text" : shown(difference.right)};
  std::string_view left = *difference.left, right = *difference.right;
  if (left.find('\n') == std::string_view::npos && right.find('\n') == std::string_view::npos)
    return {shown(difference.left), shown(difference.right)};
  for (int line = 1;; ++line) {
    std::string_view a = left.substr(0, left.find('\n')), b = right.substr(0, right.find('\n'));
    bool lastA = a.size() == left.size(), lastB = b.size() == right.size();
    if (a != b || lastA != lastB || lastA)
      return {fmt::format("line {}: '{}'", line, a), fmt::format("line {}: '{}'", line, b)};
    left.remove_prefix(a.size() + 1);
    right.remove_prefix(b.size() + 1);
  }
}

CommandResult explain(const DiskCache &cache, const CacheOptions &options) {
  std::vector<KeyField> fields[2];
  const std::string *keys[] = {&options.key, &options.other};
  for (int index = 0; index < 2; ++index) {
    Expected<KeyedEntry> entry = readEntry(cache, *keys[index]);
    if (!entry)
      return failure(entry.error());
    Expected<std::vector<KeyField>> read = readKeyFields(entry->key.fields);
    if (!read)
      return failure(read.error());
    fields[index] = std::move(*read);
  }
  CommandResult result;
  for (const KeyDifference &difference : compareKeyFields(fields[0], fields[1])) {
    auto [left, right] = shorten(difference);
    result.output += fmt::format("{}\n  A: {}\n  B: {}\n", difference.name, left, right);
  }
  if (result.output.empty())
    result.output = "the two keys are the same\n";
  return result;
}

Expected<std::string> partOf(const KeyedEntry &entry, const std::string &part) {
  if (part == "image")
    return entry.entry.image;
  if (part == "metadata")
    return entry.entry.metadata.toJson() + "\n";
  if (part == "record")
    return entry.entry.record + "\n";
  Expected<std::vector<KeyField>> fields = readKeyFields(entry.key.fields);
  if (!fields)
    return takeError(fields);
  Json json;
  for (const KeyField &field : *fields) {
    if (part == field.name && part == "source")
      return field.value;
    json[field.name] = field.value;
  }
  if (part == "key")
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  return makeError(ErrorCode::InvalidArgument, "--part must be image, metadata, record, key or source; got '{}'", part);
}

CommandResult extract(const DiskCache &cache, const CacheOptions &options) {
  Expected<KeyedEntry> entry = readEntry(cache, options.key);
  if (!entry)
    return failure(entry.error());
  Expected<std::string> part = partOf(*entry, options.part);
  if (!part)
    return failure(part.error());
  if (options.output.empty() || options.output == "-")
    return {0, std::move(*part)};
  std::ofstream file(options.output, std::ios::binary);
  file << *part;
  file.close();
  if (!file)
    return failure({ErrorCode::Unavailable, fmt::format("cannot write '{}': {}; check the path and the space left",
                                                        options.output, std::strerror(errno))});
  return {};
}

CommandResult prune(const DiskCache &cache, uint64_t limit) {
  PruneResult pruned = cache.prune(limit);
  if (pruned.busy)
    return failure({ErrorCode::Unavailable, "another process is pruning it; try again later"});
  return {0,
          fmt::format("{} kernels removed ({}), {} kept ({}), {} files of dead processes removed, {} notes that nobody "
                      "read removed\n",
                      pruned.removed, mebibytes(pruned.removedBytes), pruned.kept, mebibytes(pruned.keptBytes),
                      pruned.stale, pruned.notes)};
}

CommandResult clear(const DiskCache &cache) {
  size_t removed = 0;
  for (const ListedEntry &entry : cache.list())
    removed += cache.removeFile(entry.hex);
  return {0, fmt::format("{} kernels removed, {} notes\n", removed, cache.clearNotes())};
}

} // namespace

CommandResult cacheCommand(const CacheOptions &options) {
  using Action = CacheOptions::Action;
  Expected<Knobs> knobs = Knobs::fromEnvironment();
  if (!knobs)
    return failure(knobs.error());
  Expected<std::string> directory = directoryOf(options, *knobs);
  if (!directory)
    return failure(directory.error());
  Expected<DiskCache> cache = DiskCache::open(*directory, limitsOf(*knobs), /*create=*/false);
  if (!cache && (options.action != Action::Stat || cache.error().code != ErrorCode::NotFound))
    return failure(cache.error());
  switch (options.action) {
  case Action::Stat:
    return stat(cache ? &*cache : nullptr, *directory, options, *knobs);
  case Action::Verify:
    return verify(*cache, options.remove);
  case Action::Explain:
    return explain(*cache, options);
  case Action::Extract:
    return extract(*cache, options);
  case Action::Prune:
    return prune(*cache, static_cast<uint64_t>(options.megabytes.value_or(knobs->cacheMegabytes)) << 20);
  case Action::Clear:
    return clear(*cache);
  }
  return {};
}

std::string describeCache(const Knobs &knobs) {
  Expected<CacheMode> mode = cacheModeOf(knobs);
  if (!mode)
    return mode.error().message;
  if (*mode == CacheMode::Off)
    return "off (LACUNA_CACHE): every request compiles";
  if (*mode == CacheMode::Memory)
    return "in memory only (LACUNA_CACHE): each process compiles what it runs";
  Expected<std::string> directory = chooseCacheDirectory(knobs);
  if (!directory)
    return "in memory only: " + directory.error().message;
  Expected<DiskCache> cache = DiskCache::open(*directory, limitsOf(knobs), /*create=*/false);
  if (!cache && cache.error().code == ErrorCode::NotFound)
    return *directory + ", which the first kernel makes";
  if (!cache)
    return "in memory only: " + cache.error().message;
  std::vector<ListedEntry> entries = cache->list();
  return fmt::format("{}: {} kernels, {} of {}", *directory, entries.size(), mebibytes(totalBytes(entries)),
                     mebibytes(limitsOf(knobs).sizeLimit));
}

} // namespace lacuna::tools
