//===- RobustnessTest.cpp - No input crashes or hangs the front end ---------===//
//
// Damaged library kernels: cut off, with bytes changed, removed and repeated, with tokens exchanged. What is still
// accepted must also become IR or a diagnostic. The damage is generated from a fixed seed, printed on failure.
//
//===----------------------------------------------------------------------===//

#include "FrontendTestSupport.h"

#include "lacuna/Compiler/Frontend/AstPrinter.h"
#include "lacuna/Compiler/Frontend/IRGen.h"
#include "lacuna/Compiler/Frontend/Lexer.h"

#include "mlir/IR/MLIRContext.h"

#include <random>

using namespace lacuna;
using namespace lacuna::frontend;

/// Runs all of the front end on `text`; returns how many kernels became IR.
static int exercise(const std::string &text, mlir::MLIRContext &context) {
  auto module = parseModule("damaged.tile", text);
  if (!module) {
    CHECK(!module.error().message.empty());
    return 0;
  }
  std::string printed = printModule(**module);
  auto again = parseModule("printed.tile", printed);
  REQUIRE_MESSAGE(again, printed << "\n" << again.error().message);
  CHECK(printModule(**again) == printed);
  int generated = 0;
  for (const std::string &name : kernelNames(**module)) {
    for (const char *target : {"cpu", "sm_90a", "sm_80"}) {
      Specialization specialization;
      specialization.kernel = name;
      specialization.target = target;
      auto kernel = analyze(*module, specialization);
      if (!kernel) {
        CHECK(!kernel.error().message.empty());
        continue;
      }
      auto ir = generateTile(**kernel, context);
      generated += ir.has_value();
    }
  }
  return generated;
}

static std::vector<std::string> libraryTexts() {
  std::vector<std::string> texts;
  for (const std::string &name : kKernelFiles) {
    // Without comments, damage meets the language more often.
    auto module = parseModule(name, readKernelFile(name));
    REQUIRE(module);
    std::stringstream lines(printModule(**module));
    std::string text, line;
    while (std::getline(lines, line))
      if (line.rfind("//", 0) != 0)
        text += line + "\n";
    texts.push_back(text);
  }
  return texts;
}

TEST_CASE("texts that end early") {
  mlir::MLIRContext context;
  for (const std::string &text : libraryTexts())
    for (size_t length = 0; length < text.size(); length += 7)
      exercise(text.substr(0, length), context);
}

TEST_CASE("texts with damaged bytes") {
  mlir::MLIRContext context;
  std::mt19937 random(20240607);
  auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
  const std::string alphabet = "()[]{}<>=+-*/%.,:;?!&|\" \n\t0123456789abBDMNTxyz_\x01\xff";
  for (const std::string &original : libraryTexts()) {
    for (int round = 0; round < 150; ++round) {
      std::string text = original;
      for (size_t edits = 1 + below(3); edits > 0; --edits) {
        size_t at = below(text.size());
        switch (below(4)) {
        case 0:
          text[at] = alphabet[below(alphabet.size())];
          break;
        case 1:
          text.erase(at, 1 + below(6));
          break;
        case 2:
          text.insert(at, text.substr(below(text.size()), below(30)));
          break;
        default:
          text.insert(at, 1, alphabet[below(alphabet.size())]);
          break;
        }
      }
      exercise(text, context);
    }
  }
}

TEST_CASE("texts with exchanged tokens") {
  mlir::MLIRContext context;
  std::mt19937 random(7);
  int generated = 0;
  for (const std::string &original : libraryTexts()) {
    SourceFile file("t", original);
    DiagnosticSink sink;
    std::vector<Token> tokens = tokenize(file, sink);
    for (int round = 0; round < 150; ++round) {
      const Token &from = tokens[random() % (tokens.size() - 1)], &to = tokens[random() % (tokens.size() - 1)];
      std::string text = original;
      text.replace(to.range.begin, to.range.end - to.range.begin, std::string(from.text()));
      generated += exercise(text, context);
    }
  }
  CHECK(generated > 20); // some damage is meaningful, so the later stages were reached
}
