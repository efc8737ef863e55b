#include "lacuna/Runtime/Npy.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <memory>
#include <new>
#include <sys/stat.h>
#include <unistd.h>

namespace lacuna::runtime {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kMaxHeader = 1 << 20;
constexpr size_t kMaxRank = 32;

struct TypeRow {
  NpyType type;
  std::string_view code, name;
  size_t size;
};
constexpr TypeRow kTypes[] = {{NpyType::F16, "f2", "float16", 2},
                              {NpyType::F32, "f4", "float32", 4},
                              {NpyType::U16, "u2", "uint16", 2},
                              {NpyType::I32, "i4", "int32", 4},
                              {NpyType::I64, "i8", "int64", 8}};

const TypeRow &rowOf(NpyType type) {
  return kTypes[static_cast<int>(type)];
}

struct CloseFile {
  void operator()(std::FILE *file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

/// The header is a Python dictionary literal of three known keys; this reads no other Python.
class HeaderParser {
public:
  HeaderParser(std::string_view text, const std::string &path) : text(text), path(path) {}

  Expected<NpyArray> run() {
    NpyArray array;
    bool haveDescr = false, haveOrder = false, haveShape = false, fortran = false;
    std::string descr;
    if (!consume('{'))
      return bad("no dictionary");
    while (!consume('}')) {
      std::string key;
      if (!parseString(key) || !consume(':'))
        return bad("no key");
      if (key == "descr" && !haveDescr)
        haveDescr = parseString(descr);
      else if (key == "fortran_order" && !haveOrder)
        haveOrder = parseBool(fortran);
      else if (key == "shape" && !haveShape)
        haveShape = parseShape(array.shape);
      else
        return bad("an unknown or repeated key '" + key.substr(0, 40) + "'");
      if (!consume(',') && peek() != '}')
        return bad("no value that is understood for '" + key + "'");
    }
    skipSpace();
    if (!haveDescr || !haveOrder || !haveShape || position != text.size())
      return bad("not just the keys descr, fortran_order and shape");
    if (fortran)
      return makeError(ErrorCode::Unsupported, "{} is in Fortran order; save it with numpy.ascontiguousarray", path);
    for (const TypeRow &row : kTypes)
      if (descr.size() == 3 && (descr[0] == '<' || descr[0] == '=') && descr.substr(1) == row.code) {
        array.type = row.type;
        return array;
      }
    return makeError(
        ErrorCode::Unsupported,
        "{} holds elements of type '{}'; little-endian float16, float32, uint16 (bf16 patterns), int32 and "
        "int64 are read, so convert it with astype",
        path, descr.substr(0, 40));
  }

private:
  tl::unexpected<Error> bad(const std::string &what) const {
    return makeError(ErrorCode::ParseError, "{} is no .npy file: its header has {}", path, what);
  }
  void skipSpace() {
    while (position < text.size() && (text[position] == ' ' || text[position] == '\n'))
      ++position;
  }
  char peek() {
    skipSpace();
    return position < text.size() ? text[position] : '\0';
  }
  bool consume(char token) {
    if (peek() != token)
      return false;
    ++position;
    return true;
  }
  bool parseString(std::string &value) {
    char quote = peek();
    if (quote != '\'' && quote != '"')
      return false;
    size_t end = text.find(quote, position + 1);
    if (end == std::string_view::npos)
      return false;
    value = text.substr(position + 1, end - position - 1);
    position = end + 1;
    return true;
  }
  bool parseBool(bool &value) {
    skipSpace();
    for (bool each : {false, true}) {
      std::string_view word = each ? "True" : "False";
      if (text.substr(position, word.size()) == word) {
        position += word.size();
        value = each;
        return true;
      }
    }
    return false;
  }
  bool parseShape(std::vector<int64_t> &shape) {
    if (!consume('('))
      return false;
    while (!consume(')')) {
      int64_t extent = 0;
      skipSpace();
      auto [end, status] = std::from_chars(text.data() + position, text.data() + text.size(), extent);
      if (status != std::errc() || extent < 0 || shape.size() == kMaxRank)
        return false;
      position = static_cast<size_t>(end - text.data());
      shape.push_back(extent);
      if (!consume(',') && peek() != ')')
        return false;
    }
    return true;
  }

  std::string_view text;
  const std::string &path;
  size_t position = 0;
};

/// Reads magic, version and header text; the file then stands at the data.
Expected<std::string> readHeader(std::FILE *file, const std::string &path, size_t &dataStart) {
  unsigned char start[12] = {};
  auto isNone = [&](const char *what) {
    return makeError(ErrorCode::ParseError, "{} is no .npy file: {}", path, what);
  };
  if (std::fread(start, 1, 8, file) != 8 || std::memcmp(start, kMagic.data(), kMagic.size()) != 0)
    return isNone("it does not begin with \\x93NUMPY");
  int version = start[6];
  if (version < 1 || version > 3)
    return makeError(ErrorCode::Unsupported, "{} is a .npy file of version {}; 1, 2 and 3 are read", path, version);
  size_t lengthBytes = version == 1 ? 2 : 4, length = 0;
  if (std::fread(start + 8, 1, lengthBytes, file) != lengthBytes)
    return isNone("it ends within its header");
  for (size_t index = 0; index < lengthBytes; ++index)
    length |= static_cast<size_t>(start[8 + index]) << (8 * index);
  if (length > kMaxHeader)
    return isNone("its header claims more than 1 MiB");
  std::string header(length, '\0');
  if (std::fread(header.data(), 1, length, file) != length)
    return isNone("it ends within its header");
  dataStart = 8 + lengthBytes + length;
  return header;
}

} // namespace

size_t npyTypeSize(NpyType type) {
  return rowOf(type).size;
}
std::string_view npyTypeName(NpyType type) {
  return rowOf(type).name;
}

Expected<NpyArray> readNpy(const std::string &path) {
  // O_NONBLOCK: opening a FIFO would else wait for a writer.
  const int handle = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  File file(handle >= 0 ? ::fdopen(handle, "rb") : nullptr);
  struct stat status = {};
  if (!file || fstat(handle, &status) != 0) {
    const int reason = errno;
    if (!file && handle >= 0)
      ::close(handle);
    return makeError(ErrorCode::NotFound, "{} cannot be read: {}", path, std::strerror(reason));
  }
  if (!S_ISREG(status.st_mode))
    return makeError(ErrorCode::NotFound, "{} cannot be read: it is no regular file", path);
  size_t dataStart = 0;
  Expected<std::string> header = readHeader(file.get(), path, dataStart);
  if (!header)
    return takeError(header);
  Expected<NpyArray> array = HeaderParser(*header, path).run();
  if (!array)
    return array;

  int64_t bytes = static_cast<int64_t>(npyTypeSize(array->type));
  bool overflow = false;
  for (int64_t extent : array->shape)
    overflow |= __builtin_mul_overflow(bytes, extent, &bytes);
  int64_t available = static_cast<int64_t>(status.st_size) - static_cast<int64_t>(dataStart);
  if (overflow || bytes != available)
    return makeError(ErrorCode::ParseError, "{} is damaged: its shape needs {} bytes of data, and it has {}", path,
                     overflow ? "more than 2^63" : fmt::format("{}", bytes), available);
  // The library throws where memory ends; that must not leave this function.
  try {
    array->bytes.resize(static_cast<size_t>(bytes));
  } catch (const std::bad_alloc &) {
    return makeError(ErrorCode::ResourceExhausted, "no memory for the {} bytes of {}", bytes, path);
  }
  if (std::fread(array->bytes.data(), 1, array->bytes.size(), file.get()) != array->bytes.size())
    return makeError(ErrorCode::ParseError, "{} is damaged: reading its data failed", path);
  return array;
}

Expected<void> writeNpy(const std::string &path, NpyType type, const std::vector<int64_t> &shape, const void *data) {
  std::string header = fmt::format("{{'descr': '<{}', 'fortran_order': False, 'shape': (", rowOf(type).code);
  size_t bytes = npyTypeSize(type);
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    header += fmt::format("{}{}{}", axis ? " " : "", shape[axis], axis + 1 < shape.size() || axis == 0 ? "," : "");
    bytes *= static_cast<size_t>(shape[axis]);
  }
  header += "), }";
  constexpr size_t kPrefix = 10, kAlignment = 64;
  size_t total = (kPrefix + header.size() + 1 + kAlignment - 1) / kAlignment * kAlignment;
  header.resize(total - kPrefix - 1, ' ');
  header += '\n';

  const char prefix[] = {1, 0, static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  std::string start = std::string(kMagic) + std::string(prefix, sizeof(prefix)) + header;
  File file(std::fopen(path.c_str(), "wb"));
  bool good = file && std::fwrite(start.data(), 1, start.size(), file.get()) == start.size() &&
              std::fwrite(data, 1, bytes, file.get()) == bytes && std::fflush(file.get()) == 0;
  if (!good)
    return makeError(ErrorCode::Unavailable, "{} cannot be written: {}", path, std::strerror(errno));
  return {};
}

Expected<HostTensor> readNpyTensor(const std::string &path, DType dtype) {
  Expected<NpyArray> array = readNpy(path);
  if (!array)
    return takeError(array);
  const NpyType exact = dtype == DType::BF16  ? NpyType::U16
                        : dtype == DType::F16 ? NpyType::F16
                        : dtype == DType::F32 ? NpyType::F32
                                              : NpyType::I32;
  const bool rounds = dtypeSize(dtype) == 2 && array->type == NpyType::F32;
  if (array->type != exact && !rounds)
    return makeError(ErrorCode::InvalidArgument, "{} holds {}, and {} is read from {}{}; convert it with astype", path,
                     npyTypeName(array->type), dtypeName(dtype), npyTypeName(exact),
                     dtypeSize(dtype) == 2 ? " or float32" : "");
  Expected<HostTensor> tensor = HostTensor::allocate(dtype, array->shape);
  if (!tensor)
    return tl::unexpected(Error{tensor.error().code, path + ": " + tensor.error().message});
  if (!rounds) {
    std::memcpy(tensor->data(), array->bytes.data(), array->bytes.size());
    return tensor;
  }
  std::span<uint16_t> elements = tensor->as<uint16_t>();
  for (size_t index = 0; index < elements.size(); ++index) {
    float value;
    std::memcpy(&value, array->bytes.data() + index * sizeof(value), sizeof(value));
    elements[index] = floatTo16(dtype, value);
  }
  return tensor;
}

Expected<void> writeNpyTensor(const std::string &path, const HostTensor &tensor) {
  constexpr NpyType kTypeOf[] = {NpyType::U16, NpyType::F16, NpyType::F32, NpyType::I32};
  return writeNpy(path, kTypeOf[static_cast<int>(tensor.dtype())], tensor.shape(), tensor.data());
}

namespace {

Expected<std::vector<int32_t>> readIntegers(const std::string &path) {
  Expected<NpyArray> array = readNpy(path);
  if (!array)
    return takeError(array);
  if (array->shape.size() != 1 || (array->type != NpyType::I32 && array->type != NpyType::I64))
    return makeError(ErrorCode::InvalidArgument, "{} holds {} of {} dimensions; give int32 or int64 of one dimension",
                     path, npyTypeName(array->type), array->shape.size());
  std::vector<int32_t> values(static_cast<size_t>(array->shape[0]));
  const size_t size = npyTypeSize(array->type);
  for (size_t index = 0; index < values.size(); ++index) {
    int64_t wide = 0;
    int32_t narrow = 0;
    if (size == sizeof(wide))
      std::memcpy(&wide, array->bytes.data() + index * size, size);
    else
      std::memcpy(&narrow, array->bytes.data() + index * size, size), wide = narrow;
    if (wide < std::numeric_limits<int32_t>::min() || wide > std::numeric_limits<int32_t>::max())
      return makeError(ErrorCode::InvalidArgument, "{} holds {} at index {}; list entries must fit 32 bits", path, wide,
                       index);
    values[index] = static_cast<int32_t>(wide);
  }
  return values;
}

} // namespace

Expected<BlockLists> readBlockLists(const std::string &directory, const AttentionShape &shape, int64_t queryBlock,
                                    int64_t keyBlock) {
  std::vector<int32_t> arrays[3];
  const char *names[] = {"indptr.npy", "split.npy", "indices.npy"};
  for (size_t index = 0; index < std::size(names); ++index) {
    Expected<std::vector<int32_t>> values = readIntegers(directory + "/" + names[index]);
    if (!values)
      return takeError(values);
    arrays[index] = std::move(*values);
  }
  Expected<BlockLists> lists =
      blockListsFromCsr(shape, queryBlock, keyBlock, std::move(arrays[0]), std::move(arrays[1]), std::move(arrays[2]));
  if (!lists)
    return tl::unexpected(Error{lists.error().code, "the lists in " + directory + ": " + lists.error().message});
  return lists;
}

Expected<void> writeBlockLists(const std::string &directory, const BlockLists &lists) {
  auto write = [&](const char *name, const std::vector<int32_t> &values) {
    return writeNpy(directory + "/" + name, NpyType::I32, {static_cast<int64_t>(values.size())}, values.data());
  };
  return write("indptr.npy", lists.indptr).and_then([&] { return write("split.npy", lists.split); }).and_then([&] {
    return write("indices.npy", lists.indices);
  });
}

} // namespace lacuna::runtime
