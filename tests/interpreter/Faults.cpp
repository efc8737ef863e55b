#include "Faults.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"

namespace lacuna::interpreter_tests {

WarpKernel compileCase(const CaseOptions &options) {
  auto kernel = compileAttention(makeCase(options).spec, {{"apart", "1"}});
  REQUIRE_MESSAGE(kernel.has_value(), kernel.error().render());
  return std::move(*kernel);
}

Error faultOf(WarpKernel &kernel, const InterpreterOptions &options, const CaseOptions &given) {
  auto report = AttentionRun(makeCase(given)).interpret(kernel, options);
  REQUIRE_MESSAGE(!report.has_value(), "the fault was not noticed");
  return report.error();
}

void checkSays(const Error &fault, std::initializer_list<const char *> parts) {
  CHECK(fault.code == ErrorCode::VerifyError);
  checkSays(fault.render(), parts);
}

void checkSays(const std::string &text, std::initializer_list<const char *> parts) {
  CAPTURE(text);
  for (const char *part : parts)
    CHECK_MESSAGE(text.find(part) != std::string::npos, part);
}

std::string findFault(WarpKernel &kernel, AttentionRun &run, uint64_t seeds) {
  for (const InterpreterOptions &schedule : schedules(seeds)) {
    auto report = run.interpret(kernel, schedule);
    if (!report)
      return report.error().render();
    if (auto wrong = run.check(); !wrong.empty())
      return wrong.front();
  }
  return "";
}

static std::string ringName(mlir::Value ring) {
  return ring.getDefiningOp<warp::RingCreateOp>().getName().str();
}

static std::string ringOf(mlir::Value slot) {
  if (auto wait = slot.getDefiningOp<warp::RingWaitOp>())
    return ringName(wait.getRing());
  return ringName(slot.getDefiningOp<warp::RingAcquireOp>().getRing());
}

std::vector<warp::RingReleaseOp> releasesOf(WarpKernel &kernel, std::string_view ring) {
  std::vector<warp::RingReleaseOp> found = kernel.findAll<warp::RingReleaseOp>();
  std::erase_if(found, [&](warp::RingReleaseOp op) { return ringOf(op.getSlot()) != ring; });
  return found;
}

std::vector<warp::RingWaitOp> waitsOf(WarpKernel &kernel, std::string_view ring) {
  std::vector<warp::RingWaitOp> found = kernel.findAll<warp::RingWaitOp>();
  std::erase_if(found, [&](warp::RingWaitOp op) { return ringName(op.getRing()) != ring; });
  return found;
}

std::vector<warp::RingFillOp> fillsOf(WarpKernel &kernel, std::string_view ring) {
  std::vector<warp::RingFillOp> found = kernel.findAll<warp::RingFillOp>();
  std::erase_if(found, [&](warp::RingFillOp op) { return ringOf(op.getSlot()) != ring; });
  return found;
}

mlir::Value constant(mlir::Operation *before, int32_t value) {
  mlir::OpBuilder builder(before);
  return builder.create<mlir::arith::ConstantIntOp>(before->getLoc(), value, 32);
}

warp::WgmmaWaitOp waitBefore(mlir::Operation *op) {
  for (op = op->getPrevNode(); op; op = op->getPrevNode())
    if (auto wait = mlir::dyn_cast<warp::WgmmaWaitOp>(op))
      return wait;
  return {};
}

} // namespace lacuna::interpreter_tests
