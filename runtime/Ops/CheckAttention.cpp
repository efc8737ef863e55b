#include "lacuna/Runtime/Random.h"
#include "lacuna/Runtime/Reference.h"

#include <algorithm>
#include <cmath>

namespace lacuna::runtime {
namespace {

/// The bounds of R18.
constexpr double kFrobeniusBoundBf16 = 4e-3, kFrobeniusBoundF16 = 8e-4, kLseBound = 2e-3, kEagerFactor = 2;
/// Where eager happens to be exact (one key a row, say), twice its error is nothing; a few outputs rounded the other
/// way are then still allowed, up to this share of the absolute bound.
constexpr double kEagerFloor = 0.125;

/// What one work item adds to the report.
struct Differences {
  double error = 0, eagerError = 0, norm = 0; ///< sums of squares
  double maxAbs = 0, lseMaxAbs = 0, lseLargest = 0;
  int64_t rows = 0;
  std::string reason; ///< the first thing that is wrong whatever the bounds

  void merge(const Differences &other) {
    error += other.error;
    eagerError += other.eagerError;
    norm += other.norm;
    maxAbs = std::max(maxAbs, other.maxAbs);
    lseMaxAbs = std::max(lseMaxAbs, other.lseMaxAbs);
    lseLargest = std::max(lseLargest, other.lseLargest);
    rows += other.rows;
    if (reason.empty())
      reason = other.reason;
  }
};

/// Rows of one row block of one head.
struct WorkItem {
  int64_t b, h, rowBlock;
  std::vector<int64_t> rows;
};

/// Every row, or `sampled` random ones a head with the first and last row block; at most 32 rows an item.
std::vector<WorkItem> planRows(const AttentionProblem &problem, bool everyRow, const CheckOptions &options) {
  constexpr size_t kRowsAnItem = 32;
  const AttentionShape &shape = problem.shape;
  const int64_t block = problem.lists->queryBlock, lastBlock = problem.lists->rowBlocks - 1;
  std::vector<WorkItem> items;
  for (int64_t head = 0; head < shape.batch * shape.heads; ++head) {
    std::vector<int64_t> rows;
    for (int64_t i = 0; i < shape.queries; ++i)
      if (everyRow || i / block == 0 || i / block == lastBlock)
        rows.push_back(i);
    SplitMix64 random(options.seed, static_cast<uint64_t>(head) + 0x726f7773u);
    for (int64_t n = 0; !everyRow && n < options.sampledRows; ++n)
      rows.push_back(static_cast<int64_t>(random.below(static_cast<uint64_t>(shape.queries))));
    std::sort(rows.begin(), rows.end());
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    for (int64_t i : rows) {
      if (items.empty() || items.back().b * shape.heads + items.back().h != head ||
          items.back().rowBlock != i / block || items.back().rows.size() == kRowsAnItem)
        items.push_back({head / shape.heads, head % shape.heads, i / block, {}});
      items.back().rows.push_back(i);
    }
  }
  return items;
}

class Comparison {
public:
  Comparison(const AttentionProblem &problem, const HostTensor &o, const HostTensor &lse)
      : problem(problem), o(o), lse(lse) {}

  Differences run(const WorkItem &item) const {
    Differences result;
    ReferenceRows expected = computeReference(problem, item.b, item.h, item.rowBlock, item.rows);
    for (size_t r = 0; r < item.rows.size(); ++r)
      compareRow(item, r, expected, result);
    result.rows = static_cast<int64_t>(item.rows.size());
    return result;
  }

private:
  static void complain(Differences &result, const WorkItem &item, size_t r, const std::string &what) {
    if (result.reason.empty())
      result.reason = fmt::format("batch {}, head {}, row {}: {}", item.b, item.h, item.rows[r], what);
  }

  void compareRow(const WorkItem &item, size_t r, const ReferenceRows &expected, Differences &result) const {
    const AttentionShape &shape = problem.shape;
    const int64_t row = (item.b * shape.heads + item.h) * shape.queries + item.rows[r], width = shape.valueDim;
    const double wantedLse = expected.lse[r];
    const double foundLse = lse.as<float>()[static_cast<size_t>(row)];
    const bool empty = wantedLse == -std::numeric_limits<double>::infinity();
    if (std::isfinite(wantedLse) && std::isfinite(foundLse)) {
      result.lseMaxAbs = std::max(result.lseMaxAbs, std::abs(foundLse - wantedLse));
      result.lseLargest = std::max(result.lseLargest, std::abs(wantedLse));
    } else if (std::isnan(wantedLse) ? !std::isnan(foundLse) : foundLse != wantedLse) {
      complain(result, item, r,
               fmt::format("LSE is {}, expected {}{}", foundLse, wantedLse, empty ? " (an empty row)" : ""));
    }
    for (int64_t d = 0; d < width; ++d) {
      const size_t at = r * static_cast<size_t>(width) + static_cast<size_t>(d);
      const double found = o.valueAt(row * width + d), wanted = expected.o[at], eager = expected.eager[at];
      // A value past the type's range rounds to infinity.
      const double rounded = floatFrom16(o.dtype(), floatTo16(o.dtype(), static_cast<float>(wanted)));
      if (std::isfinite(found) && std::isfinite(rounded) && !(empty && found != 0)) {
        result.error += (found - wanted) * (found - wanted);
        result.norm += wanted * wanted;
        result.maxAbs = std::max(result.maxAbs, std::abs(found - wanted));
        if (std::isfinite(eager))
          result.eagerError += (eager - wanted) * (eager - wanted);
      } else if (std::isnan(rounded) ? !std::isnan(found) : found != rounded) {
        complain(result, item, r,
                 fmt::format("O[{}] is {}, expected {}{}", d, found, rounded, empty ? " (an empty row)" : ""));
      }
    }
  }

  const AttentionProblem &problem;
  const HostTensor &o, &lse;
};

/// sqrt(error / norm), where nothing over nothing is 0.
double relative(double error, double norm) {
  return error == 0 ? 0 : std::sqrt(error / norm);
}

CheckReport judge(const Differences &total, DType dtype) {
  CheckReport report;
  report.relFrobenius = relative(total.error, total.norm);
  report.eagerRelFrobenius = relative(total.eagerError, total.norm);
  report.maxAbs = total.maxAbs;
  report.lseMaxAbs = total.lseMaxAbs;
  report.rowsChecked = total.rows;
  const double bound = dtype == DType::BF16 ? kFrobeniusBoundBf16 : kFrobeniusBoundF16;
  const double eagerBound = std::max(kEagerFactor * report.eagerRelFrobenius, kEagerFloor * bound);
  const double lseBound = kLseBound * std::max(1.0, total.lseLargest);
  if (!total.reason.empty())
    report.reasons.push_back(total.reason);
  if (!(report.relFrobenius <= bound))
    report.reasons.push_back(fmt::format("the relative Frobenius error of O is {:.3g}, above {:.3g} for {}",
                                         report.relFrobenius, bound, dtypeName(dtype)));
  if (!(report.relFrobenius <= eagerBound))
    report.reasons.push_back(
        fmt::format("the relative Frobenius error of O is {:.3g}, above twice that of eager attention ({:.3g})",
                    report.relFrobenius, report.eagerRelFrobenius));
  if (!(report.lseMaxAbs <= lseBound))
    report.reasons.push_back(
        fmt::format("the largest error of LSE is {:.3g}, above {:.3g}", report.lseMaxAbs, lseBound));
  report.passed = report.reasons.empty();
  return report;
}

} // namespace

Expected<CheckReport> checkAttention(const AttentionProblem &problem, const HostTensor &o, const HostTensor &lse,
                                     ThreadPool &pool, const CheckOptions &options) {
  if (Expected<void> done = problem.check(); !done)
    return takeError(done);
  const AttentionShape &shape = problem.shape;
  const std::vector<int64_t> lseShape = {shape.batch, shape.heads, shape.queries};
  std::vector<int64_t> outputShape = lseShape;
  outputShape.push_back(shape.valueDim);
  if (o.dtype() != problem.q->dtype() || o.shape() != outputShape || lse.dtype() != DType::F32 ||
      lse.shape() != lseShape)
    return makeError(ErrorCode::InvalidArgument, "o must be {} [{}, {}, {}, {}] and lse f32 [{}, {}, {}]",
                     dtypeName(problem.q->dtype()), shape.batch, shape.heads, shape.queries, shape.valueDim,
                     shape.batch, shape.heads, shape.queries);

  const bool everyRow = problem.lists->executedFlops(shape) <= options.fullCheckFlops;
  std::vector<WorkItem> items = planRows(problem, everyRow, options);
  std::vector<Differences> parts(items.size());
  Comparison comparison(problem, o, lse);
  pool.parallelFor(static_cast<int64_t>(items.size()), [&](int64_t index) {
    parts[static_cast<size_t>(index)] = comparison.run(items[static_cast<size_t>(index)]);
  });
  Differences total;
  for (const Differences &part : parts)
    total.merge(part);
  CheckReport report = judge(total, o.dtype());
  report.rowsTotal = shape.batch * shape.heads * shape.queries;
  report.sampled = report.rowsChecked < report.rowsTotal;
  return report;
}

} // namespace lacuna::runtime
