#include "fakecuda/FakeDriver.h"

#include "lacuna/Runtime/DeviceCopies.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

using namespace lacuna;
using namespace lacuna::runtime;
using fake::FakeDriver;

TEST_CASE("copies hold what was given, and keep their addresses as others are made") {
  FakeDriver driver;
  DeviceCopies copies(driver.open());
  const float first[] = {1, 2, 3};
  Expected<DeviceBuffer *> buffer = copies.add(first, sizeof(first));
  REQUIRE(buffer);
  void *address = (*buffer)->data();
  for (int32_t number = 0; number < 1000; ++number) {
    Expected<const int32_t *> copy = copies.add(std::span(&number, 1));
    REQUIRE(copy);
    CHECK(**copy == number); // the fake's memory is the host's
  }
  CHECK((*buffer)->data() == address);
  float back[3] = {};
  REQUIRE((*buffer)->download(back, sizeof(back)));
  CHECK(std::ranges::equal(first, back));
}

TEST_CASE("a copy of nothing has an address") {
  FakeDriver driver;
  DeviceCopies copies(driver.open());
  Expected<DeviceBuffer *> buffer = copies.add(nullptr, 0);
  REQUIRE(buffer);
  CHECK((*buffer)->size() == 1);
  CHECK(copies.add(std::span<const int32_t>()).value() != nullptr);
}

TEST_CASE("copied lists have the extents and numbers of the host's") {
  FakeDriver driver;
  DeviceCopies copies(driver.open());
  BlockLists lists;
  lists.heads = 2, lists.rowBlocks = 1, lists.keyBlocks = 3, lists.queryBlock = lists.keyBlock = 64;
  lists.indptr = {0, 2, 3}, lists.split = {1, 2}, lists.indices = {0, 2, 1};
  Expected<BlockListView> view = copies.add(lists);
  REQUIRE(view);
  const BlockListView host = lists.view();
  CHECK(view->batches == host.batches);
  CHECK(view->heads == host.heads);
  CHECK(view->rowBlocks == host.rowBlocks);
  CHECK(view->entries == host.entries);
  CHECK(view->indptr != host.indptr);
  CHECK(std::equal(lists.indptr.begin(), lists.indptr.end(), view->indptr));
  CHECK(std::equal(lists.split.begin(), lists.split.end(), view->split));
  CHECK(std::equal(lists.indices.begin(), lists.indices.end(), view->indices));
}

TEST_CASE("a copy that fails leaves nothing behind") {
  for (const char *failing : {"cuMemAlloc", "cuMemcpyHtoD"}) {
    FakeDriver driver;
    DeviceCopies copies(driver.open());
    driver.state.failFunction = failing;
    const int32_t number = 1;
    CHECK(copies.add(std::span(&number, 1)).error().code == ErrorCode::ResourceExhausted);
  }
}
