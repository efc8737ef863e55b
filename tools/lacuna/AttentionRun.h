//===- AttentionRun.h - The data and the launches ---------------*- C++ -*-===//

#ifndef LACUNA_TOOLS_ATTENTIONRUN_H
#define LACUNA_TOOLS_ATTENTIONRUN_H

#include "AttentionKernels.h"
#include "AttentionOptions.h"

#include "lacuna/Runtime/BlockLists.h"
#include "lacuna/Runtime/HostTensor.h"

#include <memory>

namespace lacuna::tools {

/// Inputs and outputs in host memory.
struct AttentionData {
  runtime::HostTensor q, k, v, o, lse;
  runtime::BlockLists lists;
  std::optional<runtime::BlockLists> rows = {}; ///< of planRows: the same, as the kernel reads them

  const runtime::BlockLists &kernelLists() const { return rows ? *rows : lists; }
};

/// Reads q.npy, k.npy and v.npy of --load; the type is --dtype, or what q.npy holds. Errors: as readNpy;
/// InvalidArgument where the shapes do not go together.
Expected<AttentionData> loadInputs(const AttentionOptions &options, runtime::AttentionShape &shape,
                                   runtime::DType &dtype);

/// Generates what was not loaded, makes or reads the lists, and makes the outputs, filled with NaN, so that what a
/// kernel does not write is seen. Errors: as HostTensor::allocate, Pattern::build and readBlockLists.
Expected<void> completeData(const AttentionPlan &plan, const AttentionOptions &options, runtime::ThreadPool &pool,
                            AttentionData &data);

/// Writes all of it as .npy into `directory`, which is made where missing.
Expected<void> saveData(const std::string &directory, const AttentionData &data);

/// The kernels bound to the data, on the CPU or with copies on the GPU. Thread safety: one thread at a time.
class AttentionRunner {
public:
  /// `data` must outlive the runner. Errors: ResourceExhausted where the GPU's memory is too small.
  static Expected<std::unique_ptr<AttentionRunner>> create(const AttentionKernels &kernels, const AttentionPlan &plan,
                                                           const std::optional<runtime::Device> &device,
                                                           AttentionData &data);
  virtual ~AttentionRunner() = default;

  /// One launch of each kernel, waited for, and its outputs in the data's o and lse.
  virtual Expected<void> run() = 0;
  /// The median time of these launches together in microseconds, after warm-up.
  virtual Expected<double> bench() = 0;
};

} // namespace lacuna::tools

#endif // LACUNA_TOOLS_ATTENTIONRUN_H
