//===- AttentionBench.h - The attention kernel behind a C interface -*- C++ -*-===//
//
// What benchmarks/ours.py calls through ctypes, so that our kernel runs in the process, on the stream and in the memory
// of the peers that it is measured beside.
//
//   lacuna_bench_session *session;   lacuna_bench_open(0, &session)
//   lacuna_bench_kernel *kernel;     lacuna_bench_compile(session, &spec, &kernel)
//   lacuna_bench_launch *launch;     lacuna_bench_bind(kernel, q, k, v, &lists, o, lse, scale, &launch)
//   lacuna_bench_run(launch, stream)
//
// A function that returns int gives 0, or 1 where it failed; lacuna_bench_error() then says why. The memory that a
// launch was bound to is the caller's and must live as long as it runs. Handles are freed in any order.
// Thread safety: one thread at a time for each session.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_BENCHMARKS_ATTENTIONBENCH_H
#define LACUNA_BENCHMARKS_ATTENTIONBENCH_H

#include <stddef.h>
#include <stdint.h>

#define LACUNA_BENCH_API __attribute__((visibility("default")))

extern "C" {

struct lacuna_bench_session;
struct lacuna_bench_kernel;
struct lacuna_bench_launch;
struct lacuna_bench_plan;

/// A tensor of rank 4, or 3 for lse: extents and strides in elements, outermost first, the innermost stride 1.
struct lacuna_bench_tensor {
  void *data;
  const char *dtype; ///< "bf16", "f16" or "f32"
  int32_t rank;
  int64_t shape[4], strides[4];
};

/// Block lists in the form of lacuna/Runtime/Arguments.h, in the memory of the session's device. Of a kernel that
/// computes its blocks only the order is looked at.
struct lacuna_bench_lists {
  const int32_t *indptr, *split, *indices;
  const int32_t *order; ///< of lacuna_bench_order, in the memory of the device; null: programs run as numbered
  int64_t batches, heads, rowBlocks, entries;
};

/// Which kernel. The tile is chosen for the block unless `params` says otherwise; with R and L among them it is the
/// packed kernel, R heads by L queries a tile, whose lists serve all heads or are one for each KV head.
struct lacuna_bench_spec {
  int64_t headDim, queryBlock, keyBlock;
  const char *dtype;
  const char *keep;          ///< body of the hook keep(b, h, i, j); null: the kernel's own
  const char *pattern;       ///< dense, causal or window:LEFT[:SINK], computed by the kernel; null: lists in memory
  const char *source;        ///< a .tile text in place of the library's; null: the library's
  const char *const *params; ///< "NAME=VALUE"
  size_t numParams;
};

/// Why the last call of this thread failed; valid until its next call.
LACUNA_BENCH_API const char *lacuna_bench_error(void);

/// Opens GPU `ordinal` through its primary context, the one of the CUDA runtime and PyTorch; below 0: the CPU.
LACUNA_BENCH_API int lacuna_bench_open(int ordinal, lacuna_bench_session **session);
LACUNA_BENCH_API void lacuna_bench_close(lacuna_bench_session *session);

/// Compiles and loads. The launches must pass a scale greater than 0.
LACUNA_BENCH_API int lacuna_bench_compile(lacuna_bench_session *session, const lacuna_bench_spec *spec,
                                          lacuna_bench_kernel **kernel);
/// What it became, a JSON object: target, params, threads, shared_bytes, registers, local_bytes, compile_ms. Valid as
/// long as the kernel.
LACUNA_BENCH_API const char *lacuna_bench_describe(const lacuna_bench_kernel *kernel);
LACUNA_BENCH_API void lacuna_bench_free_kernel(lacuna_bench_kernel *kernel);

/// The block that was measured fastest for a pattern (lacuna/Runtime/BestTile.h).
LACUNA_BENCH_API int lacuna_bench_best_block(int64_t headDim, const char *pattern, int64_t *queryBlock,
                                             int64_t *keyBlock);

/// Where neighbouring rows of `lists` (host memory, blocks of `queryBlock` rows) are equal: the lists with rows twice
/// as high (BlockLists::withRowsPaired), in arrays as long as those of `lists`. 1 where that was done, else 0.
LACUNA_BENCH_API int lacuna_bench_pair_rows(const lacuna_bench_lists *lists, int64_t queryBlock, int32_t *indptr,
                                            int32_t *split, int32_t *indices);

/// Whether one launch for q, k and `lists` (host memory; of a pattern not looked at) had better pack heads: how many
/// heads and queries a tile then takes, the params R and L; 1 and 0 where heads stay apart, as those with lists of
/// their own do (lacuna/Runtime/PackHeads.h).
LACUNA_BENCH_API int lacuna_bench_pack(lacuna_bench_session *session, const lacuna_bench_spec *spec,
                                       const lacuna_bench_tensor *q, const lacuna_bench_tensor *k,
                                       const lacuna_bench_lists *lists, int64_t *heads, int64_t *queries);

/// The order in which the kernel's programs had best run, for `lists` in host memory with blocks of `queryBlock` rows
/// (neither is looked at where the kernel computes its blocks):
/// `count` programs, ceil(queries / rows of the tile) * heads * batch.
LACUNA_BENCH_API int lacuna_bench_order(const lacuna_bench_kernel *kernel, const lacuna_bench_tensor *q,
                                        const lacuna_bench_tensor *k, const lacuna_bench_lists *lists,
                                        int64_t queryBlock, int32_t *order, size_t count);
/// 0 where the kernel takes no order.
LACUNA_BENCH_API size_t lacuna_bench_programs(const lacuna_bench_kernel *kernel, const lacuna_bench_tensor *q);

/// The operator lacuna::Attention for the extents of q and k, whose rows may run in parts: `splits` of the longest row,
/// or 0 for its rule, and whose heads it packs as it sees fit. `lists` lies in host memory; `order` is not looked at,
/// and `spec` names no pattern. Compiles and loads.
LACUNA_BENCH_API int lacuna_bench_plan_attention(lacuna_bench_session *session, const lacuna_bench_spec *spec,
                                                 const lacuna_bench_tensor *q, const lacuna_bench_tensor *k,
                                                 const lacuna_bench_lists *lists, int64_t splits,
                                                 lacuna_bench_plan **plan);
/// What it became, a JSON object: target, params with BM, BN, the heads R of a tile and `splits`, the parts of the
/// longest row, and of the first kernel threads and shared_bytes. Valid as long as the plan.
LACUNA_BENCH_API const char *lacuna_bench_describe_plan(const lacuna_bench_plan *plan);
/// The bytes of the workspace.
LACUNA_BENCH_API size_t lacuna_bench_plan_workspace(const lacuna_bench_plan *plan);
LACUNA_BENCH_API int lacuna_bench_bind_plan(const lacuna_bench_plan *plan, const lacuna_bench_tensor *q,
                                            const lacuna_bench_tensor *k, const lacuna_bench_tensor *v,
                                            const lacuna_bench_tensor *o, const lacuna_bench_tensor *lse, float scale,
                                            void *workspace, size_t workspaceBytes, lacuna_bench_launch **launch);
LACUNA_BENCH_API void lacuna_bench_free_plan(lacuna_bench_plan *plan);

LACUNA_BENCH_API int lacuna_bench_bind(const lacuna_bench_kernel *kernel, const lacuna_bench_tensor *q,
                                       const lacuna_bench_tensor *k, const lacuna_bench_tensor *v,
                                       const lacuna_bench_lists *lists, const lacuna_bench_tensor *o,
                                       const lacuna_bench_tensor *lse, float scale, lacuna_bench_launch **launch);
/// GPU: enqueues on the CUDA stream (null: the default stream) and returns. CPU: runs; `stream` is not looked at.
LACUNA_BENCH_API int lacuna_bench_run(const lacuna_bench_launch *launch, void *stream);
LACUNA_BENCH_API void lacuna_bench_free_launch(lacuna_bench_launch *launch);

} // extern "C"

#endif // LACUNA_BENCHMARKS_ATTENTIONBENCH_H
