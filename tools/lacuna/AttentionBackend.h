//===- AttentionBackend.h - What `lacuna attention` asks for ----*- C++ -*-===//
//
// The command prepares data, launches, checks and measures; compiling is somebody else's: it asks an AttentionBackend.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_TOOLS_ATTENTIONBACKEND_H
#define LACUNA_TOOLS_ATTENTIONBACKEND_H

#include "lacuna/Runtime/AttentionShape.h"
#include "lacuna/Runtime/CpuKernel.h"
#include "lacuna/Runtime/Kernel.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace lacuna::tools {

/// The kernel of attention_forward.tile or attention_packed.tile, or one of the two of attention_split.tile.
enum class LibraryKernel { Forward, Packed, Parts, Merge };

/// A library kernel, specialised.
struct AttentionRequest {
  LibraryKernel kernel = LibraryKernel::Forward;
  /// The kernel's text in place of the library's; empty: the library's.
  std::string source;
  /// Names and values of params, in the order of the kernel's file.
  std::vector<std::pair<std::string, std::string>> params;
  /// What the tuner chose beside params, such as `stages`; of the kernel that was tuned alone.
  std::vector<std::pair<std::string, std::string>> choices;
  /// Names and bodies of hooks, and `rows` with a pattern in place of the lists; empty where the kernel's own are
  /// meant.
  std::vector<std::pair<std::string, std::string>> hooks;
  /// The launches will pass a scale above 0, which the compiler may rely on.
  bool positiveScale = true;
  /// The GPU to compile for and load on; none: the CPU.
  std::optional<runtime::Device> device;
  std::string target; ///< what to compile for on that GPU; empty: what it is best at
  /// The threads of a CPU kernel.
  std::shared_ptr<runtime::ThreadPool> pool;
};

/// The params of the kernel, in the order of its file, for head dimensions, a type, the lists' block and a tile.
std::vector<std::pair<std::string, std::string>> attentionParams(int64_t headDim, int64_t valueDim,
                                                                 runtime::DType dtype, int64_t queryBlock,
                                                                 int64_t keyBlock, runtime::AttentionTile tile);
/// The same for the packed kernel.
std::vector<std::pair<std::string, std::string>> packedParams(int64_t headDim, int64_t valueDim, runtime::DType dtype,
                                                              int64_t queryBlock, int64_t keyBlock,
                                                              runtime::PackedTile tile);

/// What the compiler says a kernel can reach on a GPU: an upper limit (docs/performance.md, "What a report says").
struct Prediction {
  double tensorFraction = 0; ///< of the tensor cores' peak
  std::string boundBy;
  double stepMicroseconds = 0; ///< a step of one thread block
  double microseconds = 0;     ///< the launch; 0 until its lists are known
};

/// What was compiled and loaded. The arguments of attention_forward and attention_packed are q, k, v, rows, o, lse,
/// scale, without rows where a hook `rows` puts a pattern in their place; those of the others are SplitPlan's.
struct CompiledAttention {
  std::variant<runtime::Kernel, runtime::CpuKernel> code;
  std::string cached = "none";                         ///< where it was found: memory, disk, or none: it was compiled
  std::vector<std::pair<std::string, double>> stageMs; ///< milliseconds of each stage that ran, in order
  std::optional<Prediction> predicted = {};            ///< nothing on a CPU

  const runtime::LaunchMetadata &metadata() const {
    return std::visit([](const auto &kernel) -> const runtime::LaunchMetadata & { return kernel.metadata(); }, code);
  }
};

/// What the caller has left open, and what it knows.
struct TileQuestion {
  runtime::AttentionShape shape;
  runtime::DType dtype = runtime::DType::BF16;
  std::string pattern; ///< as Pattern::parse takes it
  std::string keep;    ///< its hook; empty: no mask
  /// The lists' block where the caller gave one; else lists follow the tile.
  std::optional<runtime::AttentionTile> block = {};
  runtime::AttentionTile untold;         ///< what runs where nothing better is known
  std::optional<runtime::Device> device; ///< none: the CPU
  std::string target;                    ///< as AttentionRequest::target
  int threads = 1;                       ///< of a CPU
};

/// The tile to run with, and what else the tuner varies.
struct TileAnswer {
  runtime::AttentionTile tile;
  std::vector<std::pair<std::string, std::string>> choices; ///< AttentionRequest::choices
  std::string origin;                                       ///< a phrase: who chose it
};

/// Compiles and loads the attention kernel. Thread safety: one thread at a time.
class AttentionBackend {
public:
  virtual ~AttentionBackend() = default;
  /// The tile that was measured to be the best, or that the cost model prefers; nothing: the caller's own choice is as
  /// good. Errors: as the compiler's.
  virtual Expected<std::optional<TileAnswer>> chooseTile(const TileQuestion &question) {
    return std::optional<TileAnswer>();
  }
  virtual Expected<CompiledAttention> compile(const AttentionRequest &request) = 0;
};

} // namespace lacuna::tools

#endif // LACUNA_TOOLS_ATTENTIONBACKEND_H
