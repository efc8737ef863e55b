// Attention as an operator: a few queries against many keys, planned once, run on the caller's memory.
//
// With so few rows a GPU would be idle; the operator cuts them into parts where that pays. On the CPU it would not, so
// this program asks for parts there, to show them.
//
//   ./dev build && build/bin/lacuna-example-04-attention-operator
#include "lacuna/Jit/Attention.h"
#include "lacuna/Runtime/Pattern.h"
#include "lacuna/Runtime/Random.h"
#include "lacuna/Runtime/Reference.h"

#include <cstdio>

using namespace lacuna;
using namespace lacuna::runtime;

// 16 queries of 4 heads that share 2 KV heads; the last query stands beside the last key.
static const AttentionShape kShape{
    .batch = 1, .heads = 4, .kvHeads = 2, .queries = 16, .keys = 3000, .headDim = 64, .valueDim = 64};
constexpr float kScale = 0.125f;

/// The caller's tensors in host memory.
struct Tensors {
  HostTensor q, k, v, o, lse;

  static Expected<Tensors> make(ThreadPool &pool) {
    Tensors made;
    const std::tuple<HostTensor *, DType, std::vector<int64_t>> wanted[] = {
        {&made.q, DType::BF16, {1, kShape.heads, kShape.queries, kShape.headDim}},
        {&made.k, DType::BF16, {1, kShape.kvHeads, kShape.keys, kShape.headDim}},
        {&made.v, DType::BF16, {1, kShape.kvHeads, kShape.keys, kShape.valueDim}},
        {&made.o, DType::BF16, {1, kShape.heads, kShape.queries, kShape.valueDim}},
        {&made.lse, DType::F32, {1, kShape.heads, kShape.queries}}};
    uint64_t stream = 0;
    for (const auto &[tensor, dtype, extents] : wanted) {
      Expected<HostTensor> memory = HostTensor::allocate(dtype, extents);
      if (!memory)
        return takeError(memory);
      *tensor = std::move(*memory);
      if (tensor != &made.o && tensor != &made.lse)
        fillNormal(*tensor, 1, stream++, pool);
    }
    return made;
  }
  std::vector<HostTensor *> all() { return {&q, &k, &v, &o, &lse}; }
};

/// On a GPU: copies there, two launches on a stream, and the results back. The launches neither allocate nor wait.
static Expected<void> runOnGpu(const Attention &attention, const Device &device, Tensors &tensors) {
  auto stream = Stream::create(device);
  if (!stream)
    return takeError(stream);
  std::vector<DeviceBuffer> buffers;
  std::vector<TensorView> views;
  for (HostTensor *tensor : tensors.all()) {
    auto buffer = DeviceBuffer::allocate(device, tensor->bytes());
    if (!buffer)
      return takeError(buffer);
    if (auto copied = buffer->upload(tensor->data(), tensor->bytes()); !copied)
      return copied;
    views.push_back(TensorView::contiguous(buffer->data(), tensor->dtype(), tensor->shape()));
    buffers.push_back(std::move(*buffer));
  }
  auto workspace = DeviceBuffer::allocate(device, attention.workspaceBytes() + 1); // not 0
  if (!workspace)
    return takeError(workspace);
  auto launch = attention.bind({views[0], views[1], views[2], views[3], views[4]}, kScale, workspace->data(),
                               attention.workspaceBytes());
  if (!launch)
    return takeError(launch);
  if (auto done = launch->run(*stream); !done)
    return done;
  if (auto finished = stream->synchronize(); !finished)
    return finished;
  if (auto copied = buffers[3].download(tensors.o.data(), tensors.o.bytes()); !copied)
    return copied;
  return buffers[4].download(tensors.lse.data(), tensors.lse.bytes());
}

static Expected<void> runOnCpu(const Attention &attention, Tensors &tensors) {
  auto workspace = HostTensor::allocate(DType::F32, {static_cast<int64_t>(attention.workspaceBytes() / 4 + 1)});
  if (!workspace)
    return takeError(workspace);
  auto launch =
      attention.bind({tensors.q.view(), tensors.k.view(), tensors.v.view(), tensors.o.view(), tensors.lse.view()},
                     kScale, workspace->data(), attention.workspaceBytes());
  if (!launch)
    return takeError(launch);
  return launch->run();
}

static Expected<bool> run() {
  ThreadPool pool;
  auto tensors = Tensors::make(pool);
  if (!tensors)
    return takeError(tensors);
  auto causal = Pattern::parse("causal");
  if (!causal)
    return takeError(causal);
  auto lists = causal->build(kShape, /*queryBlock=*/128, /*keyBlock=*/128, /*seed=*/1);
  if (!lists)
    return takeError(lists);

  Jit jit = Jit::forThisMachine();
  AttentionSpec spec{.shape = kShape, .hooks = {{"keep", "causal"}}};
  if (!jit.device())
    spec.splits = 4;
  auto attention = Attention::plan(jit, spec, *lists);
  if (!attention)
    return takeError(attention);
  auto done = jit.device() ? runOnGpu(*attention, *jit.device(), *tensors) : runOnCpu(*attention, *tensors);
  if (!done)
    return takeError(done);

  AttentionProblem problem;
  problem.shape = kShape;
  problem.q = &tensors->q, problem.k = &tensors->k, problem.v = &tensors->v;
  problem.lists = &*lists;
  problem.scale = kScale;
  problem.keep = [&](int64_t, int64_t, int64_t i, int64_t j) { return causal->keeps(kShape, i, j); };
  auto check = checkAttention(problem, tensors->o, tensors->lse, pool);
  if (!check)
    return takeError(check);
  std::printf("%lld keys in %lld parts, %zu bytes of workspace, against float64: %s\n",
              static_cast<long long>(kShape.keys), static_cast<long long>(attention->splits()),
              attention->workspaceBytes(), check->passed ? "right" : "WRONG");
  return check->passed;
}

int main() {
  auto passed = run();
  if (!passed)
    std::fprintf(stderr, "%s\n", passed.error().render().c_str());
  return passed && *passed ? 0 : 1;
}
