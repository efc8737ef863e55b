//===- LaunchTimes.h - How long launches take on a GPU ----------*- C++ -*-===//

#ifndef LACUNA_RUNTIME_LAUNCHTIMES_H
#define LACUNA_RUNTIME_LAUNCHTIMES_H

#include "lacuna/Runtime/Device.h"

#include <functional>
#include <vector>

namespace lacuna::runtime {

/// Calls `enqueue`, which puts work into `stream`, `count` times with an event on both sides of each, and waits for
/// all; the milliseconds of each call's work. Work is enqueued ahead, so that the host's share does not count, but for
/// that of the first calls. Errors: those of `enqueue`, and as Event and Stream::synchronize.
Expected<std::vector<double>> timeLaunches(const Stream &stream, int count,
                                           const std::function<Expected<void>()> &enqueue);

/// The median; of an even number of values, the mean of the middle two. There must be one at least.
double median(std::vector<double> values);

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_LAUNCHTIMES_H
