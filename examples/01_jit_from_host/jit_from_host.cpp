// A C++ program that compiles a kernel at run time, for the machine it is on, and runs it on its own buffers.
//
// The kernel is a text in this file: a matrix product with a hook, a function that the caller of the compiler puts in.
// The same text runs on a GPU (H100, H200) or, where there is none, on the CPU; only the buffers and the launch differ.
//
//   ./dev build && build/bin/lacuna-example-01-jit-from-host
#include "lacuna/Jit/Jit.h"

#include <cmath>
#include <cstdio>
#include <vector>

using namespace lacuna;
using namespace lacuna::runtime;

// M, N and K are run-time dimensions: the launch takes them from the buffers. BM, BN, BK and T are params: each set of
// values is compiled for itself. `activation` is a hook: the default stands here, KernelSpec::hooks replaces it.
static const char *const kSource = R"tile(
param BM in {64, 128} = 128   BN in {64, 128} = 128   BK in {64} = 64
param T in {bf16, f16} = bf16

hook activation(x, i, j) -> f32 = x

kernel product(a: T[M, K], b: T[K, N], c: out T[M, N], alpha: f32)
  grid (m: ceildiv(M, BM), n: ceildiv(N, BN))
{
  var acc: f32[BM, BN] = 0
  for k in 0..K by BK {
    let ta = load a[m * BM :+ BM, k :+ BK]
    let tb = load b[k :+ BK, n * BN :+ BN]
    acc = dot(ta, tb, acc)
  }
  let y = map (x in acc * alpha; i, j) => activation(x, m * BM + i, n * BN + j)
  store c[m * BM :+ BM, n * BN :+ BN] = y as T
}

schedule product on sm_90a {
  producer regs 24
  consumers BM / 64 regs auto
  ring ta, tb depth 3
  epilogue tma
}
)tile";

constexpr int64_t kM = 300, kN = 200, kK = 264;
constexpr float kAlpha = 0.125f;

/// The caller's own memory: f16 patterns, C order.
struct Matrices {
  std::vector<uint16_t> a, b, c;
};

static Matrices makeMatrices() {
  Matrices result{std::vector<uint16_t>(kM * kK), std::vector<uint16_t>(kK * kN), std::vector<uint16_t>(kM * kN)};
  for (size_t at = 0; at < result.a.size(); ++at)
    result.a[at] = floatToF16(static_cast<float>(at % 11) * 0.125f - 0.5f);
  for (size_t at = 0; at < result.b.size(); ++at)
    result.b[at] = floatToF16(static_cast<float>(at % 7) * 0.25f - 0.75f);
  return result;
}

/// The kernel's arguments, in its order; views own nothing.
static std::vector<ArgumentValue> makeArguments(void *a, void *b, void *c) {
  return {TensorView::contiguous(a, DType::F16, {kM, kK}), TensorView::contiguous(b, DType::F16, {kK, kN}),
          TensorView::contiguous(c, DType::F16, {kM, kN}), kAlpha};
}

/// On a GPU: copies there, a launch on a stream, and the result back. The launch itself neither allocates nor waits.
static Expected<void> runOnGpu(const JitKernel &kernel, const Device &device, Matrices &matrices) {
  auto stream = Stream::create(device);
  if (!stream)
    return takeError(stream);
  std::vector<DeviceBuffer> buffers;
  for (std::vector<uint16_t> *matrix : {&matrices.a, &matrices.b, &matrices.c}) {
    auto buffer = DeviceBuffer::allocate(device, matrix->size() * sizeof(uint16_t));
    if (!buffer)
      return takeError(buffer);
    if (auto copied = buffer->upload(matrix->data(), matrix->size() * sizeof(uint16_t)); !copied)
      return copied;
    buffers.push_back(std::move(*buffer));
  }
  auto arguments = makeArguments(buffers[0].data(), buffers[1].data(), buffers[2].data());
  if (auto launched = kernel.launch(*stream, arguments); !launched)
    return launched;
  if (auto finished = stream->synchronize(); !finished)
    return finished;
  return buffers[2].download(matrices.c.data(), matrices.c.size() * sizeof(uint16_t));
}

/// On the CPU: our buffers as they are; the launch returns when all is done.
static Expected<void> runOnCpu(const JitKernel &kernel, Matrices &matrices) {
  return kernel.launch(makeArguments(matrices.a.data(), matrices.b.data(), matrices.c.data()));
}

/// The largest difference from a float64 product with the same activation.
static double largestError(const Matrices &matrices) {
  double largest = 0;
  for (int64_t i = 0; i < kM; ++i)
    for (int64_t j = 0; j < kN; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < kK; ++k)
        sum += double(f16ToFloat(matrices.a[i * kK + k])) * f16ToFloat(matrices.b[k * kN + j]);
      double wanted = std::fmax(kAlpha * sum, 0.0) + (i == j ? 1.0 : 0.0);
      largest = std::fmax(largest, std::fabs(f16ToFloat(matrices.c[i * kN + j]) - wanted));
    }
  return largest;
}

static Expected<void> run() {
  // The first GPU that kernels can be generated for, else the CPU.
  Jit jit = Jit::forThisMachine();

  // The params that differ from their defaults, and the hook: an expression over its parameters, or the name of a hook
  // of the library, such as relu.
  KernelSpec spec;
  spec.file = "product.tile"; // the text's name in messages
  spec.source = kSource;
  spec.params = {{"T", "f16"}, {"BN", "64"}};
  spec.hooks = {{"activation", "relu(x, i, j) + (i == j ? 1.0 : 0.0)"}};
  auto kernel = jit.compile(spec);
  if (!kernel)
    return takeError(kernel);
  double milliseconds = 0;
  for (const StageTime &stage : kernel->compilation().times)
    milliseconds += stage.milliseconds;
  std::printf("compiled '%s' for %s in %.0f ms\n", kernel->metadata().kernel.c_str(), kernel->metadata().target.c_str(),
              milliseconds);

  Matrices matrices = makeMatrices();
  auto done = jit.device() ? runOnGpu(*kernel, *jit.device(), matrices) : runOnCpu(*kernel, matrices);
  if (!done)
    return done;

  const double error = largestError(matrices), allowed = 0.02; // f16 keeps 11 bits of values up to about 30
  std::printf("%lld x %lld = (%lld x %lld) (%lld x %lld): the largest error is %.2g: %s\n", (long long)kM,
              (long long)kN, (long long)kM, (long long)kK, (long long)kK, (long long)kN, error,
              error <= allowed ? "right" : "wrong");
  if (!(error <= allowed))
    return makeError(ErrorCode::Internal, "the product is off by {}; at most {} is expected", error, allowed);
  return {};
}

int main() {
  if (auto done = run(); !done) {
    std::fprintf(stderr, "jit_from_host: %s\n", done.error().render().c_str());
    return 1;
  }
  return 0;
}
