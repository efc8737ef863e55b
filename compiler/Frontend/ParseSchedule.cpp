//===- ParseSchedule.cpp - Parsing of schedules ---------------------------===//

#include "ParserImpl.h"

using namespace lacuna;
using namespace lacuna::frontend;

std::unique_ptr<Decl> Parser::parseSchedule() {
  SourceRange begin = take().range;
  auto schedule = std::make_unique<ScheduleDecl>(begin);
  schedule->name = expectName("the kernel's name after `schedule`");
  if (!schedule->name || !expectWord("on", "before the schedule's target, as in `schedule matmul on sm_90a`"))
    return nullptr;
  schedule->target = expectName("the target after `on`, such as sm_90a");
  if (!schedule->target)
    return nullptr;
  schedule->range = rangeFrom(begin);
  SourceRange opening = current().range;
  if (!expect(TokenKind::LBrace, "at the beginning of the schedule"))
    return nullptr;
  while (!is(TokenKind::RBrace) && !is(TokenKind::End)) {
    if (takeIf(TokenKind::Semicolon))
      continue;
    std::optional<ScheduleItem> item = parseScheduleItem();
    if (!item) {
      while (!is(TokenKind::Semicolon) && !is(TokenKind::RBrace) && !is(TokenKind::End))
        take();
      continue;
    }
    schedule->items.push_back(std::move(*item));
  }
  return expectClosing(TokenKind::RBrace, opening) ? std::move(schedule) : nullptr;
}

std::optional<ScheduleItem> Parser::parseScheduleItem() {
  using Kind = ScheduleItem::Kind;
  static constexpr std::pair<std::string_view, Kind> kWords[] = {
      {"producer", Kind::Producer}, {"consumers", Kind::Consumers}, {"ring", Kind::Ring},
      {"overlap", Kind::Overlap},   {"pingpong", Kind::Pingpong},   {"programs", Kind::Programs},
      {"split", Kind::Split},       {"order", Kind::Order},         {"epilogue", Kind::Epilogue},
      {"tune", Kind::Tune}};
  ScheduleItem item;
  item.range = current().range;
  std::vector<std::string> known;
  for (auto [word, kind] : kWords) {
    if (isWord(word)) {
      take();
      item.kind = kind;
      if (!parseScheduleBody(item))
        return std::nullopt;
      if (kind != Kind::Tune && takeWord("when") && !(item.condition = parseExpr()))
        return std::nullopt;
      item.range = rangeFrom(item.range);
      return item;
    }
    known.emplace_back(word);
  }
  error(current().range, fmt::format("expected an entry of a schedule, but found {}; the entries are {}{}", found(),
                                     quotedList(known), didYouMean(current().text(), known)));
  return std::nullopt;
}

bool Parser::parseScheduleBody(ScheduleItem &item) {
  auto parseNames = [&](std::string_view what) {
    do {
      item.names.push_back(expectName(what));
    } while (item.names.back() && takeIf(TokenKind::Comma));
    return static_cast<bool>(item.names.back());
  };
  auto parseWord = [&](std::string_view what) {
    item.word = expectName(what);
    return static_cast<bool>(item.word);
  };
  switch (item.kind) {
  case ScheduleItem::Kind::Producer:
    return expectWord("regs", "after `producer`, as in `producer regs 24`") && (item.value = parseExpr());
  case ScheduleItem::Kind::Consumers:
    if (!(item.count = parseExpr()))
      return false;
    return !takeWord("regs") || takeWord("auto") || (item.value = parseExpr());
  case ScheduleItem::Kind::Ring:
    return parseNames("the name of a loaded value, as in `ring tk, tv depth 2`") &&
           expectWord("depth", "after the ring's values, as in `ring tk, tv depth 2`") && (item.value = parseExpr());
  case ScheduleItem::Kind::Overlap:
    return parseNames("the label of a statement, as in `overlap qk`");
  case ScheduleItem::Kind::Pingpong:
    return true;
  case ScheduleItem::Kind::Programs:
    return parseWord("how thread blocks take programs (overlapped, persistent or single)");
  case ScheduleItem::Kind::Split:
    return parseWord("what is split off (masked or none)");
  case ScheduleItem::Kind::Order:
    if (!expect(TokenKind::KwGrid, "after `order`, as in `order grid longest_first`"))
      return false;
    return parseWord("an order (longest_first or natural)");
  case ScheduleItem::Kind::Epilogue:
    return parseWord("a kind of epilogue (tma or direct)");
  case ScheduleItem::Kind::Tune:
    return parseKnobs(item);
  }
  return false;
}

bool Parser::parseKnobs(ScheduleItem &item) {
  do {
    ScheduleItem::Knob &knob = item.knobs.emplace_back();
    knob.name = expectName("the name of a knob or a param, as in `tune stages in {2, 3}, BM`");
    if (!knob.name)
      return false;
    if (takeIf(TokenKind::KwIn) && !(knob.domain = parseDomain()))
      return false;
    if (takeIf(TokenKind::Equal) && !(knob.defaultValue = parseExpr()))
      return false;
  } while (takeIf(TokenKind::Comma));
  return !takeIf(TokenKind::KwWhere) || (item.condition = parseExpr());
}
