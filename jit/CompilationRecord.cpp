#include "CompilationRecord.h"

#include <nlohmann/json.hpp>

// Fields are named as in C++. nlohmann's exceptions end in readRecord.
namespace lacuna {
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RingUse, name, depth, rows, columns, bytes)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ProductUse, columns, terms, aInRegisters)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(KernelStructure, consumerWarpgroups, producerRegisters, consumerRegisters,
                                   persistent, blocksPerMultiprocessor, rings, products, overlap, turns, maskedSplit)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Occupancy, blocks, warps, limitedBy)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(StepCost, tensor, shared, special, issue, copies, chain, copiedBytes, cycles,
                                   boundBy, tensorFraction)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(AssemblerReport, registers, stackBytes, spillStoreBytes, spillLoadBytes, advisories)

namespace {

template <class T> void write(nlohmann::json &json, const char *key, const std::optional<T> &value) {
  if (value)
    json[key] = *value;
}

template <class T> void read(const nlohmann::json &json, const char *key, std::optional<T> &value) {
  if (auto found = json.find(key); found != json.end())
    value = found->get<T>();
}

} // namespace

std::string writeRecord(const CompileResult &result) {
  nlohmann::json json;
  json["assembler"] = result.assembler;
  json["decisions"] = result.kernel.decisions;
  write(json, "report", result.report);
  write(json, "structure", result.kernel.structure);
  write(json, "step", result.kernel.step);
  write(json, "occupancy", result.kernel.occupancy);
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Expected<void> readRecord(std::string_view text, CompileResult &result) {
  try {
    nlohmann::json json = nlohmann::json::parse(text);
    json.at("assembler").get_to(result.assembler);
    json.at("decisions").get_to(result.kernel.decisions);
    read(json, "report", result.report);
    read(json, "structure", result.kernel.structure);
    read(json, "step", result.kernel.step);
    read(json, "occupancy", result.kernel.occupancy);
    return {};
  } catch (const nlohmann::json::exception &fault) {
    return makeError(ErrorCode::ParseError, "the record of a compilation is damaged: {}", fault.what());
  }
}

} // namespace lacuna
