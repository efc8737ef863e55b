#include "FrontendTestSupport.h"

using namespace lacuna;
using namespace lacuna::frontend;

static std::string withSchedule(const std::string &items, const std::string &head = "test on sm_90a") {
  return kernelWith("first: let tq = load q[b, i*BM:+BM, :]\nlet c = 1\nif count > 0 { let d = 1 } else { let d = 2 }\n"
                    "store z[b, i*BM:+BM] = 0") +
         "schedule " + head + " { " + items + " }\n";
}

TEST_CASE("a schedule is evaluated for its target") {
  Specialization specialization;
  specialization.target = "sm_90a";
  specialization.params = {{"stages", "3"}};
  auto kernel = check(
      withSchedule(
          "producer regs 24; consumers BM/64 regs 240; ring tq depth stages; overlap first; pingpong when consumers == "
          "2\n"
          "order grid longest_first; epilogue tma; tune stages in {2, 3, 4} = 2, BM where smem <= 227KiB && regs_fit"),
      specialization);
  REQUIRE_MESSAGE(kernel, kernel.error().message);
  REQUIRE((*kernel)->schedule);
  const SchedulePlan &plan = *(*kernel)->schedule;
  CHECK(plan.producerRegs == 24);
  CHECK(plan.consumers == 2);
  CHECK(plan.consumerRegs == 240);
  REQUIRE(plan.rings.size() == 1);
  CHECK(plan.rings[0].depth == 3);
  CHECK(plan.rings[0].values[0]->name == "tq");
  CHECK(plan.overlap == std::vector<std::string>{"first"});
  CHECK(plan.pingpong);
  CHECK_FALSE(plan.oneProgram);
  CHECK_FALSE(plan.noSplit);
  CHECK(plan.order == "longest_first");
  CHECK(plan.epilogue == "tma");
  REQUIRE(plan.knobs.size() == 2);
  CHECK(plan.knobs[0].candidates == std::vector<std::string>{"2", "3", "4"});
  CHECK(plan.knobs[0].chosen == "3");
  CHECK(plan.knobs[1].candidates == std::vector<std::string>{"64", "128"});
  CHECK(plan.tuneConditions.size() == 1);

  specialization.target = "cpu";
  kernel = check(withSchedule("tune stages in {2, 3}"), specialization);
  REQUIRE_MESSAGE(kernel, kernel.error().message);
  CHECK(!(*kernel)->schedule);
}

TEST_CASE("an entry has effect where its condition holds, and only there") {
  const std::string items =
      "consumers BM/64 regs 240 when BM == 128; consumers 1 when BM == 64\n"
      "producer regs 24 when solo == 1; ring tq depth 2 when solo == 0; ring tq depth stages when solo == 1\n"
      "overlap first when consumers == 2 && solo == 1; pingpong when solo == 0; programs single when solo == 1\n"
      "split none when solo == 1; order grid natural when solo == 1; epilogue direct when solo == 1\n"
      "tune solo in {0, 1}, stages in {2, 3, 4} = 4";
  auto planOf = [&](std::map<std::string, std::string> params) {
    Specialization specialization;
    specialization.target = "sm_90a";
    specialization.params = std::move(params);
    auto kernel = check(withSchedule(items), specialization);
    REQUIRE_MESSAGE(kernel, kernel.error().message);
    return *(*kernel)->schedule;
  };
  SchedulePlan off = planOf({}), on = planOf({{"solo", "1"}}), small = planOf({{"BM", "64"}, {"solo", "1"}});
  CHECK(off.consumers == 2);
  CHECK_FALSE(off.producerRegs.has_value());
  REQUIRE(off.rings.size() == 1);
  CHECK(off.rings[0].depth == 2);
  CHECK(off.overlap.empty());
  CHECK(off.pingpong);
  CHECK_FALSE(off.oneProgram);
  CHECK_FALSE(off.noSplit);
  CHECK(off.order.empty());
  CHECK(off.epilogue.empty());

  CHECK(on.producerRegs == 24);
  REQUIRE(on.rings.size() == 1);
  CHECK(on.rings[0].depth == 4);
  CHECK(on.overlap == std::vector<std::string>{"first"});
  CHECK_FALSE(on.pingpong);
  CHECK(on.oneProgram);
  CHECK(on.noSplit);
  CHECK(on.order == "natural");
  CHECK(on.epilogue == "direct");

  CHECK(small.consumers == 1);
  CHECK_FALSE(small.consumerRegs.has_value());
  CHECK(small.overlap.empty());
}

TEST_CASE("schedules that are refused") {
  struct Case {
    std::string items, message;
  };
  for (const Case &c : std::vector<Case>{
           {"producer regs 12", "the number of registers a thread is from 24 to 240, but `12` is 12"},
           {"consumers 4", "the number of consumer warpgroups is from 1 to 3, but `4` is 4"},
           {"consumers BX", "'BX' has no value in a schedule; params and the knobs of `tune` have"},
           {"ring tk depth 2", "the kernel declares no value 'tk'; a ring holds loaded values: 'tq'"},
           {"ring c depth 2", "'c' is not loaded; a ring holds values declared as `let c = load ...`"},
           {"ring d depth 2", "the kernel declares 'd' in several places, so a ring cannot name it"},
           {"ring tq depth 99", "the depth of a ring is from 1 to 8, but `99` is 99"},
           {"ring tq depth 2; ring tq depth 3", "'tq' has a ring already; name it in one entry"},
           {"producer regs 30", "registers are given in eights, but `30` is 30; take 24 or 32"},
           {"programs one", "'one' is not known here; it may be 'overlapped', 'persistent' and 'single'"},
           {"programs", "expected how thread blocks take programs (overlapped, persistent or single)"},
           {"split mask", "'mask' is not known here; it may be 'masked' and 'none'; did you mean 'masked'?"},
           {"split none when solo", "'solo' has no value in a schedule; params and the knobs of `tune` have"},
           // Names are checked where a condition does not hold, too; numbers are not.
           {"overlap frist when BM == 64", "no statement of the kernel has the label 'frist'"},
           {"programs one when BM == 64", "'one' is not known here"},
           {"ring tq depth BX when BM == 64",
            "undefined name 'BX' in a schedule; params and the knobs of `tune` may be named"},
           {"overlap frist",
            "no statement of the kernel has the label 'frist'; its labels are 'first'; did you mean 'first'?"},
           {"order grid longest", "'longest' is not known here; it may be 'longest_first' and 'natural'"},
           {"epilogue tmb", "'tmb' is not known here; it may be 'tma' and 'direct'; did you mean 'tma'?"},
           {"producer regs 24; producer regs 32",
            "this entry stands twice in the schedule; remove one of them, or give them conditions (`when`)"},
           {"producer regs 24 when BM == 128; producer regs 32", "this entry stands twice in the schedule"},
           {"tune stages", "'stages' is no param, so it needs a domain; write `stages in {...}`"},
           {"tune BM in {64}", "'BM' is declared already; choose another name, or tune the param without a domain"},
           {"tune s in {2, 3} = 4", "the default 4 of 's' is not in its domain"},
           {"tune BM where smen <= 1",
            "undefined name 'smen' in a tuning condition; params, knobs, smem and regs_fit may be named; did you "
            "mean 'smem'?"},
           {"tune BM where 1.5", "a tuning condition is made of names, integers and operators; `1.5` is not"}})
    checkContains(refusal(withSchedule(c.items)), c.message);
  checkContains(refusal(withSchedule("", "tset on sm_90a")),
                "the file has no kernel 'tset'; a schedule belongs to one of 'test'; did you mean");
  checkContains(refusal(withSchedule("", "test on sm_90")),
                "unknown target 'sm_90'; the targets are 'sm_90a', 'sm_80' and 'cpu'; did you mean 'sm_90a'?");
  checkContains(refusal(withSchedule("} schedule test on sm_90a {")),
                "'test' has two schedules for sm_90a; remove one of them");
}

TEST_CASE("a param's default for a target stands with `tune`, and acts on that target alone") {
  auto valueOf = [](const char *target, const std::string &items, std::map<std::string, std::string> params = {}) {
    Specialization specialization;
    specialization.target = target;
    specialization.params = std::move(params);
    auto kernel = check(withSchedule(items, "test on sm_80"), specialization);
    REQUIRE_MESSAGE(kernel, kernel.error().message);
    for (const auto &[param, value] : (*kernel)->params)
      if (param->name.name == "BM")
        return value.str();
    return std::string("none");
  };
  CHECK(valueOf("sm_80", "tune BM = 64") == "64");
  CHECK(valueOf("sm_80", "tune BM = 64", {{"BM", "128"}}) == "128");
  CHECK(valueOf("sm_90a", "tune BM = 64") == "128");
  CHECK(valueOf("cpu", "tune BM = 64") == "128");
  CHECK(valueOf("sm_80", "tune BM") == "128");
  Specialization specialization;
  specialization.target = "sm_80";
  checkContains(refusal(withSchedule("tune BM = 65", "test on sm_80"), specialization),
                "the default of 'BM' is 65, which is not in its domain");
  checkContains(refusal(withSchedule("tune BM = BX", "test on sm_80"), specialization), "'BX' is not a param");
  // Of another target's schedule the names are looked at.
  checkContains(refusal(withSchedule("tune BM = BX", "test on sm_80")), "undefined name 'BX' in a schedule");
}

TEST_CASE("on sm_80 all threads have the same registers") {
  Specialization specialization;
  specialization.target = "sm_80";
  auto at = [&](const std::string &items) { return refusal(withSchedule(items, "test on sm_80"), specialization); };
  checkContains(at("consumers 2 regs 176"),
                "176 registers a thread are more than there are for 9 warps; they may have 168");
  CHECK(check(withSchedule("consumers 2 regs 168", "test on sm_80"), specialization));
  CHECK(check(withSchedule("consumers 1 regs 240", "test on sm_80"), specialization));
}

TEST_CASE("more than sm_90a has is refused at its entry") {
  Specialization specialization;
  specialization.target = "sm_90a";
  auto at = [&](const std::string &items) { return refusal(withSchedule(items), specialization); };
  std::string message = at("producer regs 40; consumers 2 regs 240");
  checkContains(message, "a thread of each warpgroup takes 520 registers together (2 x 240, and 40 of the producer), "
                         "but there are 504; the consumers may have 232");
  checkContains(message, "note: the producer's are given here");
  checkContains(at("consumers 3 regs 168"), "takes 528 registers together (3 x 168, and 24 of the producer), but there "
                                            "are 512; the consumers may have 160");
  CHECK(check(withSchedule("producer regs 24; consumers 2 regs 240"), specialization));
  CHECK(check(withSchedule("producer regs 32; consumers 3 regs 160"), specialization));

  const std::string product = "let tq = load q[b, i*BM:+BM, :]\nlet tk = load k[b, 0:+BN, :]\n"
                              "store x[i*BM:+BM, 0:+BN] = dot(tq, transpose(tk))";
  auto withProduct = [&](const std::string &count) {
    std::string text = kernelWith(product);
    text.replace(text.find("x: f32[M, N]"), 12, "x: out f32[M, N]");
    text.replace(text.find("b: B)"), 5, "b: 1)");
    return text + "schedule test on sm_90a { consumers " + count + " }\n";
  };
  checkContains(refusal(withProduct("3"), specialization),
                "products of 128 rows take 2 consumer warpgroups (64 rows each), but `3` is 3 with these params");
  auto right = check(withProduct("BM / 64"), specialization);
  CHECK_MESSAGE(right, (right ? "" : right.error().message));
  specialization.target = "cpu"; // where warpgroups mean nothing
  CHECK(check(withProduct("3"), specialization));
}

TEST_CASE("a knob outside its domain is refused") {
  Specialization specialization;
  specialization.params = {{"stages", "5"}};
  checkContains(refusal(withSchedule("tune stages in {2, 3, 4}"), specialization),
                "5 is not in the domain of stages; it may be 2, 3, 4");
}
