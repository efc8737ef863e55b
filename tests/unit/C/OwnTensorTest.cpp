// Without dlpack.h: a type of our own with the same layout, so that a DLTensor * may be cast.
#include "TensorLayout.h"

#include <doctest/doctest.h>

TEST_CASE("lacuna_tensor lies in memory as DLTensor does") {
  CHECK(kTensorLayout == layoutOfDLPack());
}
