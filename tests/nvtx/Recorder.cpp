#include "Recorder.h"

#include <nvtx3/nvToolsExt.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <utility>

namespace lacuna::recorder {
namespace {

struct Record {
  std::mutex mutex;
  std::vector<std::string> events;
  std::deque<std::string> names; ///< of domains and of registered texts: their handles are the addresses
  int texts = 0;
};

Record &record() {
  static Record theRecord;
  return theRecord;
}

void add(nvtxDomainHandle_t domain, const std::string &what) {
  Record &r = record();
  const std::string event = (domain ? *reinterpret_cast<const std::string *>(domain) : "nobody's") + ": " + what;
  std::lock_guard lock(r.mutex);
  r.events.push_back(event);
  if (const char *path = std::getenv("NVTX_RECORDER_LOG"))
    if (std::FILE *file = std::fopen(path, "a")) {
      std::fprintf(file, "%s\n", event.c_str());
      std::fclose(file);
    }
}

void *keep(const char *name, bool isText) {
  Record &r = record();
  std::lock_guard lock(r.mutex);
  r.texts += isText;
  return &r.names.emplace_back(name);
}

nvtxDomainHandle_t createDomain(const char *name) {
  return static_cast<nvtxDomainHandle_t>(keep(name, /*isText=*/false));
}

nvtxStringHandle_t registerText(nvtxDomainHandle_t, const char *text) {
  return static_cast<nvtxStringHandle_t>(keep(text, /*isText=*/true));
}

int push(nvtxDomainHandle_t domain, const nvtxEventAttributes_t *event) {
  add(domain, "+ " + (event->messageType == NVTX_MESSAGE_TYPE_REGISTERED
                          ? *reinterpret_cast<const std::string *>(event->message.registered)
                          : std::string(event->message.ascii)));
  return 0;
}

int pop(nvtxDomainHandle_t domain) {
  add(domain, "-");
  return 0;
}

} // namespace

std::vector<std::string> takeEvents() {
  Record &r = record();
  std::lock_guard lock(r.mutex);
  return std::exchange(r.events, {});
}

int registeredTexts() {
  Record &r = record();
  std::lock_guard lock(r.mutex);
  return r.texts;
}

} // namespace lacuna::recorder

/// What NVTX calls once it has loaded us: puts our functions into its table.
extern "C" __attribute__((visibility("default"))) int InitializeInjectionNvtx2(NvtxGetExportTableFunc_t getTable) {
  using namespace lacuna::recorder;
  const auto *callbacks = static_cast<const NvtxExportTableCallbacks *>(getTable(NVTX_ETID_CALLBACKS));
  NvtxFunctionTable table = nullptr;
  unsigned size = 0;
  if (!callbacks || !callbacks->GetModuleFunctionTable(NVTX_CB_MODULE_CORE2, &table, &size) ||
      size <= NVTX_CBID_CORE2_DomainCreateA)
    return 0;
  auto set = [&](NvtxCallbackIdCore2 which, auto *function) {
    *table[which] = reinterpret_cast<NvtxFunctionPointer>(function);
  };
  set(NVTX_CBID_CORE2_DomainCreateA, createDomain);
  set(NVTX_CBID_CORE2_DomainRegisterStringA, registerText);
  set(NVTX_CBID_CORE2_DomainRangePushEx, push);
  set(NVTX_CBID_CORE2_DomainRangePop, pop);
  return 1;
}
