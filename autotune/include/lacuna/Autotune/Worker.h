//===- Worker.h - Work in child processes -----------------------*- C++ -*-===//
//
// A candidate may crash the compiler, the assembler or the GPU's context, or never end. So it is compiled and run in a
// child process, a *worker*, which reads requests and writes replies, one JSON object a line, on its standard input and
// output. One that dies or does not answer in time is killed with its children and replaced; that costs its request
// alone. Workers end when their tuner does.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_AUTOTUNE_WORKER_H
#define LACUNA_AUTOTUNE_WORKER_H

#include "lacuna/Autotune/Measurer.h"

#include <nlohmann/json.hpp>

#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace lacuna::autotune {

using Json = nlohmann::ordered_json;

/// One child process, started when it is first asked. Thread safety: one thread, which must live as long as the worker.
class Worker {
public:
  /// `command` is a program and its arguments.
  /// Where `stopped` comes to hold, nothing is waited for any longer: a request fails as if its time were over.
  explicit Worker(std::vector<std::string> command, std::function<bool()> stopped = {})
      : command(std::move(command)), stopped(std::move(stopped)) {}
  ~Worker() { stop(); }
  Worker(const Worker &) = delete;
  Worker &operator=(const Worker &) = delete;

  /// Sends a request and waits for its reply. A reply {"error": CODE, "message": TEXT} becomes that error.
  /// Errors: ToolFailed where the worker died, or did not answer within `limit`: it is gone then, and the next request
  /// starts another; Unavailable where it cannot be started.
  Expected<Json> ask(const Json &request, std::chrono::milliseconds limit);

  /// How often a process was started: what an earlier one knew is lost.
  int starts() const { return started; }
  bool isRunning() const { return process > 0; }
  /// Kills the process, if there is one.
  void stop();

private:
  Expected<void> start();
  Expected<std::string> readLine(TimePoint deadline);
  bool isStopped() const { return stopped && stopped(); }
  /// Waits until the socket is ready for `events`, or closed; false: not before the deadline.
  bool waitFor(short events, TimePoint deadline) const;
  /// The status of the process, if it ends before the deadline.
  std::optional<int> waitForEnd(TimePoint deadline) const;
  /// What the process said last on its standard error.
  std::string lastWords() const;

  std::vector<std::string> command;
  std::function<bool()> stopped;
  pid_t process = -1;
  int socket = -1, errors = -1;
  std::string received;
  int started = 0;
};

/// Gives requests to several workers at once.
class WorkerPool {
public:
  WorkerPool(std::vector<std::string> command, int workers, std::function<bool()> stopped = {})
      : command(std::move(command)), workers(workers), stopped(std::move(stopped)) {}

  /// Asks every request, in order as workers become free; none is begun after `deadline`, or once `stopped` holds.
  /// `sink` gets each reply or error, one call at a time.
  void run(const std::vector<Json> &requests, std::chrono::milliseconds limit, TimePoint deadline,
           const std::function<void(size_t, Expected<Json>)> &sink) const;

private:
  std::vector<std::string> command;
  int workers;
  std::function<bool()> stopped;
};

} // namespace lacuna::autotune

#endif // LACUNA_AUTOTUNE_WORKER_H
