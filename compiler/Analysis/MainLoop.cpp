#include "MainLoop.h"

using namespace mlir;

namespace lacuna {

std::optional<StepWalk> walkMainLoop(warp::FuncOp func) {
  std::optional<StepWalk> best;
  func.walk([&](scf::ForOp loop) {
    warp::RoleOp role = warp::getRole(loop);
    if (!role || role.getKind() != warp::RoleKind::Consumer)
      return;
    if (loop.getBody()->walk([](scf::ForOp) { return WalkResult::interrupt(); }).wasInterrupted())
      return;
    StepWalk step(loop);
    // Equal work for the tensor cores: the loop of the steps without masks has fewer instructions and comes last.
    if (!best || step.tensor > best->tensor ||
        (step.tensor == best->tensor && (step.tensor > 0 || step.registers.issued >= best->registers.issued)))
      best = std::move(step);
  });
  return best;
}

} // namespace lacuna
