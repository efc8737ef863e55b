// Bundles: what is written is read, every damage is found, and kernels are found by what they were compiled with.

#include "ScratchDirectory.h"
#include "fakecuda/FakeDriver.h"

#include "lacuna/Runtime/Bundle.h"
#include "lacuna/Runtime/Hash.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

using namespace lacuna;
using namespace lacuna::runtime;
using fake::FakeDriver;

namespace {

BundleEntry entryOf(std::string kernel, Settings params, Settings hooks = {}, std::string image = "ptx") {
  LaunchMetadata metadata;
  metadata.kernel = metadata.symbol = kernel;
  metadata.target = "sm_90a";
  metadata.arguments = {{"out", Argument::Kind::View, DType::F32, {{"M"}}, true}};
  metadata.dims = {"M"};
  metadata.grid = {"M"};
  metadata.threads = 128;
  return {std::move(kernel), std::move(params), std::move(hooks), metadata, std::move(image)};
}

Bundle someBundle() {
  Bundle bundle;
  bundle.add(entryOf("attention", {{"D", "64"}, {"T", "bf16"}}, {}, "image 64"));
  bundle.add(entryOf("attention", {{"D", "128"}, {"T", "bf16"}}, {}, std::string("\0\x7f", 2)));
  bundle.add(entryOf("attention", {{"D", "128"}, {"T", "f16"}}, {{"keep", "causal"}}));
  bundle.add(entryOf("matmul", {}));
  return bundle;
}

} // namespace

TEST_CASE("a bundle is read as it was written") {
  ScratchDirectory folder;
  const std::string path = folder.path + "/kernels.lacb";
  REQUIRE(someBundle().write(path));
  REQUIRE(someBundle().write(path)); // over another
  Expected<Bundle> read = Bundle::read(path);
  REQUIRE_MESSAGE(read, read.error().render());
  REQUIRE(read->entries().size() == 4);
  for (size_t index = 0; index < 4; ++index) {
    Bundle made = someBundle();
    const BundleEntry &is = read->entries()[index], &was = made.entries()[index];
    CHECK(is.kernel == was.kernel);
    CHECK(is.params == was.params);
    CHECK(is.hooks == was.hooks);
    CHECK(is.metadata == was.metadata);
    CHECK(is.image == was.image);
  }
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
  CHECK(Bundle::parse(Bundle().serialize(), "empty")->entries().empty());
}

TEST_CASE("every changed byte and every cut is found") {
  const std::string good = someBundle().serialize();
  for (size_t at = 0; at < good.size(); ++at)
    for (int bit : {0, 3, 7}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
      CAPTURE(at);
      Expected<Bundle> parsed = Bundle::parse(bad, "bad.lacb");
      REQUIRE(!parsed);
      CHECK(parsed.error().code == ErrorCode::ParseError);
      CHECK(parsed.error().message.find("'bad.lacb' is ") == 0);
    }
  for (size_t size = 0; size < good.size(); ++size)
    CHECK(!Bundle::parse(std::string_view(good).substr(0, size), "cut"));
  CHECK(Bundle::parse(good + "x", "long").error().message ==
        "'long' is damaged: something follows its 4 entries; make it again with lacuna bundle");
  CHECK(Bundle::parse("", "none").error().message.find("is no bundle of this version") != std::string::npos);
}

TEST_CASE("payloads that are damaged under checksums that fit are read or refused, never followed") {
  const std::string good = someBundle().serialize();
  constexpr size_t kHead = 12, kSizes = 16; // magic and count; size and checksum of an entry
  uint64_t size = 0;
  std::memcpy(&size, good.data() + kHead, sizeof(size));
  const std::string payload = good.substr(kHead + kSizes, size), rest = good.substr(kHead + kSizes + size);
  std::mt19937_64 random(15);
  int refused = 0;
  constexpr int kRounds = 20000;
  for (int round = 0; round < kRounds; ++round) {
    std::string changed = payload;
    for (uint64_t count = 1 + random() % 3; count > 0; --count) {
      const size_t at = random() % changed.size();
      switch (random() % 4) {
      case 0:
        changed[at] = static_cast<char>(changed[at] ^ (1 << random() % 8));
        break;
      case 1: // a length that is far too large
        changed[at] = '\xff';
        break;
      case 2:
        changed.resize(at + 1);
        break;
      case 3:
        changed.insert(at, std::string(1 + random() % 9, static_cast<char>(random())));
        break;
      }
    }
    std::string bad = good.substr(0, kHead);
    for (uint64_t number : {uint64_t(changed.size()), hash64(changed)})
      bad.append(reinterpret_cast<const char *>(&number), sizeof(number));
    Expected<Bundle> parsed = Bundle::parse(bad + changed + rest, "bad.lacb");
    if (parsed)
      continue; // A name or an image may be any bytes.
    ++refused;
    CHECK(parsed.error().code == ErrorCode::ParseError);
    CHECK(parsed.error().message.find("'bad.lacb' is damaged: ") == 0);
  }
  CHECK(refused > kRounds / 2);
  CHECK(refused < kRounds);
}

TEST_CASE("files that are no bundle") {
  ScratchDirectory folder;
  CHECK(Bundle::read(folder.path + "/none").error().code == ErrorCode::NotFound);
  CHECK(Bundle::read(folder.path).error().code == ErrorCode::InvalidArgument);
  std::ofstream(folder.path + "/text") << "kernel";
  CHECK(Bundle::read(folder.path + "/text").error().code == ErrorCode::ParseError);
  Expected<void> written = Bundle().write(folder.path + "/none/x.lacb");
  REQUIRE(!written);
  CHECK(written.error().code == ErrorCode::Unavailable);
}

TEST_CASE("an entry is found by its kernel, some params and its hooks") {
  Bundle bundle = someBundle();
  CHECK((*bundle.find("attention", {{"D", "64"}}))->image == "image 64");
  CHECK((*bundle.find("attention", {}, {{"keep", "causal"}}))->params.at("T") == "f16");
  CHECK(bundle.find("matmul"));
  CHECK(bundle.find("attention").error().message ==
        "attention may be attention (D = 64, T = bf16) or attention (D = 128, T = bf16) of the bundle; give the params "
        "that tell them apart");
  auto missing = bundle.find("attention", {{"D", "96"}});
  REQUIRE(!missing);
  CHECK(missing.error().code == ErrorCode::NotFound);
  CHECK(missing.error().message ==
        "the bundle has no attention (D = 96); it has attention (D = 64, T = bf16), attention (D = 128, T = bf16), "
        "attention (D = 128, T = f16; keep = causal), matmul");
  CHECK(Bundle().find("x").error().message == "the bundle has no x; it has nothing");
  bundle.add(entryOf("matmul", {}, {}, "newer")); // in place of the old
  CHECK(bundle.entries().size() == 4);
  CHECK((*bundle.find("matmul"))->image == "newer");
  bundle.add(entryOf("matmul", {{"BM", "64"}})); // exactly what is asked for goes before what has more
  CHECK((*bundle.find("matmul"))->image == "newer");
  CHECK((*bundle.find("matmul", {{"BM", "64"}}))->image == "ptx");
}

TEST_CASE("an entry of exactly the params asked for is found wherever it lies") {
  std::vector<Settings> all = {{{"D", "64"}}, {{"D", "64"}, {"BM", "64"}}, {{"D", "64"}, {"BM", "128"}}};
  std::sort(all.begin(), all.end());
  do {
    Bundle bundle;
    for (const Settings &params : all)
      bundle.add(entryOf("attention", params));
    auto found = bundle.find("attention", {{"D", "64"}});
    REQUIRE_MESSAGE(found, found.error().message);
    CHECK((*found)->params.size() == 1);
    CHECK_FALSE(bundle.find("attention"));
  } while (std::next_permutation(all.begin(), all.end()));
}

TEST_CASE("a kernel of a bundle is loaded and runs; another target is refused") {
  FakeDriver driver;
  Device device = driver.open();
  Bundle bundle = someBundle();
  Expected<Kernel> kernel = bundle.load(device, "attention", {{"D", "64"}});
  REQUIRE_MESSAGE(kernel, kernel.error().render());
  CHECK(driver.state.images.back() == "image 64");
  DeviceBuffer out = *DeviceBuffer::allocate(device, 400);
  Stream stream = *Stream::create(device);
  REQUIRE(kernel->launch(stream, std::vector<ArgumentValue>{TensorView::contiguous(out.data(), DType::F32, {100})}));
  CHECK(driver.state.lastGrid[0] == 100);
  CHECK(bundle.load(device, "none").error().code == ErrorCode::NotFound);
  driver.state.minor = 4;
  Device other = driver.open();
  CHECK(bundle.load(other, "matmul").error().message ==
        "matmul was compiled for sm_90a, and Fake GPU is sm_94a; compile it for that target");
}
