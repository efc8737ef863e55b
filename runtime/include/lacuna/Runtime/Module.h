//===- Module.h - Loaded code and its kernels -------------------*- C++ -*-===//
//
// A Module is a cubin or a PTX text loaded into a device's context; PTX is assembled by the driver at that moment. A
// Function is one entry point in it. Both are what Kernel (Kernel.h) is made of.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_MODULE_H
#define LACUNA_RUNTIME_MODULE_H

#include "lacuna/Runtime/Device.h"

#include <span>
#include <string>
#include <string_view>

namespace lacuna::runtime {

class Function;

/// Code in a device's context, unloaded with the last handle to it. Functions keep their module alive.
/// Thread safety: immutable; any number of threads.
class Module {
public:
  /// Loads a cubin or a PTX text, told apart by their first bytes, from memory that may be freed afterwards.
  /// Errors: Incompatible where the image is for another GPU or a newer driver, with both named and, for PTX, the
  /// assembler's log as notes; InvalidArgument for an empty image; else as Driver::check.
  static Expected<Module> load(const Device &device, std::string_view image);

  /// The entry point `symbol`. Errors: NotFound.
  Expected<Function> function(const std::string &symbol) const;

  const Device &device() const;
  /// What the driver's assembler remarked while it assembled PTX; empty for a cubin.
  const std::string &assemblerLog() const;

private:
  struct State;
  explicit Module(std::shared_ptr<const State> state) : state(std::move(state)) {}
  std::shared_ptr<const State> state;
};

/// An entry point with its resources. Thread safety: immutable apart from allowShared; any number of threads.
class Function {
public:
  cu::Function handle() const { return function; }
  const Module &module() const { return owner; }
  const std::string &symbol() const { return name; }

  int registers() const { return numRegisters; }               ///< a thread, at entry
  int64_t localBytes() const { return numLocalBytes; }         ///< a thread; more than 0 means stack or spills
  int64_t staticSharedBytes() const { return numSharedBytes; } ///< a CTA
  int maxThreads() const { return threadLimit; }               ///< a CTA, for these registers

  /// Allows launches with `bytes` of dynamic shared memory. Errors: ResourceExhausted with the bytes asked for, the
  /// device's limit and what to lower.
  Expected<void> allowShared(int64_t bytes);

private:
  friend class Module;
  Function(Module module, std::string symbol, cu::Function handle)
      : owner(std::move(module)), name(std::move(symbol)), function(handle) {}
  Module owner;
  std::string name;
  cu::Function function;
  int numRegisters = 0, threadLimit = 0;
  int64_t numLocalBytes = 0, numSharedBytes = 0;
};

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_MODULE_H
