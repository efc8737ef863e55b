// What the compile report says of small kernels in `warp` IR, against counts made by hand.
#include "lacuna/Compiler/Analysis/StepCost.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Parser/Parser.h"

#include <doctest/doctest.h>

using namespace lacuna;

namespace {

/// A kernel in memory: warpgroups consumers, rings "a" (64 rows x 64 columns a warpgroup) and "b" (128 x 64).
struct Kernel {
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  mlir::OwningOpRef<mlir::ModuleOp> module;

  /// `body` is the consumers' loop: %qa and %qb are the slots of its step, %n its number, %x the tile that it carries
  /// and %y what it yields.
  explicit Kernel(const std::string &body, int warpgroups = 2, int registers = 232) {
    context.loadDialect<tile::TileDialect, warp::WarpDialect, mlir::arith::ArithDialect, mlir::math::MathDialect,
                        mlir::scf::SCFDialect>();
    std::string rows = std::to_string(64 * warpgroups), groups = std::to_string(warpgroups);
    std::string a = "<" + rows + ", 64, bf16>", ring = "!warp.ring<2, " + rows + ", 64, bf16>";
    std::string text = R"(
#acc = #warp.acc
#row = #warp.row
warp.func @k(%va: !tile.view<[M, 64], bf16>, %vb: !tile.view<[N, 64], bf16>, %out: !tile.view<[M, 128], f32>,
              %rows: !tile.blocks<128, 128, [1, 1]>, %limit: i32)
    attributes {dims = ["M", "N"], grid = ["1"], warp.decisions = ["first", "second"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<64x128xf32, #acc>
  %ra = warp.ring_create "a" : !warp.ring<2, )" +
                       rows + R"(, 64, bf16>
  %rb = warp.ring_create "b" : !warp.ring<2, 128, 64, bf16>
  %list = warp.list_open %rows[%c0, %c0, %c0] limit %limit : !tile.blocks<128, 128, [1, 1]> -> !warp.list<128, 128>
  %count = warp.list_count %list : !warp.list<128, 128>
  warp.roles {
    warp.role producer warpgroups 1 registers 40 {
      scf.for %i = %c0 to %count step %c1 : i32 {
        %sa = warp.ring_acquire %ra[%i] : !warp.ring<2, )" +
                       rows + ", 64, bf16> -> !warp.slot" + a + R"(
        warp.ring_fill %sa bytes )" +
                       std::to_string(64 * warpgroups * 128) + " : !warp.slot" + a + R"( {
          warp.tma_load %va[%c0, %c0] axis 0 size )" +
                       rows + R"( by 64 at 0, 0 : !tile.view<[M, 64], bf16>
        }
        %sb = warp.ring_acquire %rb[%i] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
        warp.ring_fill %sb bytes 16384 : !warp.slot<128, 64, bf16> {
          warp.tma_load %vb[%c0, %c0] axis 0 size 128 by 64 at 0, 0 : !tile.view<[N, 64], bf16>
        }
      }
    }
    warp.role consumer warpgroups )" +
                       groups + " registers " + std::to_string(registers) + R"( {
      %r = scf.for %n = %c0 to %count step %c1 iter_args(%x = %zero) -> (tensor<64x128xf32, #acc>) : i32 {
        %qa = warp.ring_wait %ra[%n] : )" +
                       ring + " -> !warp.slot" + a + R"(
        %qb = warp.ring_wait %rb[%n] : !warp.ring<2, 128, 64, bf16> -> !warp.slot<128, 64, bf16>
)" + body + R"(
        scf.yield %y : tensor<64x128xf32, #acc>
      }
      warp.store_global %r, %out[%c0, %c0] sizes [128, 128] : tensor<64x128xf32, #acc>, !tile.view<[M, 128], f32>
    }
  }
  warp.return
}
)";
    module = mlir::parseSourceString<mlir::ModuleOp>(text, mlir::ParserConfig(&context));
    REQUIRE_MESSAGE(module, text);
  }
  warp::FuncOp func() { return *module->getOps<warp::FuncOp>().begin(); }
};

std::string slotA(int warpgroups) {
  return "!warp.slot<" + std::to_string(64 * warpgroups) + ", 64, bf16>";
}
std::string issue(int warpgroups) {
  return "%f = warp.wgmma_ss %qa, %qb trans_b acc %x : tensor<64x128xf32, #acc> : " + slotA(warpgroups) +
         ", !warp.slot<128, 64, bf16> -> !warp.inflight<tensor<64x128xf32, #acc>>\n%g = warp.wgmma_commit\n";
}
std::string waitAndRelease(int warpgroups) {
  return "%p = warp.wgmma_wait %g, %f : !warp.inflight<tensor<64x128xf32, #acc>> -> tensor<64x128xf32, #acc>\n"
         "warp.ring_release %qa : " +
         slotA(warpgroups) + "\nwarp.ring_release %qb : !warp.slot<128, 64, bf16>\n";
}

} // namespace

TEST_CASE("a product alone: tensor cores, shared memory and copies by hand") {
  Kernel kernel(issue(2) + waitAndRelease(2) + "%y = arith.addf %p, %p : tensor<64x128xf32, #acc>");
  auto step = predictStep(kernel.func());
  REQUIRE(step);
  // Four k-steps of m64n128k16, 64 cycles each, for each of two warpgroups.
  CHECK(step->tensor == 512);
  // Of each k-step 64 x 16 and 16 x 128 elements; 16,384 + 16,384 bytes are written.
  CHECK(step->copiedBytes == 32768);
  CHECK(step->shared == (2 * 4 * (2048 + 4096) + 32768) / 128.0);
  CHECK(step->special == 0);
  // Additions: 64 registers; two waits of 8, two releases, and 2 a k-step.
  CHECK(step->issue == 2 * (64 + 2 * 8 + 2 + 2 * 4));
  CHECK(step->copies == 32768 / 40.0);
  CHECK(step->cycles == step->copies);
  CHECK(step->boundBy == "copies");
  CHECK(step->tensorFraction == doctest::Approx(512 * 40.0 / 32768));
  // Two waits, the product, two releases and the additions.
  CHECK(step->chain == 16 + 256 + 2 + 64);
}

TEST_CASE("special functions are slower than their issue") {
  Kernel kernel(issue(1) + waitAndRelease(1) + "%y = math.exp2 %p : tensor<64x128xf32, #acc>", 1, 168);
  auto step = predictStep(kernel.func());
  REQUIRE(step);
  CHECK(step->special == 64 * 128 / 16);
  KernelStructure structure = describeStructure(kernel.func());
  CHECK(structure.blocksPerMultiprocessor == 2);
  // Two thread blocks share the multiprocessor: one's product runs beside the other's exponentials.
  CHECK(step->chain == 16 + 256 + 512);
  CHECK(step->cycles == 24576 / 40.0);

  Kernel twice(issue(1) + waitAndRelease(1) +
                   "%e = math.exp2 %p : tensor<64x128xf32, #acc>\n%y = math.exp2 %e : tensor<64x128xf32, #acc>",
               1, 168);
  step = predictStep(twice.func());
  CHECK(step->boundBy == "special functions");
  CHECK(step->cycles == 1024);
  // Alone on its multiprocessor it waits for itself.
  Kernel alone(issue(1) + waitAndRelease(1) +
                   "%e = math.exp2 %p : tensor<64x128xf32, #acc>\n%y = math.exp2 %e : tensor<64x128xf32, #acc>",
               1, 240);
  step = predictStep(alone.func());
  CHECK(step->boundBy == "dependences");
  CHECK(step->cycles == 16 + 256 + 1024);
}

TEST_CASE("structure") {
  Kernel kernel(issue(2) + waitAndRelease(2) + "%y = arith.addf %p, %p : tensor<64x128xf32, #acc>");
  KernelStructure structure = describeStructure(kernel.func());
  CHECK(structure.consumerWarpgroups == 2);
  CHECK(structure.producerRegisters == 40);
  CHECK(structure.consumerRegisters == 232);
  CHECK_FALSE(structure.persistent);
  CHECK(structure.blocksPerMultiprocessor == 1);
  REQUIRE(structure.rings.size() == 2);
  CHECK(structure.rings[1].name == "b");
  CHECK(structure.rings[1].depth == 2);
  CHECK(structure.rings[1].rows == 128);
  CHECK(structure.rings[1].columns == 64);
  CHECK(structure.rings[1].bytes == 2 * (128 * 128 + 16));
  REQUIRE(structure.products.size() == 1);
  CHECK(structure.products[0].columns == 128);
  CHECK(structure.products[0].terms == 64);
  CHECK_FALSE(structure.products[0].aInRegisters);
  CHECK_FALSE(structure.overlap);
  CHECK_FALSE(structure.turns);
  CHECK_FALSE(structure.maskedSplit);
  CHECK(decisionsOf(kernel.func()) == std::vector<std::string>{"first", "second"});
}

TEST_CASE("a product in flight hides what is computed meanwhile") {
  // Two products, the second awaited after exponentials of the first.
  Kernel kernel(
      issue(2) + "%f2 = warp.wgmma_ss %qa, %qb trans_b : " + slotA(2) +
      ", !warp.slot<128, 64, bf16> -> !warp.inflight<tensor<64x128xf32, #acc>>\n%g2 = warp.wgmma_commit\n"
      "%p = warp.wgmma_wait %g, %f : !warp.inflight<tensor<64x128xf32, #acc>> -> tensor<64x128xf32, #acc>\n"
      "%y = math.exp2 %p : tensor<64x128xf32, #acc>\n"
      "%p2 = warp.wgmma_wait %g2, %f2 : !warp.inflight<tensor<64x128xf32, #acc>> -> tensor<64x128xf32, #acc>\n"
      "warp.ring_release %qa : " +
      slotA(2) + "\nwarp.ring_release %qb : !warp.slot<128, 64, bf16>");
  auto step = predictStep(kernel.func());
  REQUIRE(step);
  CHECK(describeStructure(kernel.func()).overlap);
  CHECK(step->tensor == 1024);
  // The first product, then the exponentials; the second product ends before them.
  CHECK(step->chain == 16 + 256 + 512 + 2);
}

TEST_CASE("of a condition on masks the side without is taken, of another the dearer one") {
  const std::string sides =
      "scf.yield %e : tensor<64x128xf32, #acc>\n} else {\nscf.yield %p : tensor<64x128xf32, #acc>\n}";
  const std::string work = "%e = math.exp2 %p : tensor<64x128xf32, #acc>\n";
  Kernel plain(issue(2) + waitAndRelease(2) +
               "%odd = arith.cmpi eq, %n, %c1 : i32\n%y = scf.if %odd -> (tensor<64x128xf32, #acc>) {\n" + work +
               sides);
  CHECK(predictStep(plain.func())->special == 1024);
  Kernel masked(issue(2) + waitAndRelease(2) +
                "%partial, %exceeds, %start = warp.list_step %list[%n] : !warp.list<128, 128> -> i32\n"
                "%any = arith.ori %partial, %exceeds : i1\n%y = scf.if %any -> (tensor<64x128xf32, #acc>) {\n" +
                work + sides);
  CHECK(predictStep(masked.func())->special == 0);
}

TEST_CASE("occupancy") {
  auto check = [](Occupancy occupancy, int64_t blocks, int64_t warps, const char *limit) {
    CHECK(occupancy.blocks == blocks);
    CHECK(occupancy.warps == warps);
    CHECK(occupancy.limitedBy == limit);
  };
  check(occupancyOf(384, 168, 100000, 228 * 1024), 1, 12, "registers");
  check(occupancyOf(256, 128, 100000, 228 * 1024), 2, 16, "registers");
  check(occupancyOf(256, 32, 200000, 228 * 1024), 1, 8, "shared memory");
  check(occupancyOf(256, 32, 56 * 1024, 228 * 1024), 4, 32, "shared memory"); // and 1 KiB each for the system
  check(occupancyOf(1024, 32, 0, 228 * 1024), 2, 64, "registers");
  check(occupancyOf(512, 24, 0, 228 * 1024), 4, 64, "threads");
  check(occupancyOf(32, 16, 0, 228 * 1024), 32, 32, "thread blocks");
}
