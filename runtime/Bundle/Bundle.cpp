#include "lacuna/Runtime/Bundle.h"

#include "../Cache/ByteStream.h"
#include "lacuna/Runtime/Hash.h"

#include <algorithm>

namespace lacuna::runtime {
namespace {

constexpr std::string_view kMagic = "LACBUND1";

void appendText(std::string &bytes, std::string_view text) {
  appendNumber<uint64_t>(bytes, text.size());
  bytes += text;
}

void appendSettings(std::string &bytes, const Settings &settings) {
  appendNumber<uint32_t>(bytes, static_cast<uint32_t>(settings.size()));
  for (const auto &[name, value] : settings) {
    appendText(bytes, name);
    appendText(bytes, value);
  }
}

std::string payloadOf(const BundleEntry &entry) {
  std::string payload;
  appendText(payload, entry.kernel);
  appendSettings(payload, entry.params);
  appendSettings(payload, entry.hooks);
  appendText(payload, entry.metadata.toJson());
  appendText(payload, entry.image);
  return payload;
}

std::string_view readText(ByteReader &reader) {
  return reader.bytes(reader.number<uint64_t>());
}

Settings readSettings(ByteReader &reader) {
  Settings settings;
  const auto count = reader.number<uint32_t>();
  for (uint32_t index = 0; index < count && reader.ok(); ++index) {
    std::string name(readText(reader));
    settings[std::move(name)] = readText(reader);
  }
  return settings;
}

Expected<BundleEntry> readPayload(std::string_view payload) {
  ByteReader reader(payload);
  BundleEntry entry;
  entry.kernel = readText(reader);
  entry.params = readSettings(reader);
  entry.hooks = readSettings(reader);
  std::string_view metadata = readText(reader);
  entry.image = readText(reader);
  if (!reader.ok() || !reader.atEnd())
    return makeError(ErrorCode::ParseError, "its parts do not fill it");
  Expected<LaunchMetadata> parsed = LaunchMetadata::fromJson(metadata);
  if (!parsed)
    return takeError(parsed);
  entry.metadata = std::move(*parsed);
  return entry;
}

std::string listOf(const Settings &settings) {
  std::string text;
  for (const auto &[name, value] : settings)
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", name, value);
  return text;
}

std::string titleOf(std::string_view kernel, const Settings &params, const Settings &hooks) {
  std::string title(kernel);
  if (!params.empty() || !hooks.empty())
    title += " (" + listOf(params) + (hooks.empty() ? "" : "; " + listOf(hooks)) + ")";
  return title;
}

} // namespace

std::string BundleEntry::title() const {
  return titleOf(kernel, params, hooks);
}

Expected<Bundle> Bundle::parse(std::string_view bytes, std::string_view name) {
  auto damaged = [&](std::string_view problem) {
    return makeError(ErrorCode::ParseError, "'{}' is damaged: {}; make it again with lacuna bundle", name, problem);
  };
  ByteReader reader(bytes);
  if (reader.bytes(kMagic.size()) != kMagic)
    return makeError(ErrorCode::ParseError,
                     "'{}' is no bundle of this version (it does not begin with {}); make it with lacuna bundle", name,
                     kMagic);
  const auto count = reader.number<uint32_t>();
  Bundle bundle;
  for (uint32_t index = 0; index < count && reader.ok(); ++index) {
    const auto size = reader.number<uint64_t>(), sum = reader.number<uint64_t>();
    std::string_view payload = reader.bytes(size);
    if (!reader.ok())
      break;
    if (hash64(payload) != sum)
      return damaged(fmt::format("the checksum of entry {} of {} is wrong", index + 1, count));
    Expected<BundleEntry> entry = readPayload(payload);
    if (!entry)
      return damaged(fmt::format("entry {} of {}: {}", index + 1, count, entry.error().message));
    bundle.all.push_back(std::move(*entry));
  }
  if (!reader.ok())
    return damaged(fmt::format("it ends within its {} entries", count));
  if (!reader.atEnd())
    return damaged(fmt::format("something follows its {} entries", count));
  return bundle;
}

std::string Bundle::serialize() const {
  std::string bytes(kMagic);
  appendNumber<uint32_t>(bytes, static_cast<uint32_t>(all.size()));
  for (const BundleEntry &entry : all) {
    const std::string payload = payloadOf(entry);
    appendNumber<uint64_t>(bytes, payload.size());
    appendNumber<uint64_t>(bytes, hash64(payload));
    bytes += payload;
  }
  return bytes;
}

void Bundle::add(BundleEntry entry) {
  std::erase_if(all, [&](const BundleEntry &old) {
    return old.kernel == entry.kernel && old.params == entry.params && old.hooks == entry.hooks;
  });
  all.push_back(std::move(entry));
}

Expected<const BundleEntry *> Bundle::find(std::string_view kernel, const Settings &params,
                                           const Settings &hooks) const {
  auto fits = [&](const BundleEntry &entry) {
    return entry.kernel == kernel && entry.hooks == hooks &&
           std::all_of(params.begin(), params.end(), [&](const auto &wanted) {
             auto found = entry.params.find(wanted.first);
             return found != entry.params.end() && found->second == wanted.second;
           });
  };
  const BundleEntry *found = nullptr, *other = nullptr;
  std::string there;
  for (const BundleEntry &entry : all) {
    there += (there.empty() ? "" : ", ") + entry.title();
    if (!fits(entry))
      continue;
    if (entry.params == params) // Exactly these params go before more of them; add() keeps one such entry.
      return &entry;
    (found ? other : found) = &entry;
  }
  if (other)
    return makeError(ErrorCode::InvalidArgument,
                     "{} may be {} or {} of the bundle; give the params that tell them apart",
                     titleOf(kernel, params, hooks), found->title(), other->title());
  if (found)
    return found;
  return makeError(ErrorCode::NotFound, "the bundle has no {}; it has {}", titleOf(kernel, params, hooks),
                   there.empty() ? "nothing" : there);
}

Expected<Kernel> Bundle::load(const Device &device, std::string_view kernel, const Settings &params,
                              const Settings &hooks) const {
  Expected<const BundleEntry *> entry = find(kernel, params, hooks);
  if (!entry)
    return takeError(entry);
  const LaunchMetadata &metadata = (*entry)->metadata;
  if (!device.info().runs(metadata.target, metadata.processor))
    return makeError(ErrorCode::Incompatible, "{} was compiled for {}, and {} is {}; compile it for that target",
                     (*entry)->title(), metadata.processor.empty() ? metadata.target : metadata.processor,
                     device.info().name, device.info().target());
  return Kernel::load(device, (*entry)->image, metadata);
}

} // namespace lacuna::runtime
