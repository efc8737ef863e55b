#include "lacuna/Runtime/ProfilerRange.h"

#include <fmt/format.h>

#if LACUNA_NVTX
#include <nvtx3/nvToolsExt.h>
#endif

namespace lacuna::runtime {

#if LACUNA_NVTX

namespace {

/// Null: no profiler is attached. To NVTX null is the domain of those that name none, and we never use that one.
nvtxDomainHandle_t domain() {
  static const nvtxDomainHandle_t handle = nvtxDomainCreateA("lacuna");
  return handle;
}

std::string rangeText(std::string_view verb, std::string_view text) {
  return text.empty() ? std::string(verb) : fmt::format("{} {}", verb, text);
}

nvtxEventAttributes_t attributes(nvtxMessageType_t type, nvtxMessageValue_t message) {
  nvtxEventAttributes_t result = {};
  result.version = NVTX_VERSION;
  result.size = NVTX_EVENT_ATTRIB_STRUCT_SIZE;
  result.messageType = type;
  result.message = message;
  return result;
}

} // namespace

bool profilerRangesBuilt() {
  return true;
}

bool profilerAttached() {
  return domain() != nullptr;
}

RangeName::RangeName(std::string_view verb, std::string_view text) {
  if (profilerAttached())
    registered = nvtxDomainRegisterStringA(domain(), rangeText(verb, text).c_str());
}

void ProfilerRange::begin(std::string_view verb, std::string_view text) {
  if (!profilerAttached())
    return;
  const std::string whole = rangeText(verb, text);
  const nvtxEventAttributes_t event = attributes(NVTX_MESSAGE_TYPE_ASCII, {.ascii = whole.c_str()});
  nvtxDomainRangePushEx(domain(), &event);
}

void ProfilerRange::begin(const RangeName &name) {
  nvtxMessageValue_t message;
  message.registered = static_cast<nvtxStringHandle_t>(const_cast<void *>(name.registered));
  const nvtxEventAttributes_t event = attributes(NVTX_MESSAGE_TYPE_REGISTERED, message);
  nvtxDomainRangePushEx(domain(), &event);
}

void ProfilerRange::end() {
  if (profilerAttached())
    nvtxDomainRangePop(domain());
}

#else

bool profilerRangesBuilt() {
  return false;
}
bool profilerAttached() {
  return false;
}
RangeName::RangeName(std::string_view, std::string_view) {}
void ProfilerRange::begin(std::string_view, std::string_view) {}
void ProfilerRange::begin(const RangeName &) {}
void ProfilerRange::end() {}

#endif

} // namespace lacuna::runtime
