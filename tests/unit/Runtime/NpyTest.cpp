#include "ScratchDirectory.h"

#include "lacuna/Runtime/Npy.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

/// A directory for arrays.
struct ArrayDirectory : ScratchDirectory {
  std::string file(const char *name) const { return *this / name; }
  std::string write(const std::string &bytes) const {
    writeFileAt(file("x.npy"), bytes);
    return file("x.npy");
  }
};

/// A version 1 file with this header text, unpadded, and data.
std::string fileOf(const std::string &header, const std::string &data = "") {
  std::string bytes = "\x93NUMPY";
  bytes += std::string("\x01\x00", 2);
  bytes += static_cast<char>(header.size() & 0xff);
  bytes += static_cast<char>(header.size() >> 8);
  return bytes + header + data;
}

} // namespace

TEST_CASE("each type and rank survives a file") {
  ArrayDirectory scratch;
  std::vector<std::byte> data(8 * 6);
  for (size_t index = 0; index < data.size(); ++index)
    data[index] = static_cast<std::byte>(index * 37);
  for (NpyType type : {NpyType::F16, NpyType::F32, NpyType::U16, NpyType::I32, NpyType::I64})
    for (const std::vector<int64_t> &shape : std::vector<std::vector<int64_t>>{{}, {6}, {0}, {2, 3}, {1, 2, 1, 3}}) {
      REQUIRE(writeNpy(scratch.file("a.npy"), type, shape, data.data()));
      Expected<NpyArray> array = readNpy(scratch.file("a.npy"));
      REQUIRE_MESSAGE(array, array.error().message);
      CHECK(array->type == type);
      CHECK(array->shape == shape);
      CHECK(std::equal(array->bytes.begin(), array->bytes.end(), data.begin()));
      CHECK(readFile(scratch.file("a.npy")).size() % 64 == array->bytes.size() % 64);
    }
}

TEST_CASE("the file is what numpy.save writes") {
  ArrayDirectory scratch;
  const float values[] = {1, 2};
  REQUIRE(writeNpy(scratch.file("a.npy"), NpyType::F32, {2}, values));
  CHECK(readFile(scratch.file("a.npy")).find("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }") == 10);
}

TEST_CASE("headers as others write them") {
  ArrayDirectory scratch;
  std::string data(8, 'x');
  CHECK(readNpy(scratch.write(fileOf("{\"shape\":(2,),\"descr\":\"=f4\",\"fortran_order\":False}\n", data))));
  CHECK(readNpy(scratch.write(fileOf("{'descr': '<i4', 'fortran_order': False, 'shape': ( 1, 2 ), }", data))));
  std::string version2 = std::string("\x93NUMPY\x02\x00", 8);
  std::string header = "{'descr': '<i8', 'fortran_order': False, 'shape': (), }";
  version2 += static_cast<char>(header.size());
  version2 += std::string(3, '\0') + header + data;
  CHECK(readNpy(scratch.write(version2)));
}

TEST_CASE("files that are none, cut or damaged") {
  ArrayDirectory scratch;
  auto problem = [&](const std::string &bytes) {
    Expected<NpyArray> array = readNpy(scratch.write(bytes));
    REQUIRE(!array);
    CHECK(array.error().message.find(scratch.file("x.npy")) == 0);
    return array.error().message.substr(scratch.file("x.npy").size());
  };
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
  CHECK(problem("") == " is no .npy file: it does not begin with \\x93NUMPY");
  CHECK(problem("PK\x03\x04 something else") == " is no .npy file: it does not begin with \\x93NUMPY");
  CHECK(problem(std::string("\x93NUMPY\x09\x00", 8)) == " is a .npy file of version 9; 1, 2 and 3 are read");
  CHECK(problem(std::string("\x93NUMPY\x01\x00\x40", 9)) == " is no .npy file: it ends within its header");
  CHECK(problem(fileOf(good).substr(0, 30)) == " is no .npy file: it ends within its header");
  CHECK(problem(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12)) ==
        " is no .npy file: its header claims more than 1 MiB");
  CHECK(problem(fileOf(good, "1234567")) == " is damaged: its shape needs 8 bytes of data, and it has 7");
  CHECK(problem(fileOf(good, "123456789")) == " is damaged: its shape needs 8 bytes of data, and it has 9");
  CHECK(problem(fileOf("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 4), }")) ==
        " is damaged: its shape needs more than 2^63 bytes of data, and it has 0");
  CHECK(problem(fileOf("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }")) ==
        " is damaged: its shape needs 4000000000000 bytes of data, and it has 0");
  CHECK(problem(fileOf("{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }", "12345678")) ==
        " is in Fortran order; save it with numpy.ascontiguousarray");
  CHECK(problem(fileOf("{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }"))
            .find(" holds elements of type '>f4'; little-endian float16") == 0);
  CHECK(problem(fileOf("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }")).find("'<f8'") !=
        std::string::npos);
  for (const char *header : {"", "[]", "{", "{}", "{'descr'}", "{'descr': }", "{'descr': '<f4'}", "{'descr': '<f4",
                             "{'what': 1}", "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
                             "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (2,)}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': 2}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
                             "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}"}) {
    CAPTURE(header);
    CHECK(problem(fileOf(header, "12345678")).find(" is no .npy file: its header has ") == 0);
  }
}

TEST_CASE("no cut or changed byte of a file is read past its end") {
  ArrayDirectory scratch;
  const std::string bytes = fileOf("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "12345678");
  for (size_t at = 0; at < bytes.size(); ++at) {
    (void)readNpy(scratch.write(bytes.substr(0, at)));
    for (char each : {'\0', '\'', '{', '(', '9', '\xff'}) {
      std::string changed = bytes;
      changed[at] = each;
      (void)readNpy(scratch.write(changed));
    }
  }
}

TEST_CASE("files that cannot be opened") {
  ArrayDirectory scratch;
  CHECK(readNpy(scratch.file("none.npy")).error().code == ErrorCode::NotFound);
  CHECK(readNpy(scratch.path).error().message == scratch.path + " cannot be read: it is no regular file");
  REQUIRE(mkfifo(scratch.file("fifo.npy").c_str(), 0600) == 0); // whose writer never comes
  CHECK(readNpy(scratch.file("fifo.npy")).error().message ==
        scratch.file("fifo.npy") + " cannot be read: it is no regular file");
  CHECK(writeNpy(scratch.file("no/such/a.npy"), NpyType::F32, {0}, nullptr)
            .error()
            .message.find("cannot be written: No such file") != std::string::npos);
}

TEST_CASE("tensors: patterns for bf16, float32 is rounded, other types are refused") {
  ArrayDirectory scratch;
  HostTensor tensor = *HostTensor::allocate(DType::BF16, {2, 3});
  for (size_t index = 0; index < 6; ++index)
    tensor.as<uint16_t>()[index] = static_cast<uint16_t>(0x3f80 + index);
  REQUIRE(writeNpyTensor(scratch.file("t.npy"), tensor));
  CHECK(readNpy(scratch.file("t.npy"))->type == NpyType::U16);
  Expected<HostTensor> back = readNpyTensor(scratch.file("t.npy"), DType::BF16);
  REQUIRE(back);
  CHECK(back->shape() == tensor.shape());
  CHECK(std::memcmp(back->data(), tensor.data(), tensor.bytes()) == 0);
  CHECK(readNpyTensor(scratch.file("t.npy"), DType::F16).error().message ==
        scratch.file("t.npy") + " holds uint16, and f16 is read from float16 or float32; convert it with astype");

  const float values[] = {1.0f, 1.00390625f, 1.01171875f}; // ties between bf16 neighbours go to the even pattern
  REQUIRE(writeNpy(scratch.file("f.npy"), NpyType::F32, {3}, values));
  Expected<HostTensor> rounded = readNpyTensor(scratch.file("f.npy"), DType::BF16);
  REQUIRE(rounded);
  CHECK(rounded->as<uint16_t>()[1] == 0x3f80);
  CHECK(rounded->as<uint16_t>()[2] == 0x3f82);
  REQUIRE(writeNpy(scratch.file("e.npy"), NpyType::F32, {0}, values));
  CHECK(readNpyTensor(scratch.file("e.npy"), DType::F32).error().message ==
        scratch.file("e.npy") + ": a tensor with an extent of 0 was asked for; give at least 1");
}

TEST_CASE("block lists survive files, int64 is narrowed, nonsense is refused") {
  ArrayDirectory scratch;
  AttentionShape shape;
  shape.queries = 40, shape.keys = 80;
  BlockLists lists = *blockListsFromCsr(shape, 16, 16, {0, 2, 2, 5}, {1, 2, 5}, {3, 1, 0, 2, 4});
  REQUIRE(writeBlockLists(scratch.path, lists));
  Expected<BlockLists> back = readBlockLists(scratch.path, shape, 16, 16);
  REQUIRE(back);
  CHECK(back->indptr == lists.indptr);
  CHECK(back->split == lists.split);
  CHECK(back->indices == lists.indices);

  const int64_t wide[] = {3, 1, 0, 2, 4};
  REQUIRE(writeNpy(scratch.file("indices.npy"), NpyType::I64, {5}, wide));
  CHECK(readBlockLists(scratch.path, shape, 16, 16)->indices == lists.indices);
  const int64_t huge[] = {3, 1, int64_t(1) << 40, 2, 4};
  REQUIRE(writeNpy(scratch.file("indices.npy"), NpyType::I64, {5}, huge));
  CHECK(readBlockLists(scratch.path, shape, 16, 16).error().message ==
        scratch.file("indices.npy") + " holds 1099511627776 at index 2; list entries must fit 32 bits");
  REQUIRE(writeNpy(scratch.file("indices.npy"), NpyType::I64, {5, 1}, wide));
  CHECK(readBlockLists(scratch.path, shape, 16, 16).error().message ==
        scratch.file("indices.npy") + " holds int64 of 2 dimensions; give int32 or int64 of one dimension");
  const int32_t unsorted[] = {3, 1, 2, 0, 4};
  REQUIRE(writeNpy(scratch.file("indices.npy"), NpyType::I32, {5}, unsorted));
  CHECK(readBlockLists(scratch.path, shape, 16, 16).error().message.find("the lists in ") == 0);
}
