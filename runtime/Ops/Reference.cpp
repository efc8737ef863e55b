#include "lacuna/Runtime/Reference.h"

#include "MatrixProduct.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lacuna::runtime {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// Scores of the rows in flight, per thread, in both precisions.
constexpr int64_t kScoreBytes = int64_t(8) << 20;

int64_t padded(int64_t columns) {
  return (columns + kProductColumns - 1) / kProductColumns * kProductColumns;
}

/// A tile of k or v in both precisions, rows padded to kProductColumns with zeros.
struct Tile {
  std::vector<double> wide;
  std::vector<float> narrow;

  /// Elements [first, first + count) x [0, width) of a [.., width] tensor, starting at flat element `base`; or its
  /// transpose.
  void load(const HostTensor &tensor, int64_t base, int64_t count, int64_t width, bool transpose) {
    const int64_t rows = transpose ? width : count, stride = padded(transpose ? count : width);
    wide.assign(static_cast<size_t>(rows * stride), 0);
    narrow.assign(static_cast<size_t>(rows * stride), 0);
    const uint16_t *source = tensor.as<uint16_t>().data() + base;
    for (int64_t row = 0; row < count; ++row)
      for (int64_t column = 0; column < width; ++column) {
        float value = floatFrom16(tensor.dtype(), source[row * width + column]);
        size_t at = static_cast<size_t>(transpose ? column * stride + row : row * stride + column);
        wide[at] = value;
        narrow[at] = value;
      }
  }
};

struct ListedBlock {
  int64_t firstKey, keys, column; ///< `column`: where its scores start in a row of scores
  bool partial;
};

/// The computation of a few rows of one head, all in one row block.
class RowsComputation {
public:
  RowsComputation(const AttentionProblem &problem, int64_t b, int64_t h, int64_t rowBlock)
      : problem(problem), shape(problem.shape), b(b), h(h) {
    const BlockLists &lists = *problem.lists;
    int64_t row = lists.row(b, h, rowBlock);
    addBlocks(lists.partialBlocks(row), true);
    addBlocks(lists.fullBlocks(row), false);
    int64_t kvHead = b * shape.kvHeads + h / (shape.heads / shape.kvHeads);
    keyBase = kvHead * shape.keys * shape.headDim;
    valueBase = kvHead * shape.keys * shape.valueDim;
  }

  int64_t rowsAtOnce() const {
    return std::clamp<int64_t>(kScoreBytes / (static_cast<int64_t>(sizeof(double) + sizeof(float)) * (columns + 1)), 1,
                               32);
  }

  void run(std::span<const int64_t> rows, double *o, double *lse, float *eager) {
    const int64_t count = static_cast<int64_t>(rows.size()), stride = padded(shape.valueDim);
    computeScores(rows);
    std::vector<double> sums(static_cast<size_t>(count));
    for (int64_t r = 0; r < count; ++r)
      lse[r] = softmax(r, sums[static_cast<size_t>(r)]);
    std::vector<double> wideO(static_cast<size_t>(count * stride));
    std::vector<float> narrowO(static_cast<size_t>(count * stride));
    for (const ListedBlock &block : blocks) {
      tile.load(*problem.v, valueBase + block.firstKey * shape.valueDim, block.keys, shape.valueDim, false);
      addProduct(count, stride, block.keys, wide.data() + block.column, columns, tile.wide.data(), stride, wideO.data(),
                 stride);
      addProduct(count, stride, block.keys, narrow.data() + block.column, columns, tile.narrow.data(), stride,
                 narrowO.data(), stride);
    }
    const DType dtype = problem.q->dtype();
    for (int64_t r = 0; r < count; ++r)
      for (int64_t d = 0; d < shape.valueDim; ++d) {
        bool empty = sums[static_cast<size_t>(r)] == 0;
        size_t from = static_cast<size_t>(r * stride + d), to = static_cast<size_t>(r * shape.valueDim + d);
        o[to] = empty ? 0 : wideO[from] / sums[static_cast<size_t>(r)];
        eager[to] = empty ? 0 : floatFrom16(dtype, floatTo16(dtype, narrowO[from]));
      }
  }

private:
  void addBlocks(std::span<const int32_t> part, bool partial) {
    for (int32_t index : part) {
      int64_t first = index * problem.lists->keyBlock;
      int64_t keys = std::min(problem.lists->keyBlock, shape.keys - first);
      blocks.push_back({first, keys, columns, partial});
      columns += padded(keys);
    }
  }

  /// Scores after scale, hook and mask, in both precisions; padding columns are -inf.
  void computeScores(std::span<const int64_t> rows) {
    const int64_t count = static_cast<int64_t>(rows.size()), width = shape.headDim;
    std::vector<double> wideQ(static_cast<size_t>(count * width));
    std::vector<float> narrowQ(static_cast<size_t>(count * width));
    for (int64_t r = 0; r < count; ++r)
      for (int64_t d = 0; d < width; ++d) {
        int64_t from = ((b * shape.heads + h) * shape.queries + rows[static_cast<size_t>(r)]) * width + d;
        wideQ[static_cast<size_t>(r * width + d)] = narrowQ[static_cast<size_t>(r * width + d)] =
            problem.q->valueAt(from);
      }
    wide.assign(static_cast<size_t>(count * columns), 0);
    narrow.assign(static_cast<size_t>(count * columns), 0);
    for (const ListedBlock &block : blocks) {
      const int64_t stride = padded(block.keys);
      tile.load(*problem.k, keyBase + block.firstKey * width, block.keys, width, true);
      addProduct(count, stride, width, wideQ.data(), width, tile.wide.data(), stride, wide.data() + block.column,
                 columns);
      addProduct(count, stride, width, narrowQ.data(), width, tile.narrow.data(), stride, narrow.data() + block.column,
                 columns);
      for (int64_t r = 0; r < count; ++r)
        finishScores(block, r, rows[static_cast<size_t>(r)]);
    }
  }

  void finishScores(const ListedBlock &block, int64_t r, int64_t i) {
    double *wideRow = wide.data() + r * columns + block.column;
    float *narrowRow = narrow.data() + r * columns + block.column;
    for (int64_t j = 0; j < block.keys; ++j) {
      wideRow[j] *= problem.scale;
      narrowRow[j] *= problem.scale;
    }
    if (problem.score)
      for (int64_t j = 0; j < block.keys; ++j) {
        wideRow[j] = problem.score(wideRow[j], b, h, i, block.firstKey + j);
        narrowRow[j] = static_cast<float>(problem.score(narrowRow[j], b, h, i, block.firstKey + j));
      }
    if (block.partial && problem.keep)
      for (int64_t j = 0; j < block.keys; ++j)
        if (!problem.keep(b, h, i, block.firstKey + j)) {
          wideRow[j] = -kInfinity;
          narrowRow[j] = -std::numeric_limits<float>::infinity();
        }
    std::fill(wideRow + block.keys, wideRow + padded(block.keys), -kInfinity);
    std::fill(narrowRow + block.keys, narrowRow + padded(block.keys), -std::numeric_limits<float>::infinity());
  }

  /// Turns a row of scores into weights: exp(s - max) in float64, the normalised and rounded weights in float32.
  /// Returns the LSE and leaves the sum of the float64 weights in `sum`, 0 for an empty row. A NaN score makes all of
  /// them NaN.
  double softmax(int64_t r, double &sum) {
    std::span<double> wideRow(wide.data() + r * columns, static_cast<size_t>(columns));
    std::span<float> narrowRow(narrow.data() + r * columns, static_cast<size_t>(columns));
    double largest = -kInfinity;
    for (double s : wideRow)
      largest = s > largest ? s : largest;
    sum = 0;
    for (double &s : wideRow)
      sum += s = std::exp(s - (largest == -kInfinity ? 0 : largest));
    float narrowLargest = -std::numeric_limits<float>::infinity(), narrowSum = 0;
    for (float s : narrowRow)
      narrowLargest = s > narrowLargest ? s : narrowLargest;
    for (float &s : narrowRow)
      narrowSum += s = std::exp(s - (narrowLargest == -std::numeric_limits<float>::infinity() ? 0 : narrowLargest));
    const DType dtype = problem.q->dtype();
    for (float &s : narrowRow)
      s = floatFrom16(dtype, floatTo16(dtype, s / narrowSum));
    return largest + std::log(sum);
  }

  const AttentionProblem &problem;
  const AttentionShape &shape;
  int64_t b, h;
  int64_t keyBase = 0, valueBase = 0, columns = 0;
  std::vector<ListedBlock> blocks;
  std::vector<double> wide; ///< [rows, columns]: scores, then weights
  std::vector<float> narrow;
  Tile tile;
};

Expected<void> checkTensor(const HostTensor *tensor, const char *name, DType dtype, const std::vector<int64_t> &shape) {
  if (tensor && tensor->dtype() == dtype && tensor->shape() == shape)
    return {};
  std::string given = !tensor ? "nothing" : fmt::format("{}", dtypeName(tensor->dtype())), wanted;
  for (size_t axis = 0; tensor && axis < tensor->shape().size(); ++axis)
    given += fmt::format(" {}", tensor->shape()[axis]);
  for (int64_t extent : shape)
    wanted += fmt::format(" {}", extent);
  return makeError(ErrorCode::InvalidArgument, "{} is {}, and the attention's extents ask for {}{}", name, given,
                   dtypeName(dtype), wanted);
}

} // namespace

Expected<void> AttentionProblem::check() const {
  if (Expected<void> done = shape.check(); !done)
    return done;
  DType dtype = q ? q->dtype() : DType::BF16;
  if (dtypeSize(dtype) != 2)
    return makeError(ErrorCode::InvalidArgument, "q is {}; give bf16 or f16", dtypeName(dtype));
  if (!lists)
    return makeError(ErrorCode::InvalidArgument, "the attention has no block lists");
  return checkTensor(q, "q", dtype, {shape.batch, shape.heads, shape.queries, shape.headDim})
      .and_then([&] { return checkTensor(k, "k", dtype, {shape.batch, shape.kvHeads, shape.keys, shape.headDim}); })
      .and_then([&] { return checkTensor(v, "v", dtype, {shape.batch, shape.kvHeads, shape.keys, shape.valueDim}); })
      .and_then([&] { return lists->check(shape); });
}

ReferenceRows computeReference(const AttentionProblem &problem, int64_t b, int64_t h, int64_t rowBlock,
                               std::span<const int64_t> rows) {
  ReferenceRows result;
  const size_t width = static_cast<size_t>(problem.shape.valueDim);
  result.o.resize(rows.size() * width);
  result.eager.resize(rows.size() * width);
  result.lse.resize(rows.size());
  RowsComputation computation(problem, b, h, rowBlock);
  const size_t step = static_cast<size_t>(computation.rowsAtOnce());
  for (size_t first = 0; first < rows.size(); first += step) {
    size_t count = std::min(step, rows.size() - first);
    computation.run(rows.subspan(first, count), result.o.data() + first * width, result.lse.data() + first,
                    result.eager.data() + first * width);
  }
  return result;
}

} // namespace lacuna::runtime
