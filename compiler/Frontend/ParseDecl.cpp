//===- ParseDecl.cpp - Parsing of declarations ----------------------------===//

#include "ParserImpl.h"

using namespace lacuna;
using namespace lacuna::frontend;

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

std::vector<std::string_view> Parser::docLines(SourceRange comment) const {
  std::vector<std::string_view> lines;
  std::string_view text = comment.text();
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    size_t last = line.find_last_not_of(" \t\r");
    lines.push_back(line.substr(0, last == std::string_view::npos ? 0 : last + 1));
  }
  return lines;
}

/// The comment that opens the file, where an empty line parts it from the first declaration.
std::vector<std::string_view> Parser::fileDoc() const {
  std::string_view text = file.text();
  size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos || text.substr(begin, 2) != "//")
    return {};
  size_t end = begin;
  for (size_t line = begin; line < text.size() && text.substr(line, 2) == "//";) {
    end = std::min(text.find('\n', line), text.size());
    line = std::min(text.find_first_not_of(" \t", std::min(end + 1, text.size())), text.size());
  }
  bool belongsToDecl =
      tokens.front().comment.isValid() && tokens.front().comment.begin == begin && !tokens.front().is(TokenKind::End);
  if (belongsToDecl)
    return {};
  return docLines({&file, static_cast<uint32_t>(begin), static_cast<uint32_t>(end)});
}

void Parser::parseModule(Module &module) {
  module.doc = fileDoc();
  while (!is(TokenKind::End)) {
    size_t begin = at;
    if (!parseDecl(module))
      synchronizeDecl(begin);
  }
}

bool Parser::parseDecl(Module &module) {
  SourceRange comment = current().comment;
  std::unique_ptr<Decl> decl;
  switch (current().kind) {
  case TokenKind::KwParam:
    return parseParams(module);
  case TokenKind::KwWhere:
    decl = parseWhere();
    break;
  case TokenKind::KwHook:
    decl = parseHook();
    break;
  case TokenKind::KwPattern:
    decl = parsePattern();
    break;
  case TokenKind::KwKernel:
    decl = parseKernel();
    break;
  case TokenKind::KwSchedule:
    decl = parseSchedule();
    break;
  case TokenKind::Semicolon:
    take();
    return true;
  default:
    error(current().range,
          fmt::format(
              "expected a declaration, but found {}; a declaration begins with param, where, hook, pattern, kernel or "
              "schedule{}",
              found(), didYouMean(current().text(), {"param", "where", "hook", "pattern", "kernel", "schedule"})));
    return false;
  }
  if (!decl)
    return false;
  decl->doc = docLines(comment);
  module.decls.push_back(std::move(decl));
  return true;
}

//===----------------------------------------------------------------------===//
// Params, constraints, hooks and patterns
//===----------------------------------------------------------------------===//

bool Parser::parseParams(Module &module) {
  SourceRange comment = current().comment;
  take();
  do {
    auto param = std::make_unique<ParamDecl>(current().range);
    if (current().comment.isValid())
      comment = current().comment;
    param->name = expectName("the param's name, as in `param BM in {64, 128} = 128`");
    if (!param->name ||
        !expect(TokenKind::KwIn, "and a domain after the param's name, as in `param BM in {64, 128} = 128`"))
      return false;
    std::optional<Domain> domain = parseDomain();
    if (!domain)
      return false;
    param->domain = std::move(*domain);
    if (takeIf(TokenKind::Equal) && !(param->defaultValue = parseExpr()))
      return false;
    param->range = rangeFrom(param->range);
    param->doc = docLines(comment);
    comment = {};
    module.decls.push_back(std::move(param));
  } while (is(TokenKind::Identifier) && peek().is(TokenKind::KwIn));
  return true;
}

std::optional<Domain> Parser::parseDomain() {
  Domain domain;
  domain.range = current().range;
  if (takeIf(TokenKind::LBrace)) {
    do {
      ExprPtr value = parseExpr();
      if (!value)
        return std::nullopt;
      domain.values.push_back(std::move(value));
    } while (takeIf(TokenKind::Comma));
    if (!expectClosing(TokenKind::RBrace, domain.range))
      return std::nullopt;
  } else {
    if (!(domain.first = parseBinary(4)) ||
        !expect(TokenKind::DotDot, "between the ends of a domain, as in `16..256 by 16`") ||
        !(domain.last = parseBinary(4)) || (takeIf(TokenKind::KwBy) && !(domain.step = parseBinary(4))))
      return std::nullopt;
  }
  domain.range = rangeFrom(domain.range);
  return domain;
}

std::unique_ptr<Decl> Parser::parseWhere() {
  auto where = std::make_unique<WhereDecl>(take().range);
  if (!(where->condition = parseExpr()))
    return nullptr;
  where->range = rangeFrom(where->range);
  return where;
}

bool Parser::parseParameters(std::vector<Identifier> &parameters, std::string_view what) {
  SourceRange opening = current().range;
  if (!expect(TokenKind::LParen, fmt::format("after the {}'s name", what)))
    return false;
  if (!is(TokenKind::RParen)) {
    do {
      parameters.push_back(expectName("the name of a parameter"));
      if (!parameters.back())
        return false;
      if (is(TokenKind::Colon)) {
        error(current().range,
              fmt::format("a {}'s parameters have no written types, they follow from its {}; remove the type", what,
                          what == "hook" ? "call" : "meaning"));
        return false;
      }
    } while (takeIf(TokenKind::Comma));
  }
  return expectClosing(TokenKind::RParen, opening);
}

std::unique_ptr<Decl> Parser::parseHook() {
  SourceRange begin = take().range;
  auto hook = std::make_unique<HookDecl>(begin);
  hook->name = expectName("the hook's name after `hook`");
  if (!hook->name || !parseParameters(hook->parameters, "hook") ||
      !expect(TokenKind::Arrow, "and the hook's result type, f32, i32 or bool"))
    return nullptr;
  hook->resultType = expectName("the hook's result type, f32, i32 or bool");
  if (!hook->resultType)
    return nullptr;
  hook->range = rangeFrom(begin);
  if (!expect(TokenKind::Equal, "before the hook's body") || !(hook->body = parseExpr()))
    return nullptr;
  return hook;
}

std::unique_ptr<Decl> Parser::parsePattern() {
  SourceRange begin = take().range;
  auto pattern = std::make_unique<PatternDecl>(begin);
  pattern->name = expectName("the pattern's name after `pattern`");
  if (!pattern->name || !parseParameters(pattern->parameters, "pattern"))
    return nullptr;
  pattern->range = rangeFrom(begin);
  if (pattern->parameters.size() != 4) {
    error(pattern->range,
          fmt::format("a pattern has four parameters: batch, head, first and last row of a block, as in "
                      "`pattern {}(b, h, first, last)`, but this one has {}",
                      pattern->name.name, pattern->parameters.size()));
    return nullptr;
  }
  if (!expect(TokenKind::Equal, "before the pattern's bands") || !parseBands(*pattern))
    return nullptr;
  return pattern;
}

bool Parser::parseBands(PatternDecl &pattern) {
  do {
    PatternDecl::Band &band = pattern.bands.emplace_back();
    band.range = current().range;
    if (pattern.bands.size() > PatternDecl::kMaxBands) {
      error(band.range, fmt::format("a pattern has at most {} bands; unite neighbouring ones", PatternDecl::kMaxBands));
      return false;
    }
    if (!expectWord("some", "at the beginning of a band, as in `some 0 .. last + 1 all 0 .. first + 1`") ||
        !parseSpan(band.someBegin, band.someEnd) || (takeWord("all") && !parseSpan(band.allBegin, band.allEnd)))
      return false;
    band.range = rangeFrom(band.range);
  } while (takeIf(TokenKind::Comma));
  return true;
}

bool Parser::parseSpan(ExprPtr &begin, ExprPtr &end) {
  return (begin = parseBinary(4)) && expect(TokenKind::DotDot, "between the ends of a span, as in `some 0 .. N`") &&
         (end = parseBinary(4));
}

std::unique_ptr<PatternDecl> Parser::parseWholePattern() {
  auto pattern = std::make_unique<PatternDecl>(current().range);
  if (!parseBands(*pattern))
    return nullptr;
  if (!is(TokenKind::End)) {
    error(current().range,
          fmt::format("expected the end of the pattern, but found {}; bands are parted by commas", found()));
    return nullptr;
  }
  return pattern;
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

std::unique_ptr<Decl> Parser::parseKernel() {
  SourceRange begin = take().range;
  auto kernel = std::make_unique<KernelDecl>(begin);
  kernel->name = expectName("the kernel's name after `kernel`");
  if (!kernel->name)
    return nullptr;
  kernel->range = rangeFrom(begin);
  SourceRange opening = current().range;
  if (!expect(TokenKind::LParen, "after the kernel's name"))
    return nullptr;
  if (!is(TokenKind::RParen)) {
    do {
      if (!parseArgument(*kernel))
        return nullptr;
    } while (takeIf(TokenKind::Comma));
  }
  if (!expectClosing(TokenKind::RParen, opening))
    return nullptr;
  while (is(TokenKind::KwWhere) || is(TokenKind::KwGrid)) {
    if (takeIf(TokenKind::KwWhere)) {
      ExprPtr constraint = parseExpr();
      if (!constraint)
        return nullptr;
      kernel->constraints.push_back(std::move(constraint));
    } else if (!parseGrid(*kernel)) {
      return nullptr;
    }
  }
  return parseBlock(kernel->body) ? std::move(kernel) : nullptr;
}

bool Parser::parseArgument(KernelDecl &kernel) {
  KernelDecl::Argument argument;
  argument.name = expectName("the name of an argument");
  if (!argument.name || !expect(TokenKind::Colon, "and a type after the argument's name, as in `q: T[B, M, D]`"))
    return false;
  if (isWord("out") && peek().is(TokenKind::Identifier)) {
    take();
    argument.isOutput = true;
  }
  std::optional<TypeSyntax> type = parseType();
  if (!type)
    return false;
  argument.type = std::move(*type);
  kernel.arguments.push_back(std::move(argument));
  return true;
}

bool Parser::parseGrid(KernelDecl &kernel) {
  Token keyword = take();
  if (!kernel.grid.empty()) {
    error(keyword.range, "the kernel has a grid already; a kernel has one, of one to three axes");
    return false;
  }
  SourceRange opening = current().range;
  if (!expect(TokenKind::LParen, "after `grid`, as in `grid (i: ceildiv(M, BM), b: B)`"))
    return false;
  do {
    KernelDecl::GridAxis &axis = kernel.grid.emplace_back();
    axis.name = expectName("the name of a grid axis, as in `grid (i: ceildiv(M, BM), b: B)`");
    if (!axis.name || !expect(TokenKind::Colon, "and the axis's size") || !(axis.size = parseExpr()))
      return false;
  } while (takeIf(TokenKind::Comma));
  return expectClosing(TokenKind::RParen, opening);
}

std::optional<TypeSyntax> Parser::parseType() {
  TypeSyntax type;
  type.range = current().range;
  type.dtype = expectName("a type, such as f32, i32, T[B, M, D] or blocks<QB, KB>[B|1, H|1]");
  if (!type.dtype)
    return std::nullopt;
  if (type.dtype.name == "blocks" && takeIf(TokenKind::Less)) {
    type.isBlocks = true;
    if (!(type.queryBlock = parseBinary(4)) ||
        !expect(TokenKind::Comma, "between the block's two extents, as in `blocks<QB, KB>[B|1, H|1]`") ||
        !(type.keyBlock = parseBinary(4)) || !expect(TokenKind::Greater, "after the block's extents"))
      return std::nullopt;
  }
  if (is(TokenKind::LBracket)) {
    SourceRange opening = take().range;
    do {
      TypeSyntax::Extent &extent = type.extents.emplace_back();
      if (!(extent.size = parseExpr()))
        return std::nullopt;
      if (takeIf(TokenKind::Pipe)) {
        if (!is(TokenKind::Integer) || current().value != 1) {
          error(current().range,
                fmt::format("expected 1 after '|', but found {}; `B|1` says that one list may serve all", found()));
          return std::nullopt;
        }
        take();
        extent.orOne = true;
      }
    } while (takeIf(TokenKind::Comma));
    if (!expectClosing(TokenKind::RBracket, opening))
      return std::nullopt;
  }
  type.range = rangeFrom(type.range);
  return type;
}
