//===- SemaPattern.cpp - Patterns in place of block lists --------------------===//

#include "SemaImpl.h"
#include "lacuna/Compiler/Frontend/Lexer.h"
#include "lacuna/Compiler/Frontend/Parser.h"

#include <algorithm>

using namespace lacuna;
using namespace lacuna::frontend;

bool Sema::isBlockList(std::string_view name) const {
  const auto &arguments = result->decl->arguments;
  return std::any_of(arguments.begin(), arguments.end(), [&](const KernelDecl::Argument &argument) {
    return argument.type.isBlocks && argument.name.name == name;
  });
}

/// Puts a pattern, by its name or as bands over b, h, first and last, in the place of the argument `name`.
void Sema::replaceList(const std::string &name, const std::string &text) {
  const SourceFile &file = result->optionTexts.emplace_back("--hook", fmt::format("{}={}", name, text));
  auto begin = static_cast<uint32_t>(name.size() + 1);
  SourceRange range{&file, begin, static_cast<uint32_t>(file.text().size())};
  std::string_view list = file.text().substr(0, name.size());
  if (isIdentifier(text)) {
    if (const PatternDecl *pattern = findPattern(text)) {
      listPatterns[list] = pattern;
      return;
    }
    sink.error(ErrorCode::NotFound, range,
               fmt::format("'{}' is no pattern of {} or of the library{}; the patterns are {}{}", text,
                           module->source->name(),
                           findHook(text) ? fmt::format(", but a hook, and '{}' is a block list", name) : "",
                           quotedList(declNames<PatternDecl>()), didYouMean(text, declNames<PatternDecl>())));
    return;
  }
  std::unique_ptr<PatternDecl> pattern = parseOption(file, begin, parsePattern);
  if (!pattern)
    return;
  pattern->range = range;
  for (std::string_view parameter : {"b", "h", "first", "last"})
    pattern->parameters.push_back({parameter, range});
  listPatterns[list] = pattern.get();
  result->optionPatterns.push_back(std::move(pattern));
}

/// The pattern as this kernel's lists use it; checked once the kernel's dimensions are known.
PatternInstance *Sema::instantiatePattern(const PatternDecl &pattern) {
  auto [instance, isNew] = result->patterns.try_emplace(&pattern);
  if (isNew) {
    instance->second.decl = &pattern;
    for (const Identifier &parameter : pattern.parameters)
      instance->second.parameters.push_back(
          newSymbol(Symbol::Kind::PatternParameter, parameter, Type::scalar(ScalarKind::I32)));
  }
  return &instance->second;
}

void Sema::checkPattern(const PatternInstance &instance) {
  const Module *callerModule = currentModule;
  if (instance.decl->range.file == library->source.get())
    currentModule = library.get();
  context = Context::Pattern;
  scopes.emplace_back();
  for (const Symbol *parameter : instance.parameters)
    declare(parameter, nullptr);
  for (const PatternDecl::Band &band : instance.decl->bands)
    for (const ExprPtr *bound : {&band.someBegin, &band.someEnd, &band.allBegin, &band.allEnd})
      if (*bound)
        checkIndex(**bound, "the bound of a band");
  scopes.pop_back();
  context = Context::Kernel;
  currentModule = callerModule;
}
