//===- FrontendTestSupport.h - Helpers of the front end's tests --*- C++ -*-===//

#ifndef LACUNA_TESTS_UNIT_FRONTEND_FRONTENDTESTSUPPORT_H
#define LACUNA_TESTS_UNIT_FRONTEND_FRONTENDTESTSUPPORT_H

#include "lacuna/Compiler/Frontend/Parser.h"
#include "lacuna/Compiler/Frontend/Sema.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace lacuna::frontend {

/// The text of a library kernel; the tests run in the root of the source tree.
inline std::string readKernelFile(const std::string &name) {
  std::ifstream file("kernels_dsl/" + name + ".tile");
  REQUIRE_MESSAGE(file.good(), "kernels_dsl/" << name << ".tile is not readable");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

inline const std::vector<std::string> kKernelFiles = {
    "attention_forward", "attention_packed",  "block_sparse_matmul",  "matmul",
    "pooled_scores",     "sigmoid_attention", "two_product_attention"};

/// Parses and checks; the specialisation's kernel may be empty.
inline Expected<std::shared_ptr<const CheckedKernel>> check(const std::string &text,
                                                            const Specialization &specialization = {}) {
  auto module = parseModule("test.tile", text);
  if (!module)
    return takeError(module);
  return analyze(*module, specialization);
}

/// The message of a text that must be refused.
inline std::string refusal(const std::string &text, const Specialization &specialization = {}) {
  auto kernel = check(text, specialization);
  REQUIRE_MESSAGE(!kernel, "accepted, but should be refused:\n" << text);
  return kernel.error().message;
}

/// A kernel with this body, two inputs, an output and a list.
inline std::string kernelWith(const std::string &body, const std::string &before = "") {
  return "param BM in {64, 128} = 128   BN in 16..256 by 16 = 64\n"
         "param D in 8..256 by 8 = 64   T in {bf16, f16} = bf16\n" +
         before +
         "\nkernel test(q: T[B, M, D], k: T[B, N, D], rows: blocks<BM, BN>[B|1, 1], x: f32[M, N], y: out f32[B, M, "
         "N],\n"
         "            z: out f32[B, M], scale: f32, count: i32)\n"
         "  grid (i: ceildiv(M, BM), b: B)\n"
         "{\n" +
         body + "\n}\n";
}

/// Checks that `message` holds `part`, and shows both where it does not.
inline void checkContains(const std::string &message, const std::string &part) {
  CHECK_MESSAGE(message.find(part) != std::string::npos, "expected: " << part << "\ngot: " << message);
}

} // namespace lacuna::frontend

#endif // LACUNA_TESTS_UNIT_FRONTEND_FRONTENDTESTSUPPORT_H
