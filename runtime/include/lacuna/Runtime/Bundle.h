//===- Bundle.h - Compiled kernels in one file ------------------*- C++ -*-===//
//
// A bundle is what a program ships that launches finished kernels: `lacuna bundle` compiles them into it, the runtime
// loads them from it, and no compiler is needed in between.
//
//   Expected<Bundle> bundle = Bundle::read("kernels.lacb");
//   Expected<Kernel> kernel = bundle->load(device, "attention_forward", {{"D", "128"}, {"T", "bf16"}});
//
// The file, numbers little-endian:
//
//   bundle  := "LACBUND1" count:u32 entry*
//   entry   := size:u64 checksum:u64 payload        size bytes of payload, and XXH3 of them
//   payload := text(kernel) settings(params) settings(hooks) text(metadata) text(image)
//   settings := count:u32 (text(name) text(value))*
//   text    := size:u64 bytes
//
// The metadata is LaunchMetadata::toJson, the image a cubin or PTX. Reading checks all of it: a file that is cut,
// changed or of another version is refused as a whole. The checksum finds accidents; who may write the file may run
// code on the GPU.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_BUNDLE_H
#define LACUNA_RUNTIME_BUNDLE_H

#include "lacuna/Runtime/Kernel.h"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lacuna::runtime {

/// Names and values, as they were given to the compiler.
using Settings = std::map<std::string, std::string>;

/// One compiled kernel. `params` and `hooks` are those that were given to the compiler; the others have their defaults.
struct BundleEntry {
  std::string kernel;
  Settings params, hooks;
  LaunchMetadata metadata;
  std::string image;

  /// "attention_forward (D = 128, T = bf16; keep = causal)".
  std::string title() const;
};

/// Thread safety: a plain value.
class Bundle {
public:
  /// Reads a file of at most 1 GiB. Errors: NotFound; InvalidArgument for what is no regular file or too large; as
  /// parse.
  static Expected<Bundle> read(const std::string &path);
  /// Reads `bytes`; `name` is for messages. Errors: ParseError for what is no bundle of this version or is damaged.
  static Expected<Bundle> parse(std::string_view bytes, std::string_view name);

  std::string serialize() const;
  /// Replaces the file at once: a reader sees the old one or the new one. Errors: Unavailable with the reason.
  Expected<void> write(const std::string &path) const;

  /// Adds an entry, in place of one of the same kernel, params and hooks.
  void add(BundleEntry entry);
  std::span<const BundleEntry> entries() const { return all; }

  /// The entry of `kernel` that has all these params and exactly these hooks. Errors: NotFound, with what there is;
  /// InvalidArgument where several have them.
  Expected<const BundleEntry *> find(std::string_view kernel, const Settings &params = {},
                                     const Settings &hooks = {}) const;
  /// Finds and loads. Errors: as find and Kernel::load; Incompatible for a device of another target.
  Expected<Kernel> load(const Device &device, std::string_view kernel, const Settings &params = {},
                        const Settings &hooks = {}) const;

private:
  std::vector<BundleEntry> all;
};

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_BUNDLE_H
