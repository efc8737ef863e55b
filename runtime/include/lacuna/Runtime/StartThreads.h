//===- StartThreads.h - As many threads as can be had -----------*- C++ -*-===//

#ifndef LACUNA_RUNTIME_STARTTHREADS_H
#define LACUNA_RUNTIME_STARTTHREADS_H

#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace lacuna::runtime {

/// Starts `count` threads that run `work`, or as many as the system gives (a limit on processes or on memory), which
/// the process's first shortage tells as a warning. There may be none: a caller that must get on works itself, too.
/// The caller joins them.
[[nodiscard]] std::vector<std::thread> startThreads(size_t count, const std::function<void()> &work);

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_STARTTHREADS_H
