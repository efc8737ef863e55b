// Compiles tile IR text for this CPU and runs it on buffers: the whole CPU backend, without a front end.
#ifndef LACUNA_TESTS_UNIT_CODEGEN_CPUKERNELHARNESS_H
#define LACUNA_TESTS_UNIT_CODEGEN_CPUKERNELHARNESS_H

#include "lacuna/Compiler/Codegen/CpuJit.h"
#include "lacuna/Compiler/Conversion/TileToCpu.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <deque>
#include <random>
#include <string>
#include <vector>

namespace lacuna::test {

/// The kernel parameters of one launch, in order (LaunchMetadata.h).
class Parameters {
public:
  Parameters &i32(int32_t value) { return add(static_cast<uint32_t>(value)); }
  Parameters &i64(int64_t value) { return add(static_cast<uint64_t>(value)); }
  Parameters &f32(float value) { return add(std::bit_cast<uint32_t>(value)); }
  Parameters &pointer(const void *value) { return add(reinterpret_cast<uint64_t>(value)); }

  /// A dense view of the given extents.
  template <class T> Parameters &view(const std::vector<T> &data, const std::vector<int64_t> &extents) {
    pointer(data.data());
    for (size_t axis = 0; axis + 1 < extents.size(); ++axis) {
      int64_t stride = 1;
      for (size_t inner = axis + 1; inner < extents.size(); ++inner)
        stride *= extents[inner];
      i64(stride);
    }
    return *this;
  }

  void **get() { return pointers.data(); }

private:
  Parameters &add(uint64_t bits) {
    pointers.push_back(&storage.emplace_back(bits));
    return *this;
  }
  std::deque<uint64_t> storage;
  std::vector<void *> pointers;
};

/// One kernel, compiled; a failure fails the test case.
class CompiledKernel {
public:
  explicit CompiledKernel(const std::string &text, const CpuTarget &target = CpuTarget::host()) {
    mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
    context.loadDialect<tile::TileDialect, mlir::arith::ArithDialect, mlir::math::MathDialect, mlir::scf::SCFDialect,
                        mlir::LLVM::LLVMDialect>();
    mlir::registerBuiltinDialectTranslation(context);
    mlir::registerLLVMDialectTranslation(context);
    auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    REQUIRE(module);
    tile::FuncOp kernel = *module->getOps<tile::FuncOp>().begin();
    const std::string symbol = kernel.getSymName().str();
    auto wide = target.hasWideVectors();
    REQUIRE(wide.has_value());
    mlir::PassManager passes(&context);
    buildCpuPipeline(passes, {*wide});
    REQUIRE(mlir::succeeded(passes.run(*module)));
    llvm::LLVMContext llvmContext;
    std::unique_ptr<llvm::Module> llvmModule = mlir::translateModuleToLLVMIR(*module, llvmContext);
    REQUIRE(llvmModule);
    REQUIRE(optimizeForCpu(*llvmModule, target).has_value());
    auto compiled = CpuJit::create(*llvmModule, target);
    REQUIRE_MESSAGE(compiled.has_value(), compiled.error().render());
    jit = std::move(*compiled);
    auto found = jit->entry(symbol);
    REQUIRE(found.has_value());
    entry = *found;
  }

  void run(Parameters &parameters, int32_t gridX, int32_t gridY = 1, int32_t gridZ = 1) const {
    for (int32_t z = 0; z < gridZ; ++z)
      for (int32_t y = 0; y < gridY; ++y)
        for (int32_t x = 0; x < gridX; ++x)
          entry(parameters.get(), x, y, z);
  }

  std::unique_ptr<CpuJit> jit;
  runtime::CpuEntry entry = nullptr;
};

/// `text` with every {NAME} replaced by its value.
inline std::string substitute(std::string text, const std::vector<std::pair<std::string, std::string>> &values) {
  for (const auto &[name, value] : values)
    for (size_t at = text.find("{" + name + "}"); at != std::string::npos; at = text.find("{" + name + "}", at))
      text.replace(at, name.size() + 2, value);
  return text;
}

inline int32_t ceilDiv(int64_t a, int64_t b) {
  return static_cast<int32_t>((a + b - 1) / b);
}

/// 16-bit floats as their bits. Rounding is to nearest even, written independently of the compiler's.
inline float fromHalf(uint16_t bits, bool bf16) {
  if (bf16)
    return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  float magnitude = exponent == 31  ? (fraction ? NAN : INFINITY)
                    : exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                                    : std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  return bits >> 15 ? -magnitude : magnitude;
}

inline uint16_t toHalf(float value, bool bf16) {
  if (std::isnan(value))
    return 0x7fff;
  const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  // The representable values in order are the bit patterns in order: bisect, then take the nearer neighbour.
  const double magnitude = std::fabs(static_cast<double>(value));
  uint16_t low = 0, high = bf16 ? 0x7f80 : 0x7c00;
  while (high - low > 1) {
    const uint16_t middle = static_cast<uint16_t>((low + high) / 2);
    (fromHalf(middle, bf16) <= magnitude ? low : high) = middle;
  }
  if (magnitude >= fromHalf(high, bf16))
    return static_cast<uint16_t>(sign | high);
  const double below = fromHalf(low, bf16);
  // The neighbour above the largest finite value counts as the next power of two, not as infinity.
  const bool atTop = std::isinf(fromHalf(high, bf16));
  const double above = atTop ? std::ldexp(1.0, bf16 ? 128 : 16) : fromHalf(high, bf16);
  const bool up = magnitude - below > above - magnitude || (magnitude - below == above - magnitude && low % 2);
  return static_cast<uint16_t>(sign | (up ? high : low));
}

/// Normally distributed 16-bit floats.
inline std::vector<uint16_t> randomHalves(size_t count, bool bf16, unsigned seed, float scale = 1) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0, scale);
  std::vector<uint16_t> values(count);
  for (uint16_t &value : values)
    value = toHalf(normal(generator), bf16);
  return values;
}

} // namespace lacuna::test

#endif // LACUNA_TESTS_UNIT_CODEGEN_CPUKERNELHARNESS_H
