// Block-sparse attention as an operator: planned once for lists and a shape, run many times.
//
//   auto attention = lacuna::Attention::plan(jit, {.shape = {1, 8, 8, 128, 131072, 128, 128}}, lists);
//   auto launch = attention->bind({q, k, v, o, lse}, scale, workspace, attention->workspaceBytes());
//   auto done = launch->run(stream);
//
// Where the rows are too few to fill the GPU, or one is much longer than the others, their keys are computed in parts
// that a second launch merges (runtime/include/lacuna/Runtime/SplitRows.h says when). Parts need a workspace; without
// any, workspaceBytes() is 0. Query heads that share a KV head and have equal lists may share tiles, in one launch or
// in parts (PackHeads.h there says when); neighbouring rows of 64-row blocks with equal lists always do.
//
// q [B, H, M, D], k [B, G, N, D], v [B, G, N, DV], o [B, H, M, DV] in bf16 or f16, lse [B, H, M] in float32, natural
// logarithm. An empty row gives O = 0 and LSE = -inf.
#pragma once

#include "lacuna/Jit/Jit.h"
#include "lacuna/Runtime/BlockLists.h"

namespace lacuna {

/// What is planned for.
struct AttentionSpec {
  runtime::AttentionShape shape;
  runtime::DType dtype = runtime::DType::BF16;
  std::map<std::string, std::string> hooks = {};  ///< score, keep (kernels_dsl/attention_forward.tile)
  std::map<std::string, std::string> params = {}; ///< in place of the tile's (BM, BN) and of what is tuned (stages)
  /// Parts of the longest row, 1 to kMostSplits; none: by the rule on a GPU, 1 on the CPU.
  std::optional<int64_t> splits = {};
  /// Whether the query heads of a KV head share tiles; none: by the rule, and never with a BM of the caller's.
  std::optional<bool> pack = {};
  /// The rule stays within a workspace of so many bytes.
  int64_t workspaceLimit = int64_t(256) << 20;
};

/// The caller's memory: device pointers for a GPU, host pointers for the CPU.
struct AttentionTensors {
  runtime::TensorView q, k, v, o, lse;
};

/// An attention on certain memory. Cheap to copy. Thread safety: as JitKernel; two runs that share a workspace or
/// outputs must follow one another.
class BoundAttention {
public:
  /// GPU: one launch, or two, on `stream`; nothing is allocated or waited for. Errors: as JitKernel::launch.
  Expected<void> run(const runtime::Stream &stream) const;
  /// CPU: returns when all is done. Errors: likewise.
  Expected<void> run() const;

private:
  friend class Attention;
  struct State;
  explicit BoundAttention(std::shared_ptr<const State> state) : state(std::move(state)) {}
  std::shared_ptr<const State> state;
};

/// A planned attention. Cheap to copy; copies share the code and the tables. Thread safety: any thread may bind.
class Attention {
public:
  /// Compiles, decides on packing and parts and copies its tables to the device. Errors: InvalidArgument as
  /// BlockLists::check, chooseTile and SplitPlan::create, where heads are to be packed and cannot be, and for a param
  /// that follows from the plan (D, DV, T, QB, KB, R, L, RN); as Jit::compile; ResourceExhausted where the device's
  /// memory is too small.
  static Expected<Attention> plan(const Jit &jit, const AttentionSpec &spec, const runtime::BlockLists &lists);

  /// Parts of the longest row; 1: one kernel runs alone.
  int64_t splits() const;
  /// The heads and queries of a program's rows, and the keys of a step. With one head, heads are not packed.
  runtime::PackedTile tile() const;
  /// Why heads are packed or not, a phrase.
  const std::string &packing() const;
  /// Of attention_forward or attention_packed, or of the parts.
  const runtime::LaunchMetadata &metadata() const;
  /// The workspace that bind() wants; its address is a multiple of SplitPlan::kAlignment bytes.
  size_t workspaceBytes() const;

  /// The workspace must stay valid as long as a run may use it, and may hold other things between runs. Errors:
  /// InvalidArgument, by name, for a tensor that is not as planned and for a workspace that is too small or misaligned.
  Expected<BoundAttention> bind(const AttentionTensors &tensors, float scale, void *workspace = nullptr,
                                size_t workspaceBytes = 0) const;

private:
  friend class BoundAttention;
  struct State;
  explicit Attention(std::shared_ptr<const State> state) : state(std::move(state)) {}
  std::shared_ptr<const State> state;
};

} // namespace lacuna
