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
  CHECK(plan.longestFirst);
  CHECK(plan.tmaEpilogue);
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

TEST_CASE("schedules that are refused") {
  struct Case {
    std::string items, message;
  };
  for (const Case &c : std::vector<Case>{
           {"producer regs 12", "the number of registers a thread is from 24 to 240, but `12` is 12"},
           {"consumers 4", "the number of consumer warpgroups is from 1 to 3, but `4` is 4"},
           {"consumers BX", "'BX' has no value in a schedule; params and the knobs of `tune` have; did you mean 'BM'?"},
           {"ring tk depth 2",
            "the kernel declares no value 'tk'; a ring holds loaded values: 'tq'; did you mean 'tq'?"},
           {"ring c depth 2", "'c' is not loaded; a ring holds values declared as `let c = load ...`"},
           {"ring d depth 2", "the kernel declares 'd' in several places, so a ring cannot name it"},
           {"ring tq depth 99", "the depth of a ring is from 1 to 16, but `99` is 99"},
           {"overlap frist",
            "no statement of the kernel has the label 'frist'; its labels are 'first'; did you mean 'first'?"},
           {"order grid longest", "'longest' is not known here; it may be 'longest_first' and 'natural'"},
           {"epilogue tmb", "'tmb' is not known here; it may be 'tma' and 'direct'; did you mean 'tma'?"},
           {"producer regs 24; producer regs 32", "this entry stands twice in the schedule"},
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
                "unknown target 'sm_90'; the targets are 'sm_90a' and 'cpu'; did you mean 'sm_90a'?");
  checkContains(refusal(withSchedule("} schedule test on sm_90a {")),
                "'test' has two schedules for sm_90a; remove one of them");
}

TEST_CASE("a knob outside its domain is refused") {
  Specialization specialization;
  specialization.params = {{"stages", "5"}};
  checkContains(refusal(withSchedule("tune stages in {2, 3, 4}"), specialization),
                "5 is not in the domain of stages; it may be 2, 3, 4");
}
