#include "AttentionRun.h"

#include "lacuna/Runtime/Npy.h"
#include "lacuna/Runtime/Random.h"

#include <cstring>
#include <filesystem>
#include <sys/resource.h>
#include <unistd.h>

namespace lacuna::tools {

using namespace runtime;

Expected<AttentionData> loadInputs(const AttentionOptions &options, AttentionShape &shape, DType &dtype) {
  Expected<std::optional<DType>> requested = requestedDType(options);
  if (!requested)
    return takeError(requested);
  if (*requested) {
    dtype = **requested;
  } else {
    Expected<NpyArray> q = readNpy(options.load + "/q.npy");
    if (!q)
      return takeError(q);
    dtype = q->type == NpyType::F16 ? DType::F16 : DType::BF16;
  }
  AttentionData data;
  const std::pair<const char *, HostTensor *> tensors[] = {{"q", &data.q}, {"k", &data.k}, {"v", &data.v}};
  for (const auto &[name, tensor] : tensors) {
    std::string path = fmt::format("{}/{}.npy", options.load, name);
    Expected<HostTensor> read = readNpyTensor(path, dtype);
    if (!read)
      return takeError(read);
    if (read->shape().size() != 4)
      return makeError(ErrorCode::InvalidArgument, "{} has {} dimensions; give [batch, heads, length, head dimension]",
                       path, read->shape().size());
    *tensor = std::move(*read);
  }
  const std::vector<int64_t> &q = data.q.shape(), &k = data.k.shape(), &v = data.v.shape();
  if (k[0] != q[0] || k[3] != q[3] || v[0] != k[0] || v[1] != k[1] || v[2] != k[2])
    return makeError(
        ErrorCode::InvalidArgument,
        "q {}x{}x{}x{}, k {}x{}x{}x{} and v {}x{}x{}x{} do not go together; q and k need equal batches and head "
        "dimensions, k and v equal batches, heads and lengths",
        q[0], q[1], q[2], q[3], k[0], k[1], k[2], k[3], v[0], v[1], v[2], v[3]);
  shape = {q[0], q[1], k[1], q[2], k[2], q[3], v[3]};
  return data;
}

/// Whether this machine has the memory for the tensors and lists that are still to be made. Asked before any is, as an
/// allocation beyond it would succeed and the process be killed later.
static Expected<void> checkMemory(const AttentionPlan &plan, bool inputsLoaded) {
  const AttentionShape &shape = plan.shape;
  double rows = static_cast<double>(shape.batch * shape.heads) * static_cast<double>(shape.queries);
  double columns = static_cast<double>(shape.batch * shape.kvHeads) * static_cast<double>(shape.keys);
  double size = static_cast<double>(dtypeSize(plan.dtype));
  double bytes = rows * (static_cast<double>(shape.valueDim) * size + sizeof(float));
  if (!inputsLoaded)
    bytes +=
        (rows * static_cast<double>(shape.headDim) + columns * static_cast<double>(shape.headDim + shape.valueDim)) *
        size;
  // Of a row of blocks, the lists hold where it begins and where its full blocks do.
  const double lists = plan.pattern.entries(shape, plan.queryBlock, plan.keyBlock) +
                       2 * static_cast<double>((shape.queries + plan.queryBlock - 1) / plan.queryBlock);
  bytes += lists * sizeof(int32_t);
  double available = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
  rlimit limit{};
  const bool limited = getrlimit(RLIMIT_AS, &limit) == 0 && static_cast<double>(limit.rlim_cur) < available;
  if (limited)
    available = static_cast<double>(limit.rlim_cur);
  if (bytes > available)
    return makeError(
        ErrorCode::ResourceExhausted,
        "the tensors and lists take {:.1f} GiB, and this {} {:.1f} GiB of memory; make the batch, the heads or "
        "the lengths smaller, or the blocks larger",
        bytes / (1 << 30), limited ? "process may have (ulimit -v)" : "machine has", available / (1 << 30));
  return {};
}

Expected<void> completeData(const AttentionPlan &plan, const AttentionOptions &options, ThreadPool &pool,
                            AttentionData &data) {
  const AttentionShape &shape = plan.shape;
  auto allocate = [](HostTensor &tensor, DType dtype, std::vector<int64_t> extents) -> Expected<void> {
    Expected<HostTensor> made = HostTensor::allocate(dtype, std::move(extents));
    if (!made)
      return takeError(made);
    tensor = std::move(*made);
    return {};
  };
  if (Expected<void> fits = checkMemory(plan, !options.load.empty()); !fits)
    return fits;
  // Lists first: they are small, and a wrong one is then found before much else is done.
  Expected<BlockLists> lists = plan.pattern.kind == Pattern::Kind::Lists
                                   ? readBlockLists(plan.pattern.directory, shape, plan.queryBlock, plan.keyBlock)
                                   : plan.pattern.build(shape, plan.queryBlock, plan.keyBlock, options.seed);
  if (!lists)
    return takeError(lists);
  data.lists = std::move(*lists);

  if (options.load.empty()) {
    const std::tuple<HostTensor *, int64_t, int64_t, int64_t> inputs[] = {
        {&data.q, shape.heads, shape.queries, shape.headDim},
        {&data.k, shape.kvHeads, shape.keys, shape.headDim},
        {&data.v, shape.kvHeads, shape.keys, shape.valueDim}};
    uint64_t stream = 0;
    for (const auto &[tensor, heads, length, width] : inputs) {
      if (Expected<void> made = allocate(*tensor, plan.dtype, {shape.batch, heads, length, width}); !made)
        return made;
      fillNormal(*tensor, options.seed, stream++, pool);
    }
  }
  if (Expected<void> made = allocate(data.o, plan.dtype, {shape.batch, shape.heads, shape.queries, shape.valueDim});
      !made)
    return made;
  if (Expected<void> made = allocate(data.lse, DType::F32, {shape.batch, shape.heads, shape.queries}); !made)
    return made;
  std::memset(data.o.data(), 0xff, data.o.bytes()); // all ones is a NaN in every type
  std::memset(data.lse.data(), 0xff, data.lse.bytes());
  return {};
}

Expected<void> saveData(const std::string &directory, const AttentionData &data) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed)
    return makeError(ErrorCode::Unavailable, "the directory {} cannot be made: {}", directory, failed.message());
  const std::pair<const char *, const HostTensor *> tensors[] = {
      {"q", &data.q}, {"k", &data.k}, {"v", &data.v}, {"o", &data.o}, {"lse", &data.lse}};
  for (const auto &[name, tensor] : tensors)
    if (Expected<void> written = writeNpyTensor(fmt::format("{}/{}.npy", directory, name), *tensor); !written)
      return written;
  return writeBlockLists(directory, data.lists);
}

} // namespace lacuna::tools
