// The CPU backend from tile IR to results: attention and a matrix product against float64, and the JIT's own interface.
#include "CpuKernelHarness.h"

#include "llvm/IR/IRBuilder.h"

#include <algorithm>
#include <thread>

using namespace lacuna;
using namespace lacuna::test;

namespace {

/// Attention over a block list, as the tile passes leave it: {BM} queries by {BN} keys a step, head dimension {D} in
/// tiles of {E} columns, causal in partial blocks, positions past N masked.
constexpr const char *kAttention = R"mlir(
tile.func @attention(%q: !tile.view<[B, H, M, {D}], {T}>, %k: !tile.view<[B, G, N, {D}], {T}>,
                     %v: !tile.view<[B, G, N, {D}], {T}>, %rows: !tile.blocks<{QB}, {KB}, [B, H]>,
                     %o: !tile.view<[B, H, M, {D}], {T}> {tile.output}, %lse: !tile.view<[B, H, M], f32> {tile.output},
                     %scale: f32)
    attributes {dims = ["B", "H", "M", "G", "N"], grid = ["ceildiv(M, {BM})", "H", "B"]} {
  %qi = tile.program_id 0
  %h = tile.program_id 1
  %b = tile.program_id 2
  %H = tile.dim "H"
  %G = tile.dim "G"
  %N = tile.dim "N"
  %M = tile.dim "M"
  %c0 = arith.constant 0 : i32
  %bm = arith.constant {BM} : i32
  %qb = arith.constant {QB} : i32
  %share = arith.divsi %H, %G : i32
  %g = arith.divsi %h, %share : i32
  %r0 = arith.muli %qi, %bm : i32
  %row = arith.divsi %r0, %qb : i32
  %tq = tile.load %q[%b, %h, %r0, %c0] sizes [0, 0, {BM}, {E}]
      : (!tile.view<[B, H, M, {D}], {T}>, i32, i32, i32, i32) -> tensor<{BM}x{E}x{T}>
  %acc0 = arith.constant dense<0.0> : tensor<{BM}x{E}xf32>
  %mx0 = arith.constant dense<0xFF800000> : tensor<{BM}x1xf32>
  %den0 = arith.constant dense<0.0> : tensor<{BM}x1xf32>
  %ninf = arith.constant dense<0xFF800000> : tensor<{BM}x{BN}xf32>
  %res:3 = tile.for_blocks %t in %rows[%b, %h, %row] step {BN} limit %N init(%acc = %acc0, %mx = %mx0, %den = %den0)
      : !tile.blocks<{QB}, {KB}, [B, H]>, tensor<{BM}x{E}xf32>, tensor<{BM}x1xf32>, tensor<{BM}x1xf32> {
    %tk = tile.load %k[%b, %g, %t, %c0] sizes [0, 0, {BN}, {E}]
        : (!tile.view<[B, G, N, {D}], {T}>, i32, i32, !tile.positions<{BN}>, i32) -> tensor<{BN}x{E}x{T}>
    %tv = tile.load %v[%b, %g, %t, %c0] sizes [0, 0, {BN}, {E}]
        : (!tile.view<[B, G, N, {D}], {T}>, i32, i32, !tile.positions<{BN}>, i32) -> tensor<{BN}x{E}x{T}>
    %kt = tile.transpose %tk : tensor<{BN}x{E}x{T}> -> tensor<{E}x{BN}x{T}>
    %s0 = tile.dot %tq, %kt : tensor<{BM}x{E}x{T}>, tensor<{E}x{BN}x{T}> -> tensor<{BM}x{BN}xf32>
    %sc = tile.broadcast %scale : f32 -> tensor<{BM}x{BN}xf32>
    %s = arith.mulf %s0, %sc : tensor<{BM}x{BN}xf32>
    %ex = tile.exceeds %t, %N : !tile.positions<{BN}>
    %s1 = scf.if %ex -> (tensor<{BM}x{BN}xf32>) {
      %keys = tile.key_positions %t : !tile.positions<{BN}> -> tensor<1x{BN}xi32>
      %nb = tile.broadcast %N : i32 -> tensor<1x{BN}xi32>
      %in = arith.cmpi slt, %keys, %nb : tensor<1x{BN}xi32>
      %inb = tile.broadcast %in : tensor<1x{BN}xi1> -> tensor<{BM}x{BN}xi1>
      %y = arith.select %inb, %s, %ninf : tensor<{BM}x{BN}xi1>, tensor<{BM}x{BN}xf32>
      scf.yield %y : tensor<{BM}x{BN}xf32>
    } else {
      scf.yield %s : tensor<{BM}x{BN}xf32>
    }
    %pt = tile.is_partial %t : !tile.positions<{BN}>
    %s2 = scf.if %pt -> (tensor<{BM}x{BN}xf32>) {
      %keys = tile.key_positions %t : !tile.positions<{BN}> -> tensor<1x{BN}xi32>
      %d = arith.subi %N, %M : i32
      %i = tile.iota : tensor<{BM}x1xi32>
      %first = arith.addi %r0, %d : i32
      %firsts = tile.broadcast %first : i32 -> tensor<{BM}x1xi32>
      %last = arith.addi %i, %firsts : tensor<{BM}x1xi32>
      %lastb = tile.broadcast %last : tensor<{BM}x1xi32> -> tensor<{BM}x{BN}xi32>
      %keysb = tile.broadcast %keys : tensor<1x{BN}xi32> -> tensor<{BM}x{BN}xi32>
      %in = arith.cmpi sle, %keysb, %lastb : tensor<{BM}x{BN}xi32>
      %y = arith.select %in, %s1, %ninf : tensor<{BM}x{BN}xi1>, tensor<{BM}x{BN}xf32>
      scf.yield %y : tensor<{BM}x{BN}xf32>
    } else {
      scf.yield %s1 : tensor<{BM}x{BN}xf32>
    }
    %rm = tile.reduce max %s2 axes [1] : tensor<{BM}x{BN}xf32> -> tensor<{BM}x1xf32>
    %nm = arith.maxnumf %mx, %rm : tensor<{BM}x1xf32>
    %isinf = arith.cmpf oeq, %nm, %mx0 : tensor<{BM}x1xf32>
    %c = arith.select %isinf, %den0, %nm : tensor<{BM}x1xi1>, tensor<{BM}x1xf32>
    %cb = tile.broadcast %c : tensor<{BM}x1xf32> -> tensor<{BM}x{BN}xf32>
    %d = arith.subf %s2, %cb : tensor<{BM}x{BN}xf32>
    %p = math.exp %d : tensor<{BM}x{BN}xf32>
    %dm = arith.subf %mx, %c : tensor<{BM}x1xf32>
    %r = math.exp %dm : tensor<{BM}x1xf32>
    %dr = arith.mulf %den, %r : tensor<{BM}x1xf32>
    %ps = tile.reduce add %p axes [1] : tensor<{BM}x{BN}xf32> -> tensor<{BM}x1xf32>
    %den1 = arith.addf %dr, %ps : tensor<{BM}x1xf32>
    %pT = arith.truncf %p : tensor<{BM}x{BN}xf32> to tensor<{BM}x{BN}x{T}>
    %rb = tile.broadcast %r : tensor<{BM}x1xf32> -> tensor<{BM}x{E}xf32>
    %accr = arith.mulf %acc, %rb : tensor<{BM}x{E}xf32>
    %acc1 = tile.dot %pT, %tv acc %accr : tensor<{BM}x{E}xf32>
        : tensor<{BM}x{BN}x{T}>, tensor<{BN}x{E}x{T}> -> tensor<{BM}x{E}xf32>
    tile.yield %acc1, %nm, %den1 : tensor<{BM}x{E}xf32>, tensor<{BM}x1xf32>, tensor<{BM}x1xf32>
  }
  %z = arith.cmpf oeq, %res#2, %den0 : tensor<{BM}x1xf32>
  %denb = tile.broadcast %res#2 : tensor<{BM}x1xf32> -> tensor<{BM}x{E}xf32>
  %zb = tile.broadcast %z : tensor<{BM}x1xi1> -> tensor<{BM}x{E}xi1>
  %q0 = arith.divf %res#0, %denb : tensor<{BM}x{E}xf32>
  %q1 = arith.select %zb, %acc0, %q0 : tensor<{BM}x{E}xi1>, tensor<{BM}x{E}xf32>
  %oT = arith.truncf %q1 : tensor<{BM}x{E}xf32> to tensor<{BM}x{E}x{T}>
  tile.store %oT, %o[%b, %h, %r0, %c0] sizes [0, 0, {BM}, {E}]
      : tensor<{BM}x{E}x{T}>, (!tile.view<[B, H, M, {D}], {T}>, i32, i32, i32, i32)
  %ld = math.log %res#2 : tensor<{BM}x1xf32>
  %l = arith.addf %res#1, %ld : tensor<{BM}x1xf32>
  tile.store %l, %lse[%b, %h, %r0] sizes [0, 0, {BM}] : tensor<{BM}x1xf32>, (!tile.view<[B, H, M], f32>, i32, i32, i32)
  tile.return
}
)mlir";

struct AttentionCase {
  int tileRows, tileKeys, blockRows, blockKeys; ///< BM, BN, QB, KB
  int batch, heads, keyHeads, queries, keys, width;
  bool bf16;
};

/// A causal list (bottom-right aligned): every block that a query of the row may see, partial where not all may.
struct List {
  std::vector<int32_t> indptr{0}, split, indices;
};

List causalList(const AttentionCase &c) {
  List list;
  for (int first = 0; first < c.queries; first += c.blockRows) {
    const int last = std::min(c.queries, first + c.blockRows) - 1, shift = c.keys - c.queries;
    std::vector<int32_t> full;
    for (int block = 0; block * c.blockKeys < c.keys; ++block) {
      if (block * c.blockKeys > last + shift)
        continue;
      const bool isFull = (block + 1) * c.blockKeys - 1 <= first + shift;
      (isFull ? full : list.indices).push_back(block);
    }
    list.split.push_back(static_cast<int32_t>(list.indices.size()));
    list.indices.insert(list.indices.end(), full.begin(), full.end());
    list.indptr.push_back(static_cast<int32_t>(list.indices.size()));
  }
  return list;
}

void checkAttention(const AttentionCase &c, const CpuTarget &target = CpuTarget::host()) {
  INFO("D ", c.width, ", M ", c.queries, ", N ", c.keys, ", BM ", c.tileRows, ", BN ", c.tileKeys, ", KB ", c.blockKeys,
       c.bf16 ? ", bf16 on " : ", f16 on ", target.cpu);
  auto text = [](int value) { return std::to_string(value); };
  std::string source = substitute(kAttention, {{"BM", text(c.tileRows)},
                                               {"BN", text(c.tileKeys)},
                                               {"QB", text(c.blockRows)},
                                               {"KB", text(c.blockKeys)},
                                               {"D", text(c.width)},
                                               {"E", text((c.width + 15) / 16 * 16)},
                                               {"T", c.bf16 ? "bf16" : "f16"}});
  CompiledKernel kernel(source, target);
  const int64_t B = c.batch, H = c.heads, G = c.keyHeads, M = c.queries, N = c.keys, D = c.width;
  const auto q = randomHalves(B * H * M * D, c.bf16, 1), k = randomHalves(B * G * N * D, c.bf16, 2),
             v = randomHalves(B * G * N * D, c.bf16, 3);
  // One more element than there are: a store past the end would be seen.
  std::vector<uint16_t> o(B * H * M * D + 64, 0x1234);
  std::vector<float> lse(B * H * M + 64, 77);
  const List list = causalList(c);
  const float scale = 1 / std::sqrt(static_cast<float>(D));
  Parameters parameters;
  parameters.view(q, {B, H, M, D}).view(k, {B, G, N, D}).view(v, {B, G, N, D});
  parameters.pointer(list.indptr.data()).pointer(list.split.data()).pointer(list.indices.data());
  parameters.i64(0).i64(0).i32(static_cast<int32_t>(list.split.size()));
  parameters.view(o, {B, H, M, D}).view(lse, {B, H, M}).f32(scale);
  for (int64_t dim : {B, H, M, G, N})
    parameters.i32(static_cast<int32_t>(dim));
  kernel.run(parameters, ceilDiv(M, c.tileRows), c.heads, c.batch);

  double errorSquared = 0, normSquared = 0, lseError = 0;
  std::vector<double> scores(N);
  for (int64_t bh = 0; bh < B * H; ++bh) {
    const int64_t bg = bh / H * G + bh % H / (H / G);
    for (int64_t i = 0; i < M; ++i) {
      const int64_t visible = std::clamp<int64_t>(i + N - M + 1, 0, N);
      double largest = -INFINITY, sum = 0;
      for (int64_t j = 0; j < visible; ++j) {
        scores[j] = 0;
        for (int64_t d = 0; d < D; ++d)
          scores[j] += static_cast<double>(fromHalf(q[(bh * M + i) * D + d], c.bf16)) *
                       fromHalf(k[(bg * N + j) * D + d], c.bf16);
        scores[j] *= scale;
        largest = std::max(largest, scores[j]);
      }
      for (int64_t j = 0; j < visible; ++j)
        sum += std::exp(scores[j] - largest);
      const float gotLse = lse[bh * M + i];
      if (visible == 0)
        CHECK(gotLse == -INFINITY);
      else
        lseError = std::max(lseError, std::fabs(largest + std::log(sum) - gotLse));
      for (int64_t d = 0; d < D; ++d) {
        double expected = 0;
        for (int64_t j = 0; j < visible; ++j)
          expected += std::exp(scores[j] - largest) / sum * fromHalf(v[(bg * N + j) * D + d], c.bf16);
        const double got = fromHalf(o[(bh * M + i) * D + d], c.bf16);
        errorSquared += (got - expected) * (got - expected);
        normSquared += expected * expected;
      }
    }
  }
  CHECK(std::sqrt(errorSquared / normSquared) <= (c.bf16 ? 4e-3 : 8e-4));
  CHECK(lseError <= 2e-3);
  CHECK(std::all_of(o.begin() + B * H * M * D, o.end(), [](uint16_t value) { return value == 0x1234; }));
  CHECK(std::all_of(lse.begin() + B * H * M, lse.end(), [](float value) { return value == 77; }));
}

/// C = A B + bias, K in steps of 32, tiles of 32 x 48.
constexpr const char *kMatmul = R"mlir(
tile.func @matmul(%a: !tile.view<[M, K], {T}>, %b: !tile.view<[K, N], {T}>, %bias: !tile.view<[N], f32>,
                  %c: !tile.view<[M, N], f32> {tile.output})
    attributes {dims = ["M", "N", "K"], grid = ["ceildiv(M, 32)", "ceildiv(N, 48)"]} {
  %x = tile.program_id 0
  %y = tile.program_id 1
  %c0 = arith.constant 0 : i32
  %c32 = arith.constant 32 : i32
  %c48 = arith.constant 48 : i32
  %i = arith.muli %x, %c32 : i32
  %j = arith.muli %y, %c48 : i32
  %K = tile.dim "K"
  %zero = arith.constant dense<0.0> : tensor<32x48xf32>
  %sum = scf.for %k = %c0 to %K step %c32 iter_args(%acc = %zero) -> (tensor<32x48xf32>) : i32 {
    %ta = tile.load %a[%i, %k] sizes [32, 32] : (!tile.view<[M, K], {T}>, i32, i32) -> tensor<32x32x{T}>
    %tb = tile.load %b[%k, %j] sizes [32, 48] : (!tile.view<[K, N], {T}>, i32, i32) -> tensor<32x48x{T}>
    %next = tile.dot %ta, %tb acc %acc : tensor<32x48xf32> : tensor<32x32x{T}>, tensor<32x48x{T}> -> tensor<32x48xf32>
    scf.yield %next : tensor<32x48xf32>
  }
  %tbias = tile.load %bias[%j] sizes [48] : (!tile.view<[N], f32>, i32) -> tensor<48x1xf32>
  %row = tile.transpose %tbias : tensor<48x1xf32> -> tensor<1x48xf32>
  %all = tile.broadcast %row : tensor<1x48xf32> -> tensor<32x48xf32>
  %r = arith.addf %sum, %all : tensor<32x48xf32>
  tile.store %r, %c[%i, %j] sizes [32, 48] : tensor<32x48xf32>, (!tile.view<[M, N], f32>, i32, i32)
  tile.return
}
)mlir";

void checkMatmul(int64_t M, int64_t N, int64_t K, bool bf16) {
  INFO(M, " x ", N, " x ", K, bf16 ? " bf16" : " f16");
  CompiledKernel kernel(substitute(kMatmul, {{"T", bf16 ? "bf16" : "f16"}}));
  const auto a = randomHalves(M * K, bf16, 1), b = randomHalves(K * N, bf16, 2);
  std::vector<float> bias(N), c(M * N + 64, 77);
  for (int64_t j = 0; j < N; ++j)
    bias[j] = static_cast<float>(j) / 8;
  Parameters parameters;
  parameters.view(a, {M, K}).view(b, {K, N}).view(bias, {N}).view(c, {M, N});
  for (int64_t dim : {M, N, K})
    parameters.i32(static_cast<int32_t>(dim));
  kernel.run(parameters, ceilDiv(M, 32), ceilDiv(N, 48));
  double worst = 0;
  for (int64_t i = 0; i < M; ++i)
    for (int64_t j = 0; j < N; ++j) {
      double expected = bias[j];
      for (int64_t k = 0; k < K; ++k)
        expected += static_cast<double>(fromHalf(a[i * K + k], bf16)) * fromHalf(b[k * N + j], bf16);
      worst = std::max(worst, std::fabs(expected - c[i * N + j]));
    }
  CHECK(worst <= 1e-5 * std::sqrt(static_cast<double>(K)) * 4);
  CHECK(std::all_of(c.begin() + M * N, c.end(), [](float value) { return value == 77; }));
}

} // namespace

TEST_CASE("attention over a block list agrees with float64") {
  checkAttention({64, 64, 64, 64, 2, 4, 2, 130, 201, 64, true});   // GQA, odd lengths
  checkAttention({64, 128, 64, 64, 1, 1, 1, 200, 333, 72, true});  // two blocks a step, a padded width
  checkAttention({32, 32, 64, 128, 1, 2, 1, 100, 300, 40, false}); // four steps a block
  checkAttention({16, 16, 16, 16, 1, 1, 1, 33, 17, 16, false});    // rows that see nothing
  checkAttention({128, 128, 128, 128, 1, 1, 1, 257, 255, 128, true});
  checkAttention({64, 128, 64, 16, 1, 1, 1, 65, 140, 256, true}); // eight blocks a step, wide heads
}

TEST_CASE("the code for CPUs with shorter vectors gives the same") {
  checkAttention({64, 64, 64, 64, 1, 1, 1, 100, 130, 72, true}, {"x86-64-v3", ""});
  checkAttention({64, 64, 64, 64, 1, 1, 1, 100, 130, 72, false}, {"x86-64-v3", ""});
}

TEST_CASE("a matrix product of any size agrees with float64") {
  checkMatmul(1, 1, 1, true);
  checkMatmul(32, 48, 32, false);
  checkMatmul(33, 49, 31, true);
  checkMatmul(70, 200, 129, false);
  checkMatmul(97, 95, 65, true);
}

TEST_CASE("threads run one entry at the same time") {
  CompiledKernel kernel(substitute(kMatmul, {{"T", "bf16"}}));
  const int64_t M = 64, N = 96, K = 64;
  const auto a = randomHalves(M * K, true, 1), b = randomHalves(K * N, true, 2);
  const std::vector<float> bias(N, 0);
  std::vector<std::vector<float>> results(4, std::vector<float>(M * N));
  std::vector<std::thread> threads;
  for (std::vector<float> &c : results)
    threads.emplace_back([&] {
      Parameters parameters;
      parameters.view(a, {M, K}).view(b, {K, N}).view(bias, {N}).view(c, {M, N}).i32(M).i32(N).i32(K);
      for (int repeat = 0; repeat < 20; ++repeat)
        kernel.run(parameters, 2, 2);
    });
  for (std::thread &thread : threads)
    thread.join();
  for (const std::vector<float> &c : results)
    CHECK(c == results[0]);
}

TEST_CASE("the JIT refuses what it cannot do, with a reason") {
  llvm::LLVMContext context;
  llvm::Module module("m", context);
  auto unknown = optimizeForCpu(module, {"pentium-nine", ""});
  REQUIRE_FALSE(unknown.has_value());
  CHECK(unknown.error().code == ErrorCode::InvalidArgument);
  CHECK(unknown.error().message.find("pentium-nine") != std::string::npos);

  auto *type = llvm::FunctionType::get(llvm::Type::getVoidTy(context), false);
  auto *caller = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, "kernel", module);
  auto *missing = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, "no_such_function", module);
  llvm::IRBuilder<> builder(llvm::BasicBlock::Create(context, "entry", caller));
  builder.CreateCall(missing);
  builder.CreateRetVoid();
  REQUIRE(optimizeForCpu(module, CpuTarget::host()).has_value());
  auto unlinked = CpuJit::create(module, CpuTarget::host());
  REQUIRE_FALSE(unlinked.has_value());
  CHECK(unlinked.error().code == ErrorCode::CompileFailed);
  CHECK(unlinked.error().message.find("no_such_function") != std::string::npos);

  CompiledKernel kernel(substitute(kMatmul, {{"T", "bf16"}}));
  auto other = kernel.jit->entry("matmull");
  REQUIRE_FALSE(other.has_value());
  CHECK(other.error().code == ErrorCode::NotFound);
  CHECK(kernel.jit->times().emit > 0);
}
