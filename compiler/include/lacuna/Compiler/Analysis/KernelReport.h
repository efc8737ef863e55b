// What the compile report says about a kernel: its structure, what the machine makes of it, and what a step must cost.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lacuna {

/// Shared memory that a producer fills and consumers empty in turn. Bytes include the barriers.
struct RingUse {
  std::string name;
  int64_t depth, rows, columns, bytes;
};

/// One product of a step: 64 rows a warpgroup, `columns` wide, a sum over `terms`.
struct ProductUse {
  int64_t columns, terms;
  bool aInRegisters;
};

struct KernelStructure {
  int64_t consumerWarpgroups = 0;
  int64_t producerRegisters = 0, consumerRegisters = 0; ///< a thread, inside of the roles
  bool persistent = false;
  int64_t blocksPerMultiprocessor = 1;
  std::vector<RingUse> rings;
  std::vector<ProductUse> products; ///< of one step and warpgroup, in order
  bool overlap = false;             ///< a step computes in registers while a product of its runs
  bool turns = false;               ///< warpgroups take turns to issue products
  bool maskedSplit = false;         ///< masked steps run in a loop of their own
};

/// Thread blocks that a multiprocessor holds at once, and what there is not enough of for one more; of shared memory it
/// has `sharedMemory` bytes.
/// **Source:** CUDA C++ Programming Guide, technical specifications of compute capabilities 8.0 and 9.0.
struct Occupancy {
  int64_t blocks = 0, warps = 0;
  std::string limitedBy; ///< "registers", "shared memory", "threads", "thread blocks"
};
Occupancy occupancyOf(int64_t threads, int64_t registersPerThread, int64_t sharedBytes, int64_t sharedMemory);

/// The clock that the rates of the data sheet go with; under load it is lower.
constexpr double kClockMegahertz = 1830;

/// One step of the kernel's main loop, as cycles of a multiprocessor for one thread block: how long each unit is busy
/// when nothing ever waits for it. The loop is the innermost one with the most work for the tensor cores; of equal ones
/// the last, which is the one without masks. Where a step asks whether it needs masks, it is taken not to.
///
/// What is left out (waiting for memory, the rows' first and last steps, the power limit's clock) only adds time: the
/// prediction is an upper limit of the rate.
///
/// Counted, with the rate of a multiprocessor and its **Source**:
/// - tensor cores: 2 * 64 * N * 16 operations for each wgmma m64nNk16; 4,096 a cycle, so N / 2 cycles. Data sheet of
/// the
///   H100 and H200: 989.4 TFLOP/s of dense 16-bit products / (132 multiprocessors * 1.83 GHz).
/// - shared memory: the operands that each wgmma reads there (A: 2,048 bytes, B: 32 * N), and what copies write; 128
/// bytes
///   a cycle. CUDA C++ Programming Guide, shared memory (32 banks of 4 bytes).
/// - special functions: exponentials, logarithms, reciprocals, roots; 16 a cycle. The same, arithmetic instructions.
/// - issue slots: instructions of a thread; one a cycle for a whole warpgroup, whose four warps have a scheduler each.
/// The
///   same, compute capability 9.0. The count is an estimate, made on the `warp` IR.
/// - copies: bytes that the copy engine brings; 40 a cycle. Measured on an H200: 9.2 TB/s out of the L2 cache / (132 *
///   1.75 GHz).
/// - dependences: one warpgroup alone, its waits for products included; all warpgroups of a multiprocessor go through
///   theirs meanwhile.
///
/// On sm_80 the tensor cores do 2,048 operations a cycle (data sheet of the A100: 312 TFLOP/s / (108 multiprocessors *
/// 1.41 GHz)), each of a warpgroup's four warps reads B by itself, a warp waits for its products, and the L2 cache
/// brings 47 bytes a cycle (A100 architecture white paper: 5,120 bytes a cycle for the GPU). Other GPUs that run this
/// code have other ratios.
struct StepCost {
  double tensor = 0, shared = 0, special = 0, issue = 0, copies = 0;
  double chain = 0;          ///< cycles from a step's begin to its end, of one warpgroup alone on the multiprocessor
  int64_t copiedBytes = 0;   ///< a thread block
  double cycles = 0;         ///< of a multiprocessor for one thread block's step: the largest of the above
  std::string boundBy;       ///< one of the names above
  double tensorFraction = 0; ///< tensor / cycles: the highest share of the tensor cores' peak that the loop can reach
};

/// Thread safety: a value.
struct KernelReport {
  std::vector<std::string> decisions; ///< what the passes chose or refused, and why
  std::optional<KernelStructure> structure;
  std::optional<StepCost> step; ///< nothing: the kernel has no loop
  std::optional<Occupancy> occupancy;
};

} // namespace lacuna
