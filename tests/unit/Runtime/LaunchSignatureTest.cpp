#include "lacuna/Runtime/LaunchSignature.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

using namespace lacuna;
using namespace lacuna::runtime;

namespace {

LaunchMetadata metadataOf(std::string target = "sm_90a") {
  LaunchMetadata metadata;
  metadata.kernel = "attention";
  metadata.symbol = "attention";
  metadata.target = std::move(target);
  metadata.arguments = {
      {"q", Argument::Kind::View, DType::BF16, {{"B"}, {"H"}, {"M"}, {"", 64}}},
      {"k", Argument::Kind::View, DType::BF16, {{"B"}, {"G"}, {"N"}, {"", 64}}},
      {"rows", Argument::Kind::Blocks, DType::I32, {{"B"}, {"H"}}, false, 128, 128},
      {"lse", Argument::Kind::View, DType::F32, {{"B"}, {"H"}, {"M"}}, true},
      {"scale", Argument::Kind::Scalar, DType::F32},
      {"count", Argument::Kind::Scalar, DType::I32},
  };
  metadata.dims = {"B", "H", "M", "G", "N"};
  metadata.grid = {"ceildiv(M, 128)", "H", "B"};
  metadata.constraints = {{"H % G == 0", "H % G == 0"}};
  metadata.positiveScalars = {"scale"};
  metadata.threads = 384;
  metadata.tensorMaps = {{0, 2, 128}};
  return metadata;
}

/// Arguments that fit, over memory that is only pointed at; each test spoils one thing.
struct Given {
  alignas(64) std::byte memory[64];
  std::vector<ArgumentValue> values;

  Given() {
    auto *words = reinterpret_cast<int32_t *>(memory);
    values = {TensorView::contiguous(memory, DType::BF16, {2, 8, 300, 64}),
              TensorView::contiguous(memory, DType::BF16, {2, 4, 500, 64}),
              BlockListView{words, words, words, 2, 8, 3, 100},
              TensorView::contiguous(memory, DType::F32, {2, 8, 300}),
              0.125f,
              int32_t(7)};
  }
  TensorView &view(size_t index) { return std::get<TensorView>(values[index]); }
  BlockListView &list() { return std::get<BlockListView>(values[2]); }
};

/// The message of the refusal after `spoil` has changed the good arguments.
template <class Spoil> std::string refusal(Spoil spoil, const LaunchMetadata &metadata = metadataOf()) {
  Given given;
  spoil(given);
  Expected<LaunchBounds> bounds = bindArguments(metadata, given.values);
  REQUIRE(!bounds);
  return bounds.error().message;
}

bool contains(const std::string &text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("bind gives dimensions and grid") {
  Given given;
  Expected<LaunchBounds> bounds = bindArguments(metadataOf(), given.values);
  REQUIRE_MESSAGE(bounds, bounds.error().message);
  CHECK(bounds->numDims == 5);
  CHECK(std::vector<int64_t>(bounds->dims.begin(), bounds->dims.begin() + 5) ==
        std::vector<int64_t>{2, 8, 300, 4, 500});
  CHECK(bounds->grid == std::array<int64_t, 3>{3, 8, 2});
  CHECK(bounds->programs() == 48);
}

TEST_CASE("wrong number and kind of arguments") {
  CHECK(refusal([](Given &g) { g.values.pop_back(); }) == "kernel 'attention' takes 6 arguments, and 5 were given");
  CHECK(refusal([](Given &g) { g.values[0] = 1.0f; }) ==
        "argument 'q' of kernel 'attention' is a view, and an f32 was given");
  CHECK(refusal([](Given &g) { g.values[2] = g.values[0]; }) ==
        "argument 'rows' of kernel 'attention' is a block list, and a view was given");
  CHECK(refusal([](Given &g) { g.values[4] = int32_t(1); }) ==
        "argument 'scale' of kernel 'attention' is a scalar (f32), and an i32 was given");
  CHECK(refusal([](Given &g) { g.values[5] = BlockListView(); }) ==
        "argument 'count' of kernel 'attention' is a scalar (i32), and a block list was given");
}

TEST_CASE("wrong dtype, rank and extents") {
  CHECK(refusal([](Given &g) { g.view(0).dtype = DType::F16; }) ==
        "argument 'q' is f16, and kernel 'attention' was compiled for bf16; convert it, or compile for f16");
  CHECK(refusal([](Given &g) { g.view(0).shape.pop_back(); }) ==
        "argument 'q' has 3 extents and 4 strides, and kernel 'attention' wants 4 of each: [B, H, M, 64]");
  CHECK(refusal([](Given &g) { g.view(3).strides.push_back(1); }) ==
        "argument 'lse' has 3 extents and 4 strides, and kernel 'attention' wants 3 of each: [B, H, M]");
  CHECK(refusal([](Given &g) { g.view(0).shape[3] = 128; }) ==
        "argument 'q' has extent 128 on axis 3, and kernel 'attention' was compiled for 64 there: [B, H, M, 64]");
  CHECK(refusal([](Given &g) { g.view(0).shape[2] = 0; }) ==
        "argument 'q' has extent 0 on axis 2 of [B, H, M, 64]; 1 to 2147479552 are allowed");
  CHECK(contains(refusal([](Given &g) { g.view(0).shape[0] = -1; }), "argument 'q' has extent -1 on axis 0"));
  CHECK(contains(refusal([](Given &g) { g.view(0).shape[2] = (int64_t(1) << 31) - 4095; }),
                 "has extent 2147479553 on axis 2"));
  CHECK(refusal([](Given &g) { g.view(1).shape[0] = 3; }) ==
        "argument 'k' has extent 3 on axis 0 (B), and B is 2 from argument 'q'; make them equal");
  CHECK(refusal([](Given &g) { g.view(3).shape[2] = 301; }) ==
        "argument 'lse' has extent 301 on axis 2 (M), and M is 300 from argument 'q'; make them equal");
}

TEST_CASE("an alignment that the code asks for binds address and strides") {
  LaunchMetadata metadata = metadataOf();
  metadata.arguments[1].alignment = 4; // two bf16 at once
  Given given;
  CHECK(bindArguments(metadata, given.values));
  CHECK(refusal([](Given &g) { g.view(1).strides[2] = 65; }, metadata) ==
        "argument 'k' has stride 65 (130 bytes) on axis 2; the kernel needs a multiple of 4 bytes, so pad the rows");
  CHECK(
      contains(refusal([](Given &g) { g.view(1).data = g.memory + 2; }, metadata), "it must be a multiple of 4 bytes"));
}

TEST_CASE("wrong memory: null, strides, alignment, overflow, overlap") {
  CHECK(refusal([](Given &g) { g.view(1).data = nullptr; }) ==
        "argument 'k' is a null pointer; give memory of shape [2, 4, 500, 64]");
  CHECK(refusal([](Given &g) { g.view(0).strides[3] = 2; }) ==
        "argument 'q' has stride 2 on its innermost axis; it must be 1, so make a contiguous copy");
  CHECK(refusal([](Given &g) { g.view(1).strides[1] = -64; }) ==
        "argument 'k' has stride -64 on axis 1; strides must not be negative");
  CHECK(contains(refusal([](Given &g) { g.view(0).data = g.memory + 8; }), "it must be a multiple of 16 bytes"));
  CHECK(contains(refusal([](Given &g) { g.view(3).data = g.memory + 2; }), "argument 'lse' starts at address"));
  CHECK(refusal([](Given &g) { g.view(0).strides[2] = 68; }) ==
        "argument 'q' has stride 68 (136 bytes) on axis 2; it must be a multiple of 8 elements (16 bytes) below 2^40 "
        "bytes, "
        "so pad the rows");
  CHECK(contains(refusal([](Given &g) { g.view(0).strides[0] = int64_t(1) << 40; }), "below 2^40 bytes"));
  CHECK(refusal([](Given &g) { g.view(1).strides[2] = int64_t(1) << 58; }) ==
        "argument 'k' of shape [2, 4, 500, 64] and strides [128000, 32000, 288230376151711744, 1] reaches past 64-bit "
        "addresses; check the strides");
  CHECK(contains(refusal([](Given &g) { g.view(1).strides[0] = std::numeric_limits<int64_t>::max(); }),
                 "reaches past 64-bit addresses"));
  CHECK(refusal([](Given &g) { g.view(3).strides[0] = 0; }) ==
        "argument 'lse' is written, and with shape [2, 8, 300] and strides [0, 300, 1] several elements share memory; "
        "give "
        "each its own");
  CHECK(contains(refusal([](Given &g) { g.view(3).strides[1] = 299; }), "several elements share memory"));
}

TEST_CASE("layouts that are allowed") {
  Given given;
  given.view(0).strides = {300 * 8 * 64, 64, 8 * 64, 1}; // [B, M, H, D] in memory
  given.view(1).strides = {0, 0, 64, 1};                 // an input may be broadcast
  given.view(1).data = given.memory + 2;                 // and without a tensor map only needs its element's alignment
  given.view(3).strides = {300, 600, 1};
  CHECK_MESSAGE(bindArguments(metadataOf(), given.values).has_value(), "strided arguments");

  Given single; // the stride of an axis of extent 1 means nothing
  for (size_t index : {0, 1, 3})
    single.view(index).shape[0] = 1, single.view(index).strides[0] = 3;
  single.list().batches = 1;
  CHECK(bindArguments(metadataOf(), single.values).has_value());
}

TEST_CASE("block lists") {
  CHECK(refusal([](Given &g) { g.list().batches = 3; }) ==
        "list 'rows' has 3 batches; give 2 (one each) or 1 (shared)");
  CHECK(refusal([](Given &g) { g.list().heads = 4; }) == "list 'rows' has 4 heads; give 8 (one each) or 1 (shared)");
  CHECK(refusal([](Given &g) { g.list().rowBlocks = 0; }) ==
        "list 'rows' has 0 row blocks in 16 lists; give 1 to 2147483647 row blocks, ceil(rows / 128)");
  CHECK(refusal([](Given &g) { g.list().entries = -1; }) == "list 'rows' has -1 entries; 0 to 2147483647 are allowed");
  CHECK(refusal([](Given &g) { g.list().indptr = nullptr; }) ==
        "list 'rows' has a null pointer for indptr; give an array of int32");
  CHECK(contains(refusal([](Given &g) { g.list().split = nullptr; }), "null pointer for split"));
  CHECK(contains(refusal([](Given &g) { g.list().indices = nullptr; }), "null pointer for indices"));
  CHECK(contains(refusal([](Given &g) { g.list().split = reinterpret_cast<int32_t *>(g.memory + 1); }),
                 "list 'rows' has split at address"));
  Given empty;
  empty.list().entries = 0;
  empty.list().indices = nullptr;
  empty.list().batches = empty.list().heads = 1;
  CHECK(bindArguments(metadataOf(), empty.values).has_value());
}

TEST_CASE("constraints, positive scalars and the grid") {
  CHECK(refusal([](Given &g) { g.view(1) = TensorView::contiguous(g.memory, DType::BF16, {2, 3, 500, 64}); }) ==
        "kernel 'attention' requires H % G == 0, which does not hold for [B = 2, H = 8, M = 300, G = 3, N = 500]");
  CHECK(refusal([](Given &g) { g.values[4] = 0.0f; }) == "argument 'scale' is 0, and kernel 'attention' was compiled "
                                                         "for finite values above 0; compile it without that fact for "
                                                         "other values");
  CHECK(contains(refusal([](Given &g) { g.values[4] = -1.0f; }), "argument 'scale' is -1"));
  CHECK(contains(refusal([](Given &g) { g.values[4] = std::nanf(""); }), "argument 'scale' is nan"));

  auto manyHeads = [](Given &g) {
    g.view(0) = TensorView::contiguous(g.memory, DType::BF16, {2, 70000, 300, 64});
    g.view(1) = TensorView::contiguous(g.memory, DType::BF16, {2, 1, 500, 64});
    g.view(3) = TensorView::contiguous(g.memory, DType::F32, {2, 70000, 300});
    g.list().heads = 1;
  };
  CHECK(refusal(manyHeads) ==
        "the grid of kernel 'attention' has H = 70000 on axis y, and 1 to 65535 are allowed; split the "
        "launch. Dimensions: [B = 2, H = 70000, M = 300, G = 1, N = 500]");
  Given onCpu;
  manyHeads(onCpu);
  CHECK(bindArguments(metadataOf("cpu"), onCpu.values).has_value());
  LaunchMetadata zero = metadataOf();
  zero.grid[2] = "B - 2";
  CHECK(contains(refusal([](Given &) {}, zero), "has B - 2 = 0 on axis z"));
  LaunchMetadata undefined = metadataOf();
  undefined.constraints[0].expression = "H % (B - 2) == 0";
  CHECK(contains(refusal([](Given &) {}, undefined), "divides by zero"));
}

TEST_CASE("metadata that contradicts itself is the compiler's fault") {
  auto problem = [](auto spoil) {
    LaunchMetadata metadata = metadataOf();
    spoil(metadata);
    Expected<LaunchSignature> signature = LaunchSignature::create(metadata);
    REQUIRE(!signature);
    return signature.error().message;
  };
  CHECK(contains(problem([](LaunchMetadata &m) { m.grid.clear(); }), "a grid of 0 expressions"));
  CHECK(contains(problem([](LaunchMetadata &m) { m.dims.push_back("X"); }), "no view has the dimension 'X'"));
  CHECK(contains(problem([](LaunchMetadata &m) { m.dims.resize(30, "Y"); }), "30 dimensions, at most 24"));
  CHECK(contains(problem([](LaunchMetadata &m) { m.dims.pop_back(); }), "'k' uses the unknown dimension 'N'"));
  CHECK(contains(problem([](LaunchMetadata &m) { m.tensorMaps[0].boxRows = 257; }), "a tensor map over argument 0"));
  CHECK(contains(problem([](LaunchMetadata &m) { m.tensorMaps[0].argument = 3; }), "a tensor map over argument 3"));
  CHECK(contains(problem([](LaunchMetadata &m) { m.tensorMaps[0].outerRows = 257; }), "128 rows by 257"));
  CHECK(contains(problem([](LaunchMetadata &m) { m.tensorMaps[0].outerRows = 0; }), "128 rows by 0"));
  CHECK(contains(problem([](LaunchMetadata &m) { m.tensorMaps[0] = {0, 0, 64, 2}; }), "axis 0, 64 rows by 2"));
  CHECK(contains(problem([](LaunchMetadata &m) { m.tensorMaps[0].rowAxis = 3; }),
                 "a tensor map over argument 0, axis 3"));
  CHECK(contains(problem([](LaunchMetadata &m) { m.tensorMaps.resize(13, {0, 2, 64}); }), "13 tensor maps"));
  CHECK(
      contains(problem([](LaunchMetadata &m) { m.positiveScalars = {"q"}; }), "'q' must be positive and is no scalar"));
  CHECK(contains(problem([](LaunchMetadata &m) { m.arguments[2].shape.pop_back(); }), "the list 'rows' has 1 extents"));
  CHECK(contains(problem([](LaunchMetadata &m) { m.arguments[0].shape.resize(9); }), "'q' has rank 9"));
  CHECK(contains(problem([](LaunchMetadata &m) { m.arguments[0].shape.clear(); }), "the view 'q' has rank 0"));
  CHECK(contains(problem([](LaunchMetadata &m) { m.threads = 2048; }), "2048 threads"));
  CHECK(contains(problem([](LaunchMetadata &m) { m.arguments.resize(200, m.arguments[0]); }), "bytes of parameters"));
  CHECK(contains(problem([](LaunchMetadata &m) { m.grid[0] = "M +"; }), "in 'M +', column 4"));
  CHECK(contains(problem([](LaunchMetadata &m) { m.constraints[0].expression = "Q"; }), "'Q' is unknown"));
}

TEST_CASE("the parameters lie as the launch ABI says") {
  Given given;
  given.view(0).strides = {153600, 19200, 128, 1};
  Expected<LaunchBounds> bounds = bindArguments(metadataOf(), given.values);
  REQUIRE(bounds);
  ParameterPack pack;
  pack.addArguments(given.values, *bounds);
  auto at = [&](size_t slot, auto example) {
    decltype(example) value;
    std::memcpy(&value, pack.pointers()[slot], sizeof(value));
    return value;
  };
  // q: pointer and three strides; k the same; the list's six; lse: pointer and two strides; two scalars; five
  // dimensions.
  REQUIRE(pack.size() == 4 + 4 + 6 + 3 + 2 + 5);
  CHECK(at(0, static_cast<void *>(nullptr)) == given.memory);
  CHECK(at(1, int64_t()) == 153600);
  CHECK(at(3, int64_t()) == 128);
  CHECK(at(8, static_cast<const int32_t *>(nullptr)) == given.list().indptr);
  CHECK(at(11, int64_t()) == 24); // batch stride: heads * row blocks
  CHECK(at(12, int64_t()) == 3);  // head stride: row blocks
  CHECK(at(13, int32_t()) == 3);
  CHECK(at(16, int64_t()) == 300);
  CHECK(at(17, float()) == 0.125f);
  CHECK(at(18, int32_t()) == 7);
  CHECK(at(19, int32_t()) == 2);
  CHECK(at(23, int32_t()) == 500);

  given.list().batches = given.list().heads = 1;
  ParameterPack shared;
  shared.addArguments(given.values, *bounds);
  int64_t stride = -1;
  std::memcpy(&stride, shared.pointers()[11], sizeof(stride));
  CHECK(stride == 0);
  std::memcpy(&stride, shared.pointers()[12], sizeof(stride));
  CHECK(stride == 0);
}
