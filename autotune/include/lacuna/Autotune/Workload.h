//===- Workload.h - Data of a shape, and launches on it ---------*- C++ -*-===//
//
// What a worker times candidates on: tensors of random normal numbers and block lists, made from the launch metadata of
// the first candidate and the dimensions of a shape. All candidates run on the same tensors; lists follow the block
// that each candidate's lists have. Results are held to those of the first candidate, so that a fast wrong one cannot
// win.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_AUTOTUNE_WORKLOAD_H
#define LACUNA_AUTOTUNE_WORKLOAD_H

#include "lacuna/Runtime/BlockLists.h"
#include "lacuna/Runtime/CpuKernel.h"
#include "lacuna/Runtime/DeviceCopies.h"
#include "lacuna/Runtime/HostTensor.h"
#include "lacuna/Runtime/Kernel.h"
#include "lacuna/Runtime/Pattern.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace lacuna::autotune {

struct WorkloadSpec {
  std::map<std::string, int64_t> dims;
  std::string pattern;     ///< of the lists; empty without lists
  std::string listColumns; ///< the dimension that lists name blocks of
};

using LoadedCode = std::variant<runtime::Kernel, runtime::CpuKernel>;

/// Thread safety: one thread at a time.
class Workload {
public:
  /// `device`: none for a CPU, whose kernels bring their own pool; `pool` fills the tensors.
  /// Errors: InvalidArgument for a pattern that cannot be read.
  static Expected<std::unique_ptr<Workload>> create(WorkloadSpec spec, std::optional<runtime::Device> device,
                                                    std::shared_ptr<runtime::ThreadPool> pool);
  ~Workload();

  /// Binds a kernel to the data. Errors: as HostTensor::allocate and DeviceBuffer::allocate.
  Expected<void> load(size_t id, LoadedCode code);
  /// Runs a kernel once and compares its results with those of the first that was checked. Errors: as launches;
  /// NotFound; VerifyError for other results.
  Expected<void> check(size_t id);
  /// One launch that is not timed, then `launches` that are; microseconds of each. Errors: as launches; NotFound.
  Expected<std::vector<double>> time(size_t id, int launches);

private:
  struct Lists;
  struct Loaded;
  Workload(WorkloadSpec spec, std::optional<runtime::Device> device, std::shared_ptr<runtime::ThreadPool> pool);
  Expected<void> makeTensors(const runtime::LaunchMetadata &metadata);
  Expected<const Lists *> listsOf(int64_t queryBlock, int64_t keyBlock);
  Expected<std::vector<runtime::ArgumentValue>> argumentsOf(const runtime::LaunchMetadata &metadata);
  Expected<void> giveOrder(Loaded &kernel);
  Expected<void> clearOutputs();
  Expected<std::vector<float>> sampleOutputs();
  Expected<void> launch(const Loaded &kernel);
  Expected<std::vector<double>> timeOnDevice(const Loaded &kernel, int launches);

  WorkloadSpec spec;
  runtime::Pattern pattern;
  runtime::AttentionShape listShape; ///< what lists are built for
  std::optional<runtime::Device> device;
  std::optional<runtime::Stream> stream;
  std::shared_ptr<runtime::ThreadPool> pool;
  struct Tensor {
    runtime::HostTensor host;
    void *address = nullptr;                 ///< where kernels see it
    runtime::DeviceBuffer *buffer = nullptr; ///< one of `copies`, where there is a GPU
    bool output = false;
  };
  std::map<std::string, Tensor> tensors;
  std::optional<runtime::DeviceCopies> copies; ///< where there is a GPU
  std::map<std::pair<int64_t, int64_t>, std::unique_ptr<Lists>> lists;
  std::map<size_t, std::unique_ptr<Loaded>> kernels;
  std::vector<float> reference; ///< a sample of the first candidate's results
};

} // namespace lacuna::autotune

#endif // LACUNA_AUTOTUNE_WORKLOAD_H
