//===- Recorder.h - What a profiler hears of NVTX ranges -------*- C++ -*-===//
//
// libnvtxrecorder.so is loaded as profilers are, by NVTX_INJECTION64_PATH. A test that is linked to it reads what it
// heard in events(), in the order in which it happened:
//
//   lacuna: + compile scale D=32       a range of the domain "lacuna" begins
//   lacuna: -                          the innermost one of its thread ends
//
// In any other process NVTX_RECORDER_LOG=FILE makes it add the same lines to a file.
// Thread safety: any thread.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_TESTS_NVTXRECORDER_H
#define LACUNA_TESTS_NVTXRECORDER_H

#include <string>
#include <vector>

namespace lacuna::recorder {

/// What was heard since the last call, of all threads.
std::vector<std::string> takeEvents();

/// How many texts have been registered for repeated use.
int registeredTexts();

} // namespace lacuna::recorder

#endif // LACUNA_TESTS_NVTXRECORDER_H
