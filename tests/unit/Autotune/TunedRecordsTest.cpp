#include "TestKernel.h"

#include "lacuna/Autotune/TunedRecords.h"

using namespace lacuna;
using namespace lacuna::autotune;

namespace {

TuningQuestion question(std::string_view shape) {
  TuningQuestion question{"attention_forward", "h1", "NVIDIA H200", test::attentionLike().dims, {}};
  auto read = readShapeText(shape, question.dims);
  REQUIRE(read);
  question.shape = *read;
  return question;
}

std::string best(const TunedRecords &records, std::string_view shape) {
  auto found = records.find(question(shape));
  return found.empty() ? "none" : settingsText(found.front().point);
}

WinnerRecord record(const char *shape, const char *point, const char *hash = "h1") {
  WinnerRecord winner = test::winnerRecord("128");
  winner.shape = shape;
  winner.point = *parseSettings(point);
  winner.key.hash = hash;
  return winner;
}

} // namespace

TEST_CASE("TunedRecords: what ships with the source are the measured tiles") {
  TunedRecords records(TunedRecords::shipped());
  REQUIRE(records.all().size() >= 8);
  CHECK(best(records, "B=1 H=16 G=16 M=16384 N=16384 D=128 DV=128 T=bf16 pattern=dense") == "BM=128 BN=176");
  CHECK(best(records, "B=1 H=16 G=16 M=16384 N=16384 D=128 DV=128 T=f16 pattern=dense") == "BM=128 BN=176");
  CHECK(best(records, "B=2 H=8 G=8 M=3000 N=3000 D=128 DV=128 T=bf16 pattern=causal") == "BM=128 BN=128");
  CHECK(best(records, "B=1 H=8 G=8 M=3000 N=3000 D=128 DV=128 T=bf16 pattern=window:1024") == "BM=128 BN=128");
  CHECK(best(records, "B=1 H=8 G=8 M=3000 N=3000 D=64 DV=64 T=bf16 pattern=causal") == "BM=192 BN=128");
  CHECK(best(records, "B=1 H=8 G=8 M=3000 N=3000 D=256 DV=256 T=bf16 pattern=dense") == "BM=128 BN=80");
  CHECK(best(records, "B=1 H=8 G=8 M=3000 N=3000 D=128 DV=128 T=bf16 pattern=random:0.3 block=128x128") ==
        "BM=128 BN=128");
  CHECK(best(records, "B=1 H=8 G=8 M=3000 N=3000 D=96 DV=96 T=bf16 pattern=dense") == "none");
  TuningQuestion other = question("M=64 D=128 DV=128 T=bf16 pattern=dense");
  other.machine = "NVIDIA H100";
  CHECK(records.find(other).empty());
  TuningQuestion another = question("M=64 D=128 DV=128 T=bf16 pattern=dense");
  CHECK(!records.find(another).empty());
  another.target = "sm_80"; // the same GPU, other code
  CHECK(records.find(another).empty());
}

TEST_CASE("TunedRecords: what was measured with another target says nothing") {
  WinnerRecord measured = record("M=1024 N=1024 D=64 T=bf16 pattern=dense", "BM=64 BN=64");
  measured.key.limits = "sm_80, 132 multiprocessors, 166912 bytes of shared memory";
  TunedRecords records({measured});
  TuningQuestion asked = question("M=1024 N=1024 D=64 T=bf16 pattern=dense");
  CHECK(records.find(asked).empty());
  asked.target = "sm_80";
  CHECK(records.find(asked).size() == 1);
  asked.target = "sm_8";
  CHECK(records.find(asked).empty());
}

TEST_CASE("TunedRecords: the nearest size, the same type first, a changed kernel never") {
  TunedRecords records({record("M=1024 N=1024 D=64 T=bf16 pattern=dense", "BM=64 BN=64"),
                        record("M=16384 N=16384 D=64 T=bf16 pattern=dense", "BM=192 BN=128"),
                        record("M=1024 N=1024 D=64 T=f16 pattern=dense", "BM=128 BN=64"),
                        record("M=2048 N=2048 D=64 T=bf16 pattern=dense", "BM=1 BN=1", "another text")});
  CHECK(best(records, "M=2000 N=2000 D=64 T=bf16 pattern=dense") == "BM=64 BN=64");
  CHECK(best(records, "M=9000 N=9000 D=64 T=bf16 pattern=dense") == "BM=192 BN=128");
  CHECK(best(records, "M=1024 N=1024 D=64 T=f16 pattern=dense") == "BM=128 BN=64");
  CHECK(best(records, "D=64 T=bf16") == "BM=64 BN=64"); // nothing known of the data
  auto found = records.find(question("M=2000 N=2000 D=64 T=bf16 pattern=causal"));
  REQUIRE(found.size() == 3); // dense serves a mask where nothing else is there
  CHECK(found.front().origin == "tuned on NVIDIA H200 (M=1024 N=1024 D=64 T=bf16 pattern=dense)");
}

TEST_CASE("TunedRecords: a record of given lists serves lists of that block only") {
  TunedRecords records({record("M=64 N=64 D=64 T=bf16 pattern=random:0.1 block=64x64", "BM=64 BN=64")});
  CHECK(best(records, "M=64 N=64 D=64 T=bf16 pattern=random:0.5 block=64x64") == "BM=64 BN=64");
  CHECK(best(records, "M=64 N=64 D=64 T=bf16 pattern=random:0.5 block=128x128") == "none");
}

TEST_CASE("TunedRecords: at equal distance the present assembler's record goes first, then the newest") {
  const char *shape = "M=1024 N=1024 D=64 T=bf16 pattern=dense";
  WinnerRecord older = record(shape, "BM=64 BN=64"), newer = record(shape, "BM=128 BN=64"),
               shipped = record(shape, "BM=192 BN=64", "");
  older.key.assembler = "ptxas 12.9.0";
  older.time = 100;
  newer.key.assembler = "ptxas 13.0.0";
  newer.time = 200;
  shipped.time = 300;
  TunedRecords records({shipped, older, newer});
  auto points = [&](const char *assembler) {
    TuningQuestion asked = question(shape);
    asked.assembler = assembler;
    std::string text;
    for (const TunedChoice &choice : records.find(asked))
      text += choice.point.at("BM") + " ";
    return text;
  };
  CHECK(points("ptxas 13.0.0") == "128 64 192 ");
  CHECK(points("ptxas 12.9.0") == "64 128 192 ");
  CHECK(points("ptxas 14.0.0") == "128 64 192 "); // neither's: the newest
  CHECK(points("") == "128 64 192 ");
}
