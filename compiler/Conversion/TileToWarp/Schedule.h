// What a kernel's schedule asks of tile-to-warp, read from the attribute `schedule` of its tile.func.
#pragma once

#include "lacuna/Dialect/Tile/IR/Tile.h"
#include "lacuna/Dialect/Warp/IR/Warp.h"

#include <optional>

namespace lacuna {

struct KernelPlan;

class Schedule {
public:
  explicit Schedule(tile::FuncOp func);

  /// Whether the products of other steps may run beside `dot`. Without a schedule this is tried for each loop's first
  /// product.
  bool overlaps(tile::DotOp dot) const;
  /// Slots of the ring that `load` belongs to, where the schedule says.
  std::optional<int64_t> ringDepth(tile::LoadOp load) const;
  /// Whether thread blocks run one program after another; so without a schedule.
  bool isPersistent() const { return !has("one_program"); }
  /// Whether one program's products may run beside the end of the one before; so without a schedule.
  bool overlapsPrograms() const { return isPersistent() && !has("separate_programs"); }
  /// Whether consumer warpgroups take turns to issue products.
  bool takesTurns() const { return has("pingpong"); }
  /// Whether masked steps may run in a loop of their own; so without a schedule.
  bool splitsMasked() const { return !has("no_split"); }
  /// How tiles of 16-bit elements are stored; without a word, by TMA where it can.
  bool storesDirectly() const { return word("epilogue") == "direct"; }
  bool asksForCopies() const { return word("epilogue") == "tma"; }
  std::optional<int64_t> consumers() const { return integer("consumers"); }
  std::optional<int64_t> consumerRegisters() const { return integer("consumer_regs"); }
  std::optional<int64_t> producerRegisters() const { return integer("producer_regs"); }

  /// Hands on to `target` what later passes do, and notes there (warp.decisions) what this kernel cannot follow.
  void apply(const KernelPlan &plan, tile::FuncOp source, warp::FuncOp target) const;

private:
  void notePrograms(const KernelPlan &plan, warp::FuncOp target) const;
  void noteProducts(const KernelPlan &plan, tile::FuncOp source, warp::FuncOp target) const;
  void noteRings(const KernelPlan &plan, tile::FuncOp source, warp::FuncOp target) const;
  void noteRegisters(const KernelPlan &plan, warp::FuncOp target) const;
  bool has(llvm::StringRef name) const { return entries && entries.contains(name); }
  llvm::StringRef word(llvm::StringRef name) const;
  std::optional<int64_t> integer(llvm::StringRef name) const;

  mlir::DictionaryAttr entries; // null: no schedule
};

} // namespace lacuna
