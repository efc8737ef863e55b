#include "lacuna/Runtime/Module.h"
#include "lacuna/Runtime/Log.h"

#include <array>
#include <cstring>

namespace lacuna::runtime {

struct Module::State {
  Device device;
  cu::Module module = nullptr;
  std::string log;

  explicit State(Device device) : device(std::move(device)) {}
  ~State() {
    if (!module)
      return;
    ContextGuard guard(device);
    (void)device.driver().cuModuleUnload(module);
  }
};

namespace {

constexpr size_t kLogBytes = 16384;
constexpr std::string_view kElfMagic = "\x7f"
                                       "ELF";

/// The driver writes logs into a buffer of ours, with or without a final zero.
std::string textOf(const std::array<char, kLogBytes> &buffer) {
  std::string text(buffer.data(), strnlen(buffer.data(), buffer.size()));
  while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
    text.pop_back();
  return text;
}

} // namespace

Expected<Module> Module::load(const Device &device, std::string_view image) {
  if (image.empty())
    return makeError(ErrorCode::InvalidArgument, "an empty image was given to load; give a cubin or a PTX text");
  bool isCubin = image.substr(0, kElfMagic.size()) == kElfMagic;
  // PTX is text up to a zero byte, which a string_view need not have behind it.
  std::string terminated;
  if (!isCubin)
    terminated.assign(image);

  auto infoLog = std::make_unique<std::array<char, kLogBytes>>(),
       errorLog = std::make_unique<std::array<char, kLogBytes>>();
  infoLog->fill(0);
  errorLog->fill(0);
  auto asPointer = [](size_t value) { return reinterpret_cast<void *>(value); };
  cu::JitOption options[] = {cu::InfoLogBuffer, cu::InfoLogBufferSize, cu::ErrorLogBuffer, cu::ErrorLogBufferSize};
  void *values[] = {infoLog->data(), asPointer(kLogBytes), errorLog->data(), asPointer(kLogBytes)};

  auto state = std::make_shared<State>(device);
  const Driver &driver = device.driver();
  ContextGuard guard(device);
  cu::Result result = driver.cuModuleLoadDataEx(&state->module, isCubin ? image.data() : terminated.c_str(),
                                                std::size(options), options, values);
  state->log = textOf(*infoLog);
  if (Expected<void> done = driver.check(result, fmt::format("loading {} of {} bytes on {} ({}, driver for CUDA {}.{})",
                                                             isCubin ? "a cubin" : "PTX", image.size(),
                                                             device.info().name, device.info().target(),
                                                             driver.version() / 1000, driver.version() % 1000 / 10));
      !done) {
    state->module = nullptr;
    Error error = std::move(done.error());
    if (std::string text = textOf(*errorLog); !text.empty())
      error.notes.push_back("the driver's assembler says: " + text);
    if (error.code == ErrorCode::Incompatible)
      error.notes.push_back("compile for this GPU's target, or update the driver if the PTX is newer than it");
    return tl::unexpected(std::move(error));
  }
  if (!state->log.empty())
    log("driver", LogLevel::Debug, "the driver's assembler: {}", state->log);
  return Module(std::move(state));
}

const Device &Module::device() const {
  return state->device;
}
const std::string &Module::assemblerLog() const {
  return state->log;
}

Expected<Function> Module::function(const std::string &symbol) const {
  const Device &device = state->device;
  const Driver &driver = device.driver();
  ContextGuard guard(device);
  Function function(*this, symbol, nullptr);
  std::string action = fmt::format("looking for the kernel '{}' in a loaded module", symbol);
  auto attribute = [&](cu::FunctionAttribute which, auto &value) -> Expected<void> {
    int result = 0;
    Expected<void> done = driver.check(driver.cuFuncGetAttribute(&result, which, function.function), action);
    value = result;
    return done;
  };
  Expected<void> done =
      driver.check(driver.cuModuleGetFunction(&function.function, state->module, symbol.c_str()), action)
          .and_then([&] { return attribute(cu::NumRegisters, function.numRegisters); })
          .and_then([&] { return attribute(cu::LocalBytes, function.numLocalBytes); })
          .and_then([&] { return attribute(cu::StaticSharedBytes, function.numSharedBytes); })
          .and_then([&] { return attribute(cu::MaxThreadsPerBlock, function.threadLimit); });
  if (!done)
    return takeError(done);
  return function;
}

Expected<void> Function::allowShared(int64_t bytes) {
  const Device &device = owner.device();
  int64_t limit = device.info().sharedBytesPerBlock - numSharedBytes;
  if (bytes < 0 || bytes > limit)
    return makeError(
        ErrorCode::ResourceExhausted,
        "kernel '{}' needs {} bytes of shared memory, and {} allows {}; lower the tile sizes (BM, BN) or the "
        "number of stages",
        name, bytes, device.info().name, limit);
  ContextGuard guard(device);
  return device.driver().check(
      device.driver().cuFuncSetAttribute(function, cu::MaxDynamicSharedBytes, static_cast<int>(bytes)),
      fmt::format("allowing kernel '{}' {} bytes of shared memory", name, bytes));
}

} // namespace lacuna::runtime
