#include "BuildIds.h"

#include "SourceHash.h"

#include "lacuna/Runtime/Hash.h"

#include <cstring>

#include <elf.h>
#include <link.h>

namespace lacuna {
namespace {

/// The build id in the notes of a loaded object, or "".
std::string buildIdOf(const dl_phdr_info &object) {
  auto aligned = [](size_t size) { return (size + 3) & ~size_t(3); };
  for (size_t index = 0; index < object.dlpi_phnum; ++index) {
    const ElfW(Phdr) &segment = object.dlpi_phdr[index];
    if (segment.p_type != PT_NOTE)
      continue;
    const auto *note = reinterpret_cast<const uint8_t *>(object.dlpi_addr + segment.p_vaddr);
    const uint8_t *end = note + segment.p_memsz;
    while (note + sizeof(ElfW(Nhdr)) <= end) {
      ElfW(Nhdr) header;
      std::memcpy(&header, note, sizeof(header));
      const uint8_t *name = note + sizeof(header), *description = name + aligned(header.n_namesz);
      if (description + header.n_descsz > end)
        break;
      if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == 4 && std::memcmp(name, "GNU", 4) == 0)
        return runtime::toHex(description, header.n_descsz);
      note = description + aligned(header.n_descsz);
    }
  }
  return "";
}

int visit(dl_phdr_info *object, size_t, void *data) {
  auto &ids = *static_cast<BuildIds *>(data);
  const char *slash = std::strrchr(object->dlpi_name, '/');
  std::string_view name = slash ? slash + 1 : object->dlpi_name;
  if (name.starts_with("libLLVM"))
    ids.llvm = buildIdOf(*object);
  else if (name.starts_with("libMLIR.so"))
    ids.mlir = buildIdOf(*object);
  return 0;
}

} // namespace

BuildIds buildIds() {
  BuildIds ids;
  ids.compiler = sourceHash();
  dl_iterate_phdr(&visit, &ids);
  return ids;
}

} // namespace lacuna
