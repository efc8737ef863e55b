#include "TestKernel.h"

#include "lacuna/Autotune/Shape.h"

using namespace lacuna;
using namespace lacuna::autotune;

static std::string mistake(const std::string &line) {
  auto shape = parseShape(line, test::attentionLike());
  REQUIRE_FALSE(shape);
  return shape.error().message;
}

TEST_CASE("Shape: a line, its defaults, its text and back") {
  KernelDescription kernel = test::attentionLike();
  auto shape = parseShape("H=16 G=4 M=4096 D=64 dtype=f16 pattern=causal", kernel);
  REQUIRE(shape);
  CHECK(shape->text() == "B=1 G=4 H=16 M=4096 N=4096 D=64 T=f16 pattern=causal");
  CHECK(shape->keepHook() == "j <= i + N - M");
  CHECK(shape->fixedParams(kernel) == Settings{{"D", "64"}, {"T", "f16"}});
  auto again = readShapeText(shape->text(), kernel.dims);
  REQUIRE(again);
  CHECK(again->text() == shape->text());

  auto lists = parseShape("M=100 N=200 pattern=random:0.1", kernel);
  REQUIRE(lists);
  CHECK(lists->text() == "B=1 G=1 H=1 M=100 N=200 pattern=random:0.1 block=128x128");
  CHECK(lists->fixedParams(kernel) == Settings{{"QB", "128"}, {"KB", "128"}});
  CHECK(readShapeText(lists->text(), kernel.dims)->block == ListBlock{128, 128});
}

TEST_CASE("Shape: every mistake is a sentence with what is allowed") {
  CHECK(mistake("M=0") == "M is '0'; give a whole number from 1 to 2147483647");
  CHECK(mistake("M=4k").find("M is '4k'") == 0);
  CHECK(mistake("H=4") == "M, N are missing; attention_forward has the dimensions B, H, M, G, N");
  CHECK(mistake("M=8 X=3") == "'X' is nothing that attention_forward has; a shape may give B, H, M, G, N, D, T, dtype, "
                              "QB, KB, pattern, block");
  CHECK(mistake("M=8 BM=64") == "BM is what the tuner varies; leave it out of the shape");
  CHECK(mistake("M=8 D=65") == "D is '65'; it may be 64, 128");
  CHECK(mistake("M=8 H=3 G=2") == "attention_forward requires H % G == 0, and B=1 G=2 H=3 M=8 N=8 pattern=dense breaks "
                                  "it");
  CHECK(mistake("M=8 pattern=casual").find("'casual' is not known") != std::string::npos);
  CHECK(mistake("M=8 pattern=lists:x").find("reads lists from files") != std::string::npos);
  CHECK(mistake("M=8 block=128") == "block is '128'; give ROWSxCOLUMNS, for example 128x128");
  CHECK(mistake("M=8 block=100x128").find("multiples of 16") != std::string::npos);
  CHECK(mistake("M=8 T=f16 dtype=f16") == "dtype and T are the same param; give one of them");
  KernelDescription unmasked = test::attentionLike();
  unmasked.hasMask = false;
  CHECK(parseShape("M=8 pattern=causal", unmasked).error().message.find("has no hook `keep`") != std::string::npos);
}

TEST_CASE("Shape: a file's mistakes are all reported, with their lines") {
  KernelDescription kernel = test::attentionLike();
  auto file = parseShapesFile("s.txt", "# sizes\nM=64\n\nM=-1\nM=64 # again\nnonsense\nkernel=other M=3\n", kernel,
                              {"attention_forward"});
  REQUIRE_FALSE(file);
  CHECK(file.error().message == "s.txt:4: M is '-1'; give a whole number from 1 to 2147483647\n"
                                "s.txt:5: this is the shape of line 2 again; remove one of them\n"
                                "s.txt:6: 'nonsense' is not of the form NAME=VALUE\n"
                                "s.txt:7: kernel is 'other', which is not tuned in this call; it tunes "
                                "attention_forward");
}

TEST_CASE("Shape: lines for several kernels, and files without a shape") {
  KernelDescription kernel = test::attentionLike();
  auto file = parseShapesFile("s.txt", "kernel=matmul M=3\r\nM=64\r\nkernel=attention_forward M=128", kernel,
                              {"attention_forward", "matmul"});
  REQUIRE(file);
  CHECK(file->size() == 2);
  CHECK(parseShapesFile("s.txt", "kernel=matmul M=3", kernel, {"attention_forward", "matmul"})->empty());
  CHECK(parseShapesFile("s.txt", "# nothing\n", kernel, {}).error().message.find("s.txt:1: there is no shape") == 0);
}
