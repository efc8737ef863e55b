//===- SemaSchedule.cpp - Checks and values of schedules ---------------------===//

#include "ConstantEval.h"
#include "SemaImpl.h"
#include "lacuna/Compiler/Frontend/Sema.h"

using namespace lacuna;
using namespace lacuna::frontend;

/// Names that a tuning condition may use besides params and knobs: bytes of shared memory, and whether the registers
/// suffice.
static constexpr std::string_view kTuneFacts[] = {"smem", "regs_fit"};

/// Slots of a ring (the type !warp.ring).
static constexpr int64_t kMostSlots = 8;

void Sema::checkSchedules() {
  std::map<std::pair<std::string_view, std::string_view>, const ScheduleDecl *> seen;
  for (const ScheduleDecl *schedule : module->all<ScheduleDecl>()) {
    std::vector<std::string> kernels = kernelNames(*module);
    if (std::find(kernels.begin(), kernels.end(), schedule->name.name) == kernels.end()) {
      error(schedule->name.range,
            fmt::format("the file has no kernel '{}'; a schedule belongs to one of {}{}", schedule->name.name,
                        quotedList(kernels), didYouMean(schedule->name.name, kernels)));
      continue;
    }
    auto [previous, isNew] = seen.try_emplace({schedule->name.name, schedule->target.name}, schedule);
    if (!isNew)
      error(schedule->range, fmt::format("'{}' has two schedules for {}; remove one of them", schedule->name.name,
                                         schedule->target.name))
          .note(previous->second->range, "the other one is here");
    else if (schedule->name.name == result->decl->name.name)
      checkSchedule(*schedule);
  }
}

void Sema::checkSchedule(const ScheduleDecl &schedule) {
  std::vector<std::string> targets = {"sm_90a", "sm_80", "cpu"};
  if (std::find(targets.begin(), targets.end(), schedule.target.name) == targets.end())
    error(schedule.target.range, fmt::format("unknown target '{}'; the targets are {}{}", schedule.target.name,
                                             quotedList(targets), didYouMean(schedule.target.name, targets)));
  SchedulePlan plan;
  plan.target = schedule.target.name;
  knobs.clear();
  declareKnobs(schedule);
  std::map<ScheduleItem::Kind, const ScheduleItem *> seen;
  auto checkItem = [&](const ScheduleItem &item) {
    bool tune = item.kind == ScheduleItem::Kind::Tune;
    bool applies = tune || !item.condition || scheduleNumber(*item.condition, "a condition").value_or(0) != 0;
    if (!applies)
      return checkIdleItem(item);
    auto [previous, isNew] = seen.try_emplace(item.kind, &item);
    if (!isNew && item.kind != ScheduleItem::Kind::Ring)
      error(item.range, "this entry stands twice in the schedule; remove one of them, or give them conditions (`when`) "
                        "of which one holds")
          .note(previous->second->range, "the other one is here");
    checkScheduleItem(item, plan);
  };
  // Other entries may name the number of consumers.
  for (bool first : {true, false})
    for (const ScheduleItem &item : schedule.items)
      if ((item.kind == ScheduleItem::Kind::Consumers) == first)
        checkItem(item);
  if (plan.target != specialization.target)
    return;
  if (plan.target != "cpu")
    checkResources(plan, seen);
  result->schedule = std::move(plan);
}

/// An entry whose condition does not hold has no effect; its names are checked all the same.
void Sema::checkIdleItem(const ScheduleItem &item) {
  SchedulePlan unused;
  idleItem = true;
  checkScheduleItem(item, unused);
  idleItem = false;
}

/// Gives each knob that the schedule declares (`stages in {2, 3}`) the value set by the caller, its default, or its
/// first value. Schedules for other targets may have a knob of that name with another domain: what the caller sets is
/// for the one that is compiled for, and on a CPU for that of sm_90a.
void Sema::declareKnobs(const ScheduleDecl &schedule) {
  const bool isMeant = specialization.target.empty() || schedule.target.name == specialization.target ||
                       (specialization.target == "cpu" && schedule.target.name == "sm_90a");
  for (const ScheduleItem &item : schedule.items) {
    for (const ScheduleItem::Knob &knob : item.knobs) {
      if (!knob.domain)
        continue;
      std::string_view name = knob.name.name;
      if (findParam(name) || knobs.count(name)) {
        error(knob.name.range,
              fmt::format("'{}' is declared already; choose another name, or tune the param without a domain", name));
        continue;
      }
      std::optional<std::vector<ParamValue>> candidates = binder.members(*knob.domain, *module, result->params);
      if (!candidates)
        continue;
      int64_t value = candidates->front().value;
      auto setting = specialization.params.find(std::string(name));
      if (setting != specialization.params.end()) {
        unusedSettings.erase(setting->first);
        auto parsed =
            isMeant ? binder.parseSetting(name, setting->second, *knob.domain, *module, result->params) : std::nullopt;
        value = parsed ? parsed->value : value;
      } else if (knob.defaultValue) {
        value = evaluateWithParams(*knob.defaultValue, *module, result->params, "a default", sink).value_or(value);
        bool allowed =
            std::any_of(candidates->begin(), candidates->end(), [&](const ParamValue &c) { return c.value == value; });
        if (!allowed)
          error(knob.defaultValue->range, fmt::format("the default {} of '{}' is not in its domain", value, name));
      }
      knobs[name] = value;
    }
  }
}

std::optional<int64_t> Sema::scheduleNumber(const Expr &expr, std::string_view what) {
  NameValue nameValue = [&](const NameExpr &name) -> std::optional<int64_t> {
    if (auto knob = knobs.find(name.name); knob != knobs.end())
      return knob->second;
    const ParamDecl *param = findParam(name.name);
    auto value = param ? result->params.find(param) : result->params.end();
    if (value != result->params.end() && !value->second.isType)
      return value->second.value;
    std::vector<std::string> known;
    for (const auto &[other, otherValue] : knobs)
      known.emplace_back(other);
    for (const ParamDecl *other : module->all<ParamDecl>())
      known.emplace_back(other->name.name);
    error(name.range, fmt::format("'{}' has no value in a schedule; params and the knobs of `tune` have{}", name.name,
                                  didYouMean(name.name, known)));
    return std::nullopt;
  };
  return evaluateConstant(expr, nameValue, what, sink);
}

std::optional<int64_t> Sema::scheduleValue(const Expr &expr, int64_t min, int64_t max, std::string_view what) {
  if (idleItem) {
    checkScheduleNames(expr, /*tuning=*/false);
    return std::nullopt;
  }
  std::optional<int64_t> value = scheduleNumber(expr, what);
  if (value && (*value < min || *value > max)) {
    error(expr.range, fmt::format("{} is from {} to {}, but `{}` is {} with these params", what, min, max,
                                  printExpr(expr), *value));
    return std::nullopt;
  }
  return value;
}

std::optional<int64_t> Sema::scheduleRegisters(const Expr &expr) {
  std::optional<int64_t> value = scheduleValue(expr, 24, 240, "the number of registers a thread");
  if (value && *value % 8 != 0) {
    error(expr.range, fmt::format("registers are given in eights, but `{}` is {}; take {} or {}", printExpr(expr),
                                  *value, *value / 8 * 8, *value / 8 * 8 + 8));
    return std::nullopt;
  }
  return value;
}

void Sema::checkConsumers(const ScheduleItem &item, SchedulePlan &plan) {
  plan.consumers = scheduleValue(*item.count, 1, 3, "the number of consumer warpgroups");
  if (plan.consumers)
    knobs["consumers"] = *plan.consumers;
  if (item.value)
    plan.consumerRegs = scheduleRegisters(*item.value);
}

void Sema::checkScheduleItem(const ScheduleItem &item, SchedulePlan &plan) {
  if (sink.hasDropped())
    return;
  auto checkWord = [&](std::vector<std::string> allowed) {
    if (std::find(allowed.begin(), allowed.end(), item.word.name) == allowed.end())
      error(item.word.range, fmt::format("'{}' is not known here; it may be {}{}", item.word.name, quotedList(allowed),
                                         didYouMean(item.word.name, allowed)));
  };
  switch (item.kind) {
  case ScheduleItem::Kind::Producer:
    plan.producerRegs = scheduleRegisters(*item.value);
    break;
  case ScheduleItem::Kind::Consumers:
    return checkConsumers(item, plan);
  case ScheduleItem::Kind::Ring:
    return checkRing(item, plan);
  case ScheduleItem::Kind::Overlap:
    return checkOverlap(item, plan);
  case ScheduleItem::Kind::Pingpong:
    plan.pingpong = true;
    break;
  case ScheduleItem::Kind::Programs:
    checkWord({"overlapped", "persistent", "single"});
    plan.oneProgram = item.word.name == "single";
    plan.separatePrograms = item.word.name == "persistent";
    break;
  case ScheduleItem::Kind::Split:
    checkWord({"masked", "none"});
    plan.noSplit = item.word.name == "none";
    break;
  case ScheduleItem::Kind::Order:
    checkWord({"longest_first", "natural"});
    plan.order = item.word.name;
    break;
  case ScheduleItem::Kind::Epilogue:
    checkWord({"tma", "direct"});
    plan.epilogue = item.word.name;
    break;
  case ScheduleItem::Kind::Tune:
    return checkTune(item, plan);
  }
}

/// What a GPU cannot give: fewer or more consumers than the products' rows take, more registers than there are. On
/// sm_80 the producer is one warp, and all threads have as many registers.
void Sema::checkResources(const SchedulePlan &plan, const std::map<ScheduleItem::Kind, const ScheduleItem *> &items) {
  constexpr int64_t kRows = 64, kThreads = 128, kRegisterFile = 65536, kMostAtEntry = 248;
  if (!plan.consumers)
    return;
  const ScheduleItem &consumers = *items.at(ScheduleItem::Kind::Consumers);
  std::set<int64_t> rows;
  for (const auto &[call, builtin] : result->builtinCalls)
    if (builtin->op == Builtin::Op::Dot)
      if (auto type = result->types.find(call); type != result->types.end() && type->second.isTile())
        rows.insert(type->second.rows.padded());
  if (rows.size() == 1 && *rows.begin() % kRows == 0 && *rows.begin() != kRows * *plan.consumers)
    error(consumers.count->range,
          fmt::format("products of {} rows take {} (64 rows each), but `{}` is {} with these params", *rows.begin(),
                      *rows.begin() == kRows ? "one consumer warpgroup"
                                             : fmt::format("{} consumer warpgroups", *rows.begin() / kRows),
                      printExpr(*consumers.count), *plan.consumers));
  if (!plan.consumerRegs)
    return;
  if (plan.target == "sm_80") {
    // Each of the multiprocessor's four parts has a quarter of the registers; one runs the producer's warp, too.
    int64_t most = kRegisterFile / ((1 + *plan.consumers) * kThreads) / 8 * 8;
    if (*plan.consumerRegs > most)
      error(consumers.value->range,
            fmt::format("{} registers a thread are more than there are for {} warps; they may have {}",
                        *plan.consumerRegs, 1 + 4 * *plan.consumers, most));
    return;
  }
  // Every warpgroup starts with an even share in eights; what they keep afterwards must fit into the sum.
  int64_t groups = 1 + *plan.consumers, producer = plan.producerRegs.value_or(24);
  int64_t sum = std::min(kRegisterFile / (groups * kThreads) / 8 * 8, kMostAtEntry) * groups;
  int64_t asked = producer + *plan.consumers * *plan.consumerRegs;
  if (asked <= sum)
    return;
  Diagnostic &diagnostic =
      error(consumers.value->range,
            fmt::format("a thread of each warpgroup takes {} registers together ({} x {}, and {} of the producer), but "
                        "there are {}; the consumers may have {}",
                        asked, *plan.consumers, *plan.consumerRegs, producer, sum,
                        (sum - producer) / *plan.consumers / 8 * 8));
  if (auto item = items.find(ScheduleItem::Kind::Producer); item != items.end())
    diagnostic.note(item->second->range, "the producer's are given here");
}

void Sema::checkRing(const ScheduleItem &item, SchedulePlan &plan) {
  SchedulePlan::Ring ring;
  for (const Identifier &name : item.names) {
    if (sink.hasDropped())
      return;
    auto found = declarations.find(name.name);
    if (found == declarations.end()) {
      std::vector<std::string> known;
      for (const auto &[other, stmts] : declarations)
        if (llvm::isa<LoadExpr>(stmts.front()->value.get()))
          known.emplace_back(other);
      error(name.range, fmt::format("the kernel declares no value '{}'; a ring holds loaded values: {}{}", name.name,
                                    quotedList(known), didYouMean(name.name, known)));
    } else if (found->second.size() > 1) {
      error(name.range,
            fmt::format("the kernel declares '{}' in several places, so a ring cannot name it; rename one of them",
                        name.name))
          .note(found->second[0]->name.range, "one is here")
          .note(found->second[1]->name.range, "another is here");
    } else if (!llvm::isa<LoadExpr>(found->second.front()->value.get())) {
      error(name.range, fmt::format("'{}' is not loaded; a ring holds values declared as `let {} = load ...`",
                                    name.name, name.name))
          .note(found->second.front()->name.range, "declared here");
    } else {
      const Symbol *value = result->symbolOf(&found->second.front()->name);
      auto holds = [&](const SchedulePlan::Ring &other) {
        return std::find(other.values.begin(), other.values.end(), value) != other.values.end();
      };
      if (holds(ring) || std::any_of(plan.rings.begin(), plan.rings.end(), holds))
        error(name.range, fmt::format("'{}' has a ring already; name it in one entry", name.name));
      ring.values.push_back(value);
    }
  }
  ring.depth = scheduleValue(*item.value, 1, kMostSlots, "the depth of a ring").value_or(1);
  plan.rings.push_back(std::move(ring));
}

void Sema::checkOverlap(const ScheduleItem &item, SchedulePlan &plan) {
  for (const Identifier &name : item.names) {
    if (sink.hasDropped())
      return;
    if (!labels.count(name.name)) {
      std::vector<std::string> known;
      for (const auto &[label, stmt] : labels)
        known.emplace_back(label);
      error(name.range, fmt::format("no statement of the kernel has the label '{}'; its labels are {}{}", name.name,
                                    quotedList(known), didYouMean(name.name, known)));
    }
    plan.overlap.emplace_back(name.name);
  }
}

void Sema::checkTune(const ScheduleItem &item, SchedulePlan &plan) {
  for (const ScheduleItem::Knob &knob : item.knobs) {
    SchedulePlan::Knob planned;
    planned.name = knob.name.name;
    const ParamDecl *param = findParam(knob.name.name);
    const Domain *domain = knob.domain ? &*knob.domain : param ? &param->domain : nullptr;
    if (!domain) {
      std::vector<std::string> known;
      for (const ParamDecl *other : module->all<ParamDecl>())
        known.emplace_back(other->name.name);
      error(knob.name.range, fmt::format("'{0}' is no param, so it needs a domain; write `{0} in {{...}}`{1}",
                                         knob.name.name, didYouMean(knob.name.name, known)));
      continue;
    }
    // A default of the target at hand was taken with the params; the names of another one's are checked.
    auto value = param ? result->params.find(param) : result->params.end();
    if (!knob.domain && knob.defaultValue && plan.target != specialization.target && value != result->params.end() &&
        !value->second.isType)
      checkScheduleNames(*knob.defaultValue, /*tuning=*/false);
    if (auto candidates = binder.members(*domain, *module, result->params))
      for (const ParamValue &candidate : *candidates)
        planned.candidates.push_back(candidate.str());
    if (knob.domain)
      planned.chosen = knobs.count(knob.name.name) ? std::to_string(knobs[knob.name.name]) : "";
    else if (value != result->params.end())
      planned.chosen = value->second.str();
    plan.knobs.push_back(std::move(planned));
  }
  if (item.condition) {
    checkScheduleNames(*item.condition, /*tuning=*/true);
    plan.tuneConditions.push_back(item.condition.get());
  }
}

/// A tuning condition is judged by the tuner, once it knows the facts; here only its names are checked. So are those of
/// an entry without effect.
void Sema::checkScheduleNames(const Expr &expr, bool tuning) {
  if (sink.hasDropped())
    return;
  if (const auto *name = llvm::dyn_cast<NameExpr>(&expr)) {
    std::vector<std::string> known;
    if (tuning)
      known.assign(std::begin(kTuneFacts), std::end(kTuneFacts));
    for (const auto &[knob, value] : knobs)
      known.emplace_back(knob);
    for (const ParamDecl *param : module->all<ParamDecl>())
      known.emplace_back(param->name.name);
    if (std::find(known.begin(), known.end(), name->name) == known.end())
      error(name->range, fmt::format("undefined name '{}' in a {}; params{} may be named{}", name->name,
                                     tuning ? "tuning condition" : "schedule",
                                     tuning ? ", knobs, smem and regs_fit" : " and the knobs of `tune`",
                                     didYouMean(name->name, known)));
  } else if (const auto *unary = llvm::dyn_cast<UnaryExpr>(&expr)) {
    checkScheduleNames(*unary->operand, tuning);
  } else if (const auto *binary = llvm::dyn_cast<BinaryExpr>(&expr)) {
    checkScheduleNames(*binary->lhs, tuning);
    checkScheduleNames(*binary->rhs, tuning);
  } else if (const auto *select = llvm::dyn_cast<SelectExpr>(&expr)) {
    for (const ExprPtr *part : {&select->condition, &select->whenTrue, &select->whenFalse})
      checkScheduleNames(**part, tuning);
  } else if (const auto *call = llvm::dyn_cast<CallExpr>(&expr)) {
    for (const ExprPtr &argument : call->arguments)
      checkScheduleNames(*argument, tuning);
  } else if (!llvm::isa<IntegerExpr, BoolExpr>(&expr)) {
    error(expr.range, fmt::format("a {} is made of names, integers and operators; `{}` is not",
                                  tuning ? "tuning condition" : "value of a schedule", printExpr(expr)));
  }
}
