#include "Harness.h"

#include "lacuna/Jit/Jit.h"
#include "lacuna/Runtime/Reference.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Parser/Parser.h"

#include <cmath>
#include <limits>

namespace lacuna::interpreter_tests {

using namespace numeric;
using namespace runtime;

//===--------------------------------------------------------------------------------------------------------------===//
// Kernels
//===--------------------------------------------------------------------------------------------------------------===//

Target &testTarget() {
  static Target target = [] {
    const char *name = std::getenv("LACUNA_TEST_TARGET");
    return parseTarget(name ? name : "sm_90a").value();
  }();
  return target;
}

Expected<WarpKernel> WarpKernel::compile(const std::string &file, Names params, Names hooks, std::string name) {
  CompileRequest request;
  request.fileName = "kernels_dsl/" + file;
  Expected<std::string> source = readTextFile(request.fileName);
  if (!source)
    return takeError(source);
  request.source = *source;
  request.target = testTarget();
  request.kernel = std::move(name);
  request.params = std::move(params);
  request.hooks = std::move(hooks);
  request.allScalarsPositive = true;
  request.stopAfter = Stage::WarpOpt;
  request.keep = {Stage::WarpOpt};
  Expected<CompileResult> compiled = Compiler().compile(request);
  if (!compiled)
    return takeError(compiled);

  WarpKernel kernel;
  kernel.metadata = compiled->metadata;
  kernel.context = std::make_shared<mlir::MLIRContext>(mlir::MLIRContext::Threading::DISABLED);
  kernel.context->loadDialect<tile::TileDialect, warp::WarpDialect, mlir::arith::ArithDialect, mlir::math::MathDialect,
                              mlir::scf::SCFDialect>();
  kernel.module = mlir::parseSourceString<mlir::ModuleOp>(compiled->texts.at(Stage::WarpOpt),
                                                          mlir::ParserConfig(kernel.context.get()), "warp.opt");
  if (!kernel.module)
    return makeError(ErrorCode::Internal, "stage warp.opt does not parse");
  return kernel;
}

Expected<WarpKernel> compileAttention(const AttentionSpec &spec, const Names &knobs) {
  Names params = paramsOf(spec);
  params.insert(knobs.begin(), knobs.end());
  return WarpKernel::compile(spec.packed ? "attention_packed.tile" : "attention_forward.tile", std::move(params),
                             hooksOf(spec));
}

std::vector<InterpreterOptions> schedules(uint64_t seeds) {
  std::vector<InterpreterOptions> result(2);
  result[0].schedule = InterpreterSchedule::Eager;
  result[0].persistentBlocks = 1;
  result[1].schedule = InterpreterSchedule::Late;
  for (uint64_t seed = 0; seed < seeds; ++seed) {
    InterpreterOptions options;
    options.schedule = InterpreterSchedule::Random;
    options.seed = seed;
    options.persistentBlocks = 1 + static_cast<int64_t>(seed % 3);
    result.push_back(options);
  }
  return result;
}

ThreadPool &pool() {
  static ThreadPool threads;
  return threads;
}

ArgumentValue input(const GuardedTensor &tensor) {
  return tensor.viewAt(const_cast<unsigned char *>(tensor.memory().data())); // inputs are only read
}
ArgumentValue output(GuardedTensor &tensor) {
  return tensor.hostView();
}

//===--------------------------------------------------------------------------------------------------------------===//
// Attention
//===--------------------------------------------------------------------------------------------------------------===//

template <class Hook> static const Hook &findHook(std::span<const Hook> hooks, std::string_view name) {
  for (const Hook &hook : hooks)
    if (hook.name == name)
      return hook;
  std::abort(); // a test names a hook that does not exist
}

AttentionCase makeCase(const CaseOptions &options) {
  AttentionCase attention;
  attention.seed = options.seed;
  AttentionSpec &spec = attention.spec;
  spec.dtype = options.dtype;
  spec.headDim = options.D;
  spec.valueDim = options.DV ? options.DV : options.D;
  spec.tile = {options.BM, options.BN};
  spec.queryBlock = options.QB ? options.QB : options.BM;
  spec.keyBlock = options.KB ? options.KB : options.BN;
  spec.mask = &findHook(maskHooks(), options.mask);
  spec.score = &findHook(scoreHooks(), options.score);
  attention.shape = {options.batch, options.heads, options.kvHeads, options.M, options.N, spec.headDim, spec.valueDim};
  attention.lists = options.lists;
  attention.scale = options.steep ? numeric::ScaleKind::One : numeric::ScaleKind::Usual;
  if (options.packed)
    spec.packed =
        runtime::PackedTile{options.heads / options.kvHeads, options.BM * options.kvHeads / options.heads, options.BN};
  if (options.synthesised)
    spec.rows = numeric::patternOf(*spec.mask);
  return attention;
}

static HostTensor normal(DType dtype, std::vector<int64_t> shape, uint64_t seed, uint64_t stream) {
  HostTensor tensor = makeTensor(dtype, std::move(shape));
  fillNormal(tensor, seed, stream, pool());
  return tensor;
}

/// NaN in the rows of every key block that no list of any head of the group names.
static void poisonUnlisted(const AttentionShape &shape, const BlockLists &lists, HostTensor &tensor, int64_t columns) {
  const int64_t group = shape.heads / shape.kvHeads;
  for (int64_t head = 0; head < shape.batch * shape.kvHeads; ++head) {
    std::vector<bool> named(static_cast<size_t>(lists.keyBlocks));
    for (int64_t h = head % shape.kvHeads * group; h < (head % shape.kvHeads + 1) * group; ++h)
      for (int64_t r = 0; r < lists.rowBlocks; ++r) {
        const int64_t row = lists.row(head / shape.kvHeads, h, r);
        for (auto part : {lists.partialBlocks(row), lists.fullBlocks(row)})
          for (int32_t block : part)
            named[static_cast<size_t>(block)] = true;
      }
    for (int64_t j = 0; j < shape.keys; ++j)
      for (int64_t d = 0; d < columns && !named[static_cast<size_t>(j / lists.keyBlock)]; ++d)
        setValue(tensor, (head * shape.keys + j) * columns + d, std::numeric_limits<float>::quiet_NaN());
  }
}

AttentionRun::AttentionRun(const AttentionCase &given)
    : attention(given), lists(makeLists(given).value()), listsOfHeads(numeric::listsOfHeads(given.shape, lists)),
      scale(given.scale == numeric::ScaleKind::One
                ? 1.0f
                : static_cast<float>(1 / std::sqrt(static_cast<double>(given.spec.headDim)))) {
  const AttentionShape &shape = attention.shape;
  const DType dtype = attention.spec.dtype;
  q = normal(dtype, {shape.batch, shape.heads, shape.queries, shape.headDim}, attention.seed, 10);
  k = normal(dtype, {shape.batch, shape.kvHeads, shape.keys, shape.headDim}, attention.seed, 11);
  v = normal(dtype, {shape.batch, shape.kvHeads, shape.keys, shape.valueDim}, attention.seed, 12);
  poisonUnlisted(shape, listsOfHeads, k, shape.headDim);
  poisonUnlisted(shape, listsOfHeads, v, shape.valueDim);
  placedQ = GuardedTensor(q, Layout::withGaps(q.shape(), 1));
  placedK = GuardedTensor(k, Layout::withAxesSwapped(k.shape(), 1, 2));
  placedV = GuardedTensor(v, Layout::withGaps(v.shape(), 2));
  o = GuardedTensor(dtype, Layout::withGaps({shape.batch, shape.heads, shape.queries, shape.valueDim}, 1));
  lse = GuardedTensor(DType::F32, Layout::withGaps({shape.batch, shape.heads, shape.queries}, 1));
}

Expected<InterpreterReport> AttentionRun::interpret(WarpKernel &kernel, const InterpreterOptions &options) {
  o.poison();
  lse.poison();
  std::vector<ArgumentValue> arguments = {input(placedQ), input(placedK), input(placedV), lists.view(),
                                          output(o),      output(lse),    scale};
  if (!attention.spec.rows.empty())
    arguments.erase(arguments.begin() + 3);
  Expected<InterpreterReport> report = interpretWarp(kernel.func(), kernel.metadata, arguments, options);
  for (const GuardedTensor *tensor : {&o, &lse})
    if (auto stray = tensor->findStrayWrite(); report && stray)
      return makeError(ErrorCode::Internal, "{}", *stray);
  return report;
}

std::vector<std::string> AttentionRun::check() {
  AttentionProblem problem;
  problem.shape = attention.shape;
  problem.q = &q, problem.k = &k, problem.v = &v;
  problem.lists = &listsOfHeads;
  problem.scale = scale;
  const AttentionShape &shape = attention.shape;
  const ScoreHook &score = *attention.spec.score;
  const MaskHook &mask = *attention.spec.mask;
  if (score.score)
    problem.score = [&](double s, int64_t b, int64_t h, int64_t i, int64_t j) {
      return score.score(shape, s, b, h, i, j);
    };
  if (mask.keeps)
    problem.keep = [&](int64_t b, int64_t h, int64_t i, int64_t j) { return mask.keeps(shape, b, h, i, j); };
  Expected<CheckReport> report = checkAttention(problem, o.gather(), lse.gather(), pool());
  if (!report)
    return {report.error().render()};
  return report->passed ? std::vector<std::string>() : report->reasons;
}

std::vector<unsigned char> AttentionRun::bits() const {
  std::vector<unsigned char> result = o.memory();
  result.insert(result.end(), lse.memory().begin(), lse.memory().end());
  return result;
}

} // namespace lacuna::interpreter_tests
