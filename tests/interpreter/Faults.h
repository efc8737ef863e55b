// Kernels that are right, damaged in one place: what is planted, and what must be said of it.
#pragma once

#include "Harness.h"

#include <doctest/doctest.h>

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace lacuna::interpreter_tests {

// Programs stay apart; ProgramsTest has what can go wrong where they meet.
// One program of two warpgroups and three steps, two partial and one full; rings k and v have two slots.
inline constexpr CaseOptions kFaultCase{.D = 64, .BM = 128, .BN = 64, .M = 100, .N = 190, .mask = "causal"};

/// The case's kernel as it should be, programs apart.
WarpKernel compileCase(const CaseOptions &options = kFaultCase);

/// What is reported of a damaged kernel. A test fails where nothing is.
Error faultOf(WarpKernel &kernel, const InterpreterOptions &options = {}, const CaseOptions &given = kFaultCase);

/// The fault is one of the kernel, and its message has all these parts.
void checkSays(const Error &fault, std::initializer_list<const char *> parts);
void checkSays(const std::string &text, std::initializer_list<const char *> parts);

/// What the first of several orders of events reports of `kernel`, or what is wrong with its result; empty: nothing.
std::string findFault(WarpKernel &kernel, AttentionRun &run, uint64_t seeds);

// Ops of the ring of that name.
std::vector<warp::RingReleaseOp> releasesOf(WarpKernel &kernel, std::string_view ring);
std::vector<warp::RingWaitOp> waitsOf(WarpKernel &kernel, std::string_view ring);
std::vector<warp::RingFillOp> fillsOf(WarpKernel &kernel, std::string_view ring);

/// A 32-bit constant in front of an op.
mlir::Value constant(mlir::Operation *before, int32_t value);
/// The wgmma_wait that stands before `op` in its block.
warp::WgmmaWaitOp waitBefore(mlir::Operation *op);

/// Mutants: damages each `Op` of the case's kernel by itself, where `damage` says that it did. Each must be noticed in
/// one of the orders of events of schedules(seeds), with `wanted` in the message; undamaged, the kernel is right.
template <class Op>
void checkAllNoticed(const CaseOptions &options, uint64_t seeds, const std::function<bool(Op)> &damage,
                     std::string_view wanted = {}) {
  const numeric::AttentionCase attention = makeCase(options);
  AttentionRun run(attention);
  size_t damaged = 0;
  for (size_t index = 0;; ++index) {
    auto kernel = compileAttention(attention.spec);
    REQUIRE_MESSAGE(kernel.has_value(), kernel.error().render());
    if (index == 0) {
      auto report = run.interpret(*kernel, {});
      REQUIRE_MESSAGE(report.has_value(), report.error().render());
      REQUIRE(run.check().empty());
    }
    Op op = kernel->find<Op>(index);
    if (!op)
      break;
    if (!damage(op))
      continue;
    ++damaged;
    const std::string fault = findFault(*kernel, run, seeds);
    CAPTURE(index);
    CAPTURE(fault);
    CHECK(!fault.empty());
    CHECK(fault.find(wanted) != std::string::npos);
  }
  CHECK(damaged > 0);
}

} // namespace lacuna::interpreter_tests
