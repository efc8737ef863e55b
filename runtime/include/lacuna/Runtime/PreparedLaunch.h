//===- PreparedLaunch.h - A launch that is checked once ---------*- C++ -*-===//
//
// Kernel::launch checks every argument each time. Where the same kernel runs many times on tensors of the same shapes,
// a PreparedLaunch checks and packs them once, encodes the tensor maps and looks up what the stream needs; run() then
// only enqueues. What changes from run to run is put in place by set(), which checks that argument alone:
//
//   Expected<PreparedLaunch> step = kernel.prepare(stream, arguments);
//   for (;;) {
//     if (auto done = step->set(0, nextQueries); !done) ...   // another tensor of the same shape and strides
//     if (auto done = step->run(); !done) ...
//   }
//
// **CUDA graphs.** run() may be captured; the graph holds the arguments as they were then. A persistent kernel takes
// its programs from a counter that belongs to the stream, which a graph, free to run beside other work, must not use:
// run() asks the driver whether the stream is being captured and then deals programs in fixed turns. That is the one
// question that run() asks, and only for persistent kernels. Prepare outside the capture where it matters that the
// capture is short; preparing within it is allowed, since nothing is allocated on the device or enqueued.
//
// **Several devices.** A kernel is loaded on one device, and its launches run there, whichever context the calling
// thread has.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_PREPAREDLAUNCH_H
#define LACUNA_RUNTIME_PREPAREDLAUNCH_H

#include "lacuna/Runtime/CpuKernel.h"
#include "lacuna/Runtime/Kernel.h"

#include <memory>

namespace lacuna::runtime {

class BoundArguments;

/// A GPU kernel with its arguments and its stream. Keeps the code loaded; the memory and the stream are the caller's
/// and must outlive each run. Move-only. Thread safety: run() from any number of threads; set() and setStream() while
/// no other call is made.
class PreparedLaunch {
public:
  PreparedLaunch(PreparedLaunch &&) noexcept;
  PreparedLaunch &operator=(PreparedLaunch &&) noexcept;
  ~PreparedLaunch();

  /// Enqueues the kernel on the stream it was prepared for. Allocates, waits for and checks nothing. Errors: as
  /// Driver::check.
  Expected<void> run() const;
  /// The same on another stream of the device; a persistent kernel asks the driver for that stream's number as well.
  /// Errors: InvalidArgument for a stream of another device; as Driver::check.
  Expected<void> run(const Stream &stream) const;

  /// Puts `data` in place of the memory of view `index`, with the shape and strides that it was prepared with.
  /// Errors: InvalidArgument by the argument's name for an index that is no view, a null pointer or an alignment that
  /// the kernel cannot use (the launch is as it was before); as Driver::check where a tensor map is encoded again.
  Expected<void> set(size_t index, void *data);
  /// Puts another list, of any number of entries, in place of list `index`. Errors: likewise.
  Expected<void> set(size_t index, const BlockListView &list);
  /// Puts another scalar in place of scalar `index`. Errors: likewise.
  Expected<void> set(size_t index, float value);
  Expected<void> set(size_t index, int32_t value);
  /// Persistent kernels: the order in which programs start (LaunchOptions::order); others ignore it.
  void setOrder(const int32_t *order);
  /// Runs on `stream` from now on. Errors: as run(stream).
  Expected<void> setStream(const Stream &stream);

  /// The dimensions and the grid of programs.
  const LaunchBounds &bounds() const;
  const LaunchMetadata &metadata() const;

private:
  friend class Kernel;
  struct State;
  explicit PreparedLaunch(std::unique_ptr<State> state);
  std::unique_ptr<State> state;
};

/// A CPU kernel with its arguments; views hold host pointers. Move-only. Thread safety: as PreparedLaunch.
class PreparedCpuLaunch {
public:
  PreparedCpuLaunch(PreparedCpuLaunch &&) noexcept;
  PreparedCpuLaunch &operator=(PreparedCpuLaunch &&) noexcept;
  ~PreparedCpuLaunch();

  /// Runs every program of the grid and returns when all are done.
  void run() const;

  /// As PreparedLaunch::set. Errors: InvalidArgument.
  Expected<void> set(size_t index, void *data);
  Expected<void> set(size_t index, const BlockListView &list);
  Expected<void> set(size_t index, float value);
  Expected<void> set(size_t index, int32_t value);

  const LaunchBounds &bounds() const;
  const LaunchMetadata &metadata() const;

private:
  friend class CpuKernel;
  struct State;
  explicit PreparedCpuLaunch(std::unique_ptr<State> state);
  std::unique_ptr<State> state;
};

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_PREPAREDLAUNCH_H
