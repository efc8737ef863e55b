#include "lacuna/Compiler/Pipeline/Report.h"

#include <nlohmann/json.hpp>

#include <cmath>

namespace lacuna {

using Json = nlohmann::ordered_json;

static Json structureJson(const KernelStructure &structure) {
  Json json;
  json["consumer_warpgroups"] = structure.consumerWarpgroups;
  json["producer_registers"] = structure.producerRegisters;
  json["consumer_registers"] = structure.consumerRegisters;
  json["persistent"] = structure.persistent;
  json["blocks_per_multiprocessor"] = structure.blocksPerMultiprocessor;
  json["rings"] = Json::array();
  for (const RingUse &ring : structure.rings)
    json["rings"].push_back({{"name", ring.name},
                             {"depth", ring.depth},
                             {"rows", ring.rows},
                             {"columns", ring.columns},
                             {"bytes", ring.bytes}});
  json["products"] = Json::array();
  for (const ProductUse &product : structure.products)
    json["products"].push_back({{"columns", product.columns},
                                {"terms", product.terms},
                                {"a", product.aInRegisters ? "registers" : "shared memory"}});
  json["overlap"] = structure.overlap;
  json["turns"] = structure.turns;
  json["masked_split"] = structure.maskedSplit;
  return json;
}

static Json stepJson(const StepCost &step) {
  auto rounded = [](double value, double unit) { return std::round(value / unit) * unit; };
  Json json;
  json["tensor_cycles"] = rounded(step.tensor, 1);
  json["shared_memory_cycles"] = rounded(step.shared, 1);
  json["special_function_cycles"] = rounded(step.special, 1);
  json["issue_cycles"] = rounded(step.issue, 1);
  json["copy_cycles"] = rounded(step.copies, 1);
  json["copied_bytes"] = step.copiedBytes;
  json["chain_cycles"] = rounded(step.chain, 1);
  json["cycles"] = rounded(step.cycles, 1);
  json["bound_by"] = step.boundBy;
  json["tensor_fraction"] = std::round(step.tensorFraction * 1000) / 1000;
  return json;
}

std::string reportJson(const CompileResult &result) {
  Json json;
  json["kernel"] = result.metadata.kernel;
  json["target"] = result.metadata.target;
  json["threads"] = result.metadata.threads;
  json["shared_bytes"] = result.metadata.sharedBytes;
  json["assembler"] = result.assembler;
  if (result.report) {
    json["registers"] = result.report->registers;
    json["stack_bytes"] = result.report->stackBytes;
    json["spill_store_bytes"] = result.report->spillStoreBytes;
    json["spill_load_bytes"] = result.report->spillLoadBytes;
    json["advisories"] = result.report->advisories;
  }
  json["decisions"] = result.kernel.decisions;
  if (result.kernel.structure)
    json["structure"] = structureJson(*result.kernel.structure);
  if (const auto &occupancy = result.kernel.occupancy)
    json["occupancy"] = {
        {"thread_blocks", occupancy->blocks}, {"warps", occupancy->warps}, {"limited_by", occupancy->limitedBy}};
  if (result.kernel.structure)
    json["prediction"] = result.kernel.step ? stepJson(*result.kernel.step) : Json();
  json["ms"] = Json::object();
  for (const StageTime &time : result.times)
    json["ms"][std::string(stageName(time.stage))] = time.milliseconds;
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

} // namespace lacuna
