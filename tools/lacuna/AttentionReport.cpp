#include "AttentionReport.h"

#include <nlohmann/json.hpp>

#include <charconv>

namespace lacuna::tools {

using namespace runtime;

namespace {

using Json = nlohmann::ordered_json;

/// Operations in microseconds -> 10^12 operations a second.
double teraflops(double operations, double microseconds) {
  return operations / microseconds * 1e-6;
}

Json object(const std::vector<std::pair<std::string, std::string>> &pairs) {
  Json json = Json::object();
  for (const auto &[name, value] : pairs) {
    int64_t number = 0;
    auto [end, status] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (status == std::errc() && end == value.data() + value.size())
      json[name] = number;
    else
      json[name] = value;
  }
  return json;
}

Json checkJson(const CheckReport &check) {
  return Json{{"passed", check.passed},
              {"rel_frobenius", check.relFrobenius},
              {"max_abs", check.maxAbs},
              {"lse_max_abs", check.lseMaxAbs},
              {"eager_rel_frobenius", check.eagerRelFrobenius},
              {"rows_checked", check.rowsChecked},
              {"rows_total", check.rowsTotal},
              {"sampled", check.sampled},
              {"reasons", check.reasons}};
}

} // namespace

std::string AttentionReport::json() const {
  const AttentionShape &shape = plan.shape;
  Json json;
  json["target"] = target;
  json["device"] = deviceName;
  json["kernel"] = kernel;
  json["params"] = object(params);
  if (!tileOrigin.empty())
    json["tile"] = tileOrigin;
  if (!plan.packing.empty())
    json["packing"] = plan.packing;
  json["hooks"] = object(hooks);
  json["problem"] = Json{{"batch", shape.batch},        {"heads", shape.heads},
                         {"kv_heads", shape.kvHeads},   {"queries", shape.queries},
                         {"keys", shape.keys},          {"head_dim", shape.headDim},
                         {"value_dim", shape.valueDim}, {"dtype", dtypeName(plan.dtype)},
                         {"pattern", patternText},      {"block", {plan.queryBlock, plan.keyBlock}},
                         {"scale", plan.scale}};
  json["lists"] = plan.synthesised ? "synthesised" : "memory";
  json["blocks"] = Json{{"partial", blocks.partial}, {"full", blocks.full}, {"density", blocks.density}};
  json["splits"] = splits;
  if (check)
    json["check"] = checkJson(*check);
  if (medianUs)
    json["bench"] = Json{{"median_us", *medianUs},
                         {"tflops_executed", teraflops(executedFlops, *medianUs)},
                         {"tflops_dense", teraflops(shape.denseFlops(), *medianUs)}};
  if (medianUs && predicted) {
    json["bench"]["predicted_us"] = predicted->microseconds;
    json["bench"]["bound_by"] = predicted->boundBy;
    json["bench"]["predicted_tensor_fraction"] = predicted->tensorFraction;
  }
  Json stages = Json::object();
  for (const auto &[stage, milliseconds] : stageMs)
    stages[stage] = milliseconds;
  json["compile"] = Json{{"cached", cached}, {"ms", stages}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string AttentionReport::text() const {
  const AttentionShape &shape = plan.shape;
  std::string values;
  for (const auto &[name, value] : params)
    values += fmt::format("{}{}={}", values.empty() ? "" : " ", name, value);
  std::string lines = fmt::format("{} on {} ({})\n", kernel, target, deviceName);
  lines += fmt::format("  problem  batch {}, heads {}, KV heads {}, queries {}, keys {}, head dimension {}, {}\n",
                       shape.batch, shape.heads, shape.kvHeads, shape.queries, shape.keys, shape.headDim,
                       dtypeName(plan.dtype));
  lines += fmt::format("  params   {}\n", values);
  if (!tileOrigin.empty())
    lines += fmt::format("  tile     {}\n", tileOrigin);
  if (!plan.packing.empty())
    lines += fmt::format("  packing  {}\n", plan.packing);
  for (const auto &[name, body] : hooks)
    lines += fmt::format("  hook     {} = {}\n", name, body);
  lines += fmt::format("  blocks   {}: {} partial and {} full of {}x{}, density {:.4g}, {}\n", patternText,
                       blocks.partial, blocks.full, plan.queryBlock, plan.keyBlock, blocks.density,
                       plan.synthesised ? "synthesised in the kernel" : "from lists in memory");
  if (splits > 1)
    lines += fmt::format("  splits   {}: the longest row in so many parts, merged by a second launch\n", splits);
  double total = 0;
  std::string stages;
  for (const auto &[stage, milliseconds] : stageMs) {
    total += milliseconds;
    stages += fmt::format("{}{} {:.1f}", stages.empty() ? "" : ", ", stage, milliseconds);
  }
  lines += cached != "none" ? fmt::format("  compile  nothing, it was in the cache ({})\n", cached)
                            : fmt::format("  compile  {:.1f} ms{}{}\n", total, stages.empty() ? "" : ": ", stages);
  lines += fmt::format("  data     {:.1f} ms;  first run {:.1f} ms\n", dataMs, firstRunMs);
  if (medianUs)
    lines += fmt::format(
        "  bench    {:.1f} us a launch, {:.4g} TFLOP/s on the listed blocks, {:.4g} TFLOP/s dense-equivalent\n",
        *medianUs, teraflops(executedFlops, *medianUs), teraflops(shape.denseFlops(), *medianUs));
  if (medianUs && predicted)
    lines += fmt::format("           predicted {:.1f} us at least, bound by {}\n", predicted->microseconds,
                         predicted->boundBy);
  if (check) {
    lines += fmt::format(
        "  check    {} against float64: O relative Frobenius {:.3g} (eager {:.3g}), largest {:.3g}; LSE largest "
        "{:.3g}\n",
        check->passed ? "passed" : "FAILED", check->relFrobenius, check->eagerRelFrobenius, check->maxAbs,
        check->lseMaxAbs);
    lines += check->sampled
                 ? fmt::format("           {} of {} rows: random ones, and the first and last row block of each "
                               "head ({:.1f} s)\n",
                               check->rowsChecked, check->rowsTotal, checkMs * 1e-3)
                 : fmt::format("           all {} rows ({:.1f} s)\n", check->rowsTotal, checkMs * 1e-3);
    for (const std::string &reason : check->reasons)
      lines += fmt::format("           {}\n", reason);
  }
  if (!savedTo.empty())
    lines += fmt::format("  saved    {}\n", savedTo);
  return lines;
}

} // namespace lacuna::tools
