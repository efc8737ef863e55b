#include "AttentionCommand.h"

#include "AttentionRun.h"

#include "lacuna/Runtime/CacheDirectory.h"
#include "lacuna/Runtime/Knobs.h"

#include <chrono>

namespace lacuna::tools {

using namespace runtime;

namespace {

constexpr int kFailed = 1, kWrongCall = 2;

/// Milliseconds since it was made.
class StopWatch {
public:
  double milliseconds() const {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  }

private:
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
};

CommandResult failure(int status, const Error &error) {
  return {status, "", fmt::format("lacuna attention: {}\n", error.render())};
}

void describeRequest(const AttentionPlan &plan, AttentionRequest &request) {
  const AttentionShape &shape = plan.shape;
  if (plan.packed)
    request.kernel = LibraryKernel::Packed;
  request.params = plan.packed ? packedParams(shape.headDim, shape.valueDim, plan.dtype, plan.kernelQueryBlock(),
                                              plan.keyBlock, *plan.packed)
                               : attentionParams(shape.headDim, shape.valueDim, plan.dtype, plan.kernelQueryBlock(),
                                                 plan.keyBlock, plan.tile);
  if (std::string keep = plan.pattern.keepHook(); !keep.empty())
    request.hooks.emplace_back("keep", keep);
  if (plan.synthesised)
    request.hooks.emplace_back("rows", plan.pattern.rowsHook());
  request.positiveScale = plan.scale > 0;
}

AttentionProblem problemOf(const AttentionPlan &plan, const AttentionData &data) {
  AttentionProblem problem;
  problem.shape = plan.shape;
  problem.q = &data.q;
  problem.k = &data.k;
  problem.v = &data.v;
  problem.lists = &data.lists;
  problem.scale = plan.scale;
  if (!plan.pattern.keepHook().empty())
    problem.keep = [&plan](int64_t, int64_t, int64_t i, int64_t j) { return plan.pattern.keeps(plan.shape, i, j); };
  return problem;
}

/// Puts the best known tile into the plan; where the caller left the lists open, they take its block. A packed tile and
/// parts that were asked for are not what was measured.
Expected<void> takeTile(const AttentionOptions &options, AttentionBackend &backend, AttentionRequest &request,
                        AttentionReport &report) {
  AttentionPlan &plan = report.plan;
  if (plan.packed || plan.splits)
    return {};
  const bool open = !options.block && plan.pattern.isFormula();
  TileQuestion question{.shape = plan.shape,
                        .dtype = plan.dtype,
                        .pattern = report.patternText,
                        .keep = plan.pattern.keepHook(),
                        .untold = plan.tile,
                        .device = request.device,
                        .target = request.target,
                        .threads = request.pool->threads()};
  if (!open)
    question.block = AttentionTile{plan.kernelQueryBlock(), plan.keyBlock};
  Expected<std::optional<TileAnswer>> answer = backend.chooseTile(question);
  if (!answer)
    return takeError(answer);
  if (!*answer)
    return {};
  report.tileOrigin = (*answer)->origin;
  request.choices = std::move((*answer)->choices);
  if (open && (*answer)->tile != plan.tile) {
    plan.queryBlock = (*answer)->tile.queries;
    plan.keyBlock = (*answer)->tile.keys;
  }
  plan.tile = (*answer)->tile;
  return {};
}

/// Makes the data, and chooses the tile: lists in memory are looked at first, a formula's follow the tile.
Expected<void> prepare(const AttentionOptions &options, AttentionBackend &backend, AttentionRequest &request,
                       AttentionData &data, AttentionReport &report) {
  AttentionPlan &plan = report.plan;
  auto complete = [&]() -> Expected<void> {
    StopWatch watch;
    Expected<void> done = completeData(plan, options, *request.pool, data);
    report.dataMs += watch.milliseconds();
    return done;
  };
  if (plan.pattern.isFormula()) {
    if (Expected<void> taken = takeTile(options, backend, request, report); !taken)
      return taken;
    return complete();
  }
  if (Expected<void> done = complete(); !done)
    return done;
  Expected<std::optional<BlockLists>> rows = planRows(options, data.lists, plan);
  if (!rows)
    return takeError(rows);
  data.rows = std::move(*rows);
  return takeTile(options, backend, request, report);
}

/// All the work behind an understood call; fills `report`.
Expected<void> work(const AttentionOptions &options, AttentionBackend &backend, AttentionData &data,
                    AttentionReport &report) {
  const AttentionPlan &plan = report.plan;
  AttentionRequest request;
  request.pool = std::make_shared<ThreadPool>();
  report.deviceName = fmt::format("{} threads", request.pool->threads());
  if (plan.gpu) {
    Expected<Device> device = Device::open();
    if (!device)
      return takeError(device);
    report.deviceName = device->info().name;
    request.device = std::move(*device);
    request.target = plan.target;
  }
  if (Expected<void> done = prepare(options, backend, request, data, report); !done)
    return done;
  describeRequest(plan, request);
  report.blocks = data.lists.count(plan.shape);
  report.executedFlops = data.lists.executedFlops(plan.shape);

  Expected<AttentionKernels> kernels = compileAttention(plan, request, backend, data.kernelLists());
  if (!kernels)
    return takeError(kernels);
  report.params = kernels->params;
  report.hooks = kernels->hooks;
  report.plan.synthesised = report.plan.synthesised && !kernels->split;
  report.target = kernels->code[0].metadata().target;
  report.kernel = kernels->code[0].metadata().kernel;
  report.cached = kernels->code[0].cached;
  report.splits = kernels->splits();
  report.stageMs = kernels->stageMs();
  report.predicted =
      kernels->predict(plan, data.kernelLists(), request.device ? request.device->info().multiprocessors : 1);

  Expected<std::unique_ptr<AttentionRunner>> runner = AttentionRunner::create(*kernels, plan, request.device, data);
  if (!runner)
    return takeError(runner);
  StopWatch runWatch;
  if (Expected<void> done = (*runner)->run(); !done)
    return done;
  report.firstRunMs = runWatch.milliseconds();
  if (options.bench) {
    Expected<double> median = (*runner)->bench();
    if (!median)
      return takeError(median);
    report.medianUs = *median;
  }
  if (options.check) {
    StopWatch checkWatch;
    CheckOptions checkOptions;
    checkOptions.seed = options.seed;
    Expected<CheckReport> check = checkAttention(problemOf(plan, data), data.o, data.lse, *request.pool, checkOptions);
    if (!check)
      return takeError(check);
    report.check = std::move(*check);
    report.checkMs = checkWatch.milliseconds();
  }
  if (!options.save.empty()) {
    if (Expected<void> saved = saveData(options.save, data); !saved)
      return saved;
    report.savedTo = options.save;
  }
  return {};
}

} // namespace

CommandResult attentionCommand(const AttentionOptions &options, AttentionBackend &backend) {
  AttentionData data;
  AttentionReport report;
  std::optional<AttentionShape> loadedShape;
  std::optional<DType> loadedDType;
  // The flags are looked at before any file, so that a wrong call is told at once; with --load its extents then decide.
  if (Expected<CacheMode> mode = Knobs::fromEnvironment().and_then(cacheModeOf); !mode)
    return failure(kWrongCall, mode.error());
  if (Expected<std::optional<DType>> dtype = requestedDType(options); !dtype)
    return failure(kWrongCall, dtype.error());
  if (!options.load.empty()) {
    StopWatch watch;
    AttentionShape shape;
    DType dtype = DType::BF16;
    Expected<AttentionData> loaded = loadInputs(options, shape, dtype);
    if (!loaded)
      return failure(kFailed, loaded.error());
    data = std::move(*loaded);
    loadedShape = shape;
    loadedDType = dtype;
    report.dataMs = watch.milliseconds();
  }
  Expected<AttentionPlan> plan = planAttention(options, loadedShape, loadedDType);
  if (!plan)
    return failure(plan.error().code == ErrorCode::InvalidArgument ? kWrongCall : kFailed, plan.error());
  report.plan = std::move(*plan);
  report.patternText = options.pattern;
  if (Expected<void> done = work(options, backend, data, report); !done)
    return failure(kFailed, done.error());

  CommandResult result;
  result.output = options.json ? report.json() : report.text();
  if (report.check && !report.check->passed) {
    result.status = kFailed;
    for (const std::string &reason : report.check->reasons)
      result.errors += fmt::format("lacuna attention: the check failed: {}\n", reason);
  }
  return result;
}

int runAttentionCommand(const AttentionOptions &options, AttentionBackend &backend) {
  return attentionCommand(options, backend).print();
}

} // namespace lacuna::tools
