// The assembler as a child process: what its log means, and every way in which the child can fail. The children here
// are scripts; no ptxas is needed.
#include "Runtime/ScratchDirectory.h"

#include "lacuna/Compiler/Codegen/Assembler.h"

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace lacuna;
using runtime::ScopedVariable;
namespace fs = std::filesystem;

namespace {

/// A directory of scripts that stand in for ptxas.
struct FakeTools {
  std::string script(const std::string &name, const std::string &body) const {
    fs::path path = root / name;
    std::ofstream(path) << "#!/bin/sh\n" << body;
    fs::permissions(path, fs::perms::owner_all);
    return path.string();
  }
  runtime::ScratchDirectory scratch;
  fs::path root = scratch.path;
};

/// Finds the output file of the call in $out.
constexpr const char *kFindOutput = "while [ $# -gt 0 ]; do [ \"$1\" = -o ] && out=$2; shift; done\n";

Expected<Cubin> assembleWith(const std::string &program, std::chrono::seconds limit = std::chrono::seconds(20)) {
  ScopedVariable named("LACUNA_PTXAS", program);
  auto assembler = Assembler::find();
  REQUIRE(assembler);
  return assembler->assemble(".version 8.3\n", "sm_90a", /*lineInfo=*/false, limit);
}

bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("parseAssemblerLog: a clean kernel") {
  AssemblerReport report = parseAssemblerLog(R"(ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'attention_forward' for 'sm_90a'
ptxas info    : Function properties for attention_forward
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 168 registers, used 2 barriers, 528 bytes cmem[0]
ptxas info    : Compile time = 123.456 ms
)");
  CHECK(report.registers == 168);
  CHECK(report.isClean());
}

TEST_CASE("parseAssemblerLog: stack, spills and every kind of advisory") {
  AssemblerReport report = parseAssemblerLog(
      R"(ptxas info    : (C7510) Potential Performance Loss: wgmma.mma_async instructions are serialized in function 'f'
ptxas info    : (C7508) Potential Performance Loss: 'setmaxnreg' ignored to maintain minimum register requirements.
ptxas warning : 'setmaxnreg' is ignored; unable to determine register count at entry
ptxas info    : Function properties for f
    72 bytes stack frame, 44 bytes spill stores, 60 bytes spill loads
ptxas info    : Used 255 registers, used 2 barriers, 72 bytes cumulative stack size
ptxas info    : Function properties for g
    8 bytes stack frame, 4 bytes spill stores, 4 bytes spill loads
ptxas info    : Used 32 registers
)");
  CHECK(report.registers == 255); // The kernel that needs most.
  CHECK(report.stackBytes == 80);
  CHECK(report.spillStoreBytes == 48);
  CHECK(report.spillLoadBytes == 64);
  REQUIRE(report.advisories.size() == 3);
  CHECK(contains(report.advisories[0], "C7510"));
  CHECK(contains(report.advisories[1], "C7508"));
  CHECK(contains(report.advisories[2], "'setmaxnreg' is ignored"));
  CHECK_FALSE(report.isClean());
}

TEST_CASE("parseAssemblerLog: each figure alone makes a kernel unclean") {
  CHECK_FALSE(parseAssemblerLog("    8 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads").isClean());
  CHECK_FALSE(parseAssemblerLog("    0 bytes stack frame, 8 bytes spill stores, 0 bytes spill loads").isClean());
  CHECK_FALSE(parseAssemblerLog("    0 bytes stack frame, 0 bytes spill stores, 8 bytes spill loads").isClean());
  CHECK_FALSE(parseAssemblerLog("ptxas info : Potential Performance Loss: something new").isClean());
}

TEST_CASE("parseAssemblerLog: what it does not know is ignored") {
  for (std::string_view log :
       {"", "\n\n\n", "no such thing", "Used registers", "Used x registers", "bytes stack frame, bytes spill stores",
        "Used 99999999999999999999 registers", "ptxas error : wgmma is not supported on sm_80"}) {
    CAPTURE(std::string(log));
    AssemblerReport report = parseAssemblerLog(log);
    CHECK(report.registers == 0);
    CHECK(report.isClean());
  }
  std::string binary("\0\xff\xfeUsed 40 registers\0\n", 22);
  CHECK(parseAssemblerLog(binary).registers == 40);
  CHECK(parseAssemblerLog(std::string(1 << 20, 'x')).isClean());
  CHECK(parseAssemblerLog("ptxas info : Used 17 registers\r\n").registers == 17);
}

TEST_CASE("Assembler: a program that assembles") {
  FakeTools tools;
  auto cubin = assembleWith(
      tools.script("ptxas", std::string("echo \"$@\" > " + (tools.root / "arguments").string() + "\n") + kFindOutput +
                                "printf '\\177ELF and more' > $out\n"
                                "echo 'ptxas info : Used 90 registers' >&2\n"));
  REQUIRE(cubin);
  CHECK(cubin->image == "\177ELF and more");
  CHECK(cubin->report.registers == 90);
  std::string arguments;
  std::getline(std::ifstream(tools.root / "arguments"), arguments);
  CHECK(contains(arguments, "-arch=sm_90a -v "));
  CHECK_FALSE(contains(arguments, " -c")); // Relocatable code loses setmaxnreg.
}

TEST_CASE("Assembler: a program that refuses the PTX") {
  FakeTools tools;
  auto cubin = assembleWith(tools.script("ptxas", "echo 'kernel.ptx, line 7; error : Unknown symbol' >&2; exit 255\n"));
  REQUIRE_FALSE(cubin);
  CHECK(cubin.error().code == ErrorCode::CompileFailed);
  CHECK(contains(cubin.error().message, "refused the PTX (exit status 255)"));
  CHECK(contains(cubin.error().message, "line 7; error : Unknown symbol"));
  REQUIRE(cubin.error().notes.size() == 1);
  CHECK(contains(cubin.error().notes[0], "--emit ptx"));
  CHECK(contains(cubin.error().notes[0], "-arch=sm_90a"));
}

TEST_CASE("Assembler: a program that says much when it refuses is cut short") {
  FakeTools tools;
  auto cubin = assembleWith(tools.script("ptxas", "yes 'error: the same again and again' | head -n 20000; exit 1\n"));
  REQUIRE_FALSE(cubin);
  CHECK(cubin.error().code == ErrorCode::CompileFailed);
  CHECK(cubin.error().message.size() < 5000);
}

TEST_CASE("Assembler: a program that floods its output is stopped at once") {
  FakeTools tools;
  for (const char *body : {"yes\n", "exec yes >&2\n"}) {
    CAPTURE(body);
    auto begin = std::chrono::steady_clock::now();
    auto cubin = assembleWith(tools.script("ptxas", body));
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(10));
    REQUIRE_FALSE(cubin);
    CHECK(cubin.error().code == ErrorCode::ToolFailed);
    CHECK(contains(cubin.error().message, "wrote more than 1 MiB of messages"));
    CHECK(cubin.error().message.size() < 1000);
  }
}

TEST_CASE("Assembler: a program that floods the cubin is stopped") {
  FakeTools tools;
  auto cubin = assembleWith(
      tools.script("ptxas", std::string(kFindOutput) + "sleep 0.2; exec head -c 200000000 /dev/zero > $out\n"));
  REQUIRE_FALSE(cubin);
  CHECK(cubin.error().code == ErrorCode::ToolFailed);
  CHECK(contains(cubin.error().message, "wrote a file of more than 64 MiB"));
}

TEST_CASE("Assembler: what a wrapper started ends with it") {
  FakeTools tools;
  const std::string pidFile = (tools.root / "pid").string();
  const std::string background = "sleep 600 & echo $! > " + pidFile + "\n";
  for (const std::string &body : {background + "wait\n", background + "exit 1\n"}) {
    CAPTURE(body);
    auto begin = std::chrono::steady_clock::now();
    CHECK_FALSE(assembleWith(tools.script("ptxas", body), std::chrono::seconds(1)));
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
    pid_t grandchild = 0;
    std::ifstream(pidFile) >> grandchild;
    REQUIRE(grandchild > 0);
    auto runs = [&] { // A zombie that nobody reaps has ended.
      std::ifstream stat("/proc/" + std::to_string(grandchild) + "/stat");
      std::string number, name, state;
      return bool(stat >> number >> name >> state) && state != "Z";
    };
    for (int look = 0; look < 100 && runs(); ++look)
      usleep(20000);
    CHECK_FALSE(runs());
  }
}

/// Whether a process is there, and not only what is left of it until somebody asks how it ended.
static bool runs(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  std::getline(file, text);
  const size_t name = text.rfind(") ");
  return name != std::string::npos && text[name + 2] != 'Z';
}

TEST_CASE("Assembler: a program that hangs ends with the process that waits for it") {
  FakeTools tools;
  const std::string noted = (tools.root / "pid").string();
  const std::string program =
      tools.script("ptxas", "echo $$ >'" + noted + ".new'; mv '" + noted + ".new' '" + noted + "'; exec sleep 600\n");
  const pid_t waiting = fork();
  if (waiting == 0) {
    (void)assembleWith(program, std::chrono::seconds(300));
    _exit(0);
  }
  pid_t hanging = 0;
  auto within = [](auto holds) {
    for (int tries = 0; tries < 2000 && !holds(); ++tries)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return holds();
  };
  REQUIRE(within([&] { return fs::exists(noted); }));
  std::ifstream(noted) >> hanging;
  REQUIRE(hanging > 0);
  CHECK(runs(hanging));
  kill(waiting, SIGKILL);
  waitpid(waiting, nullptr, 0);
  CHECK(within([&] { return !runs(hanging); }));
  kill(hanging, SIGKILL);
}

TEST_CASE("Assembler: a program that hangs is ended in time") {
  FakeTools tools;
  auto begin = std::chrono::steady_clock::now();
  auto cubin = assembleWith(tools.script("ptxas", "exec sleep 60\n"), std::chrono::seconds(1));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
  REQUIRE_FALSE(cubin);
  CHECK(cubin.error().code == ErrorCode::ToolFailed);
  CHECK(contains(cubin.error().message, "did not end within 1 s"));
  CHECK(cubin.error().notes.size() == 1);
}

TEST_CASE("Assembler: a program that crashes") {
  FakeTools tools;
  auto cubin = assembleWith(tools.script("ptxas", "kill -SEGV $$\n"));
  REQUIRE_FALSE(cubin);
  CHECK(cubin.error().code == ErrorCode::ToolFailed);
  CHECK(contains(cubin.error().message, "crashed"));
  CHECK(cubin.error().notes.size() == 1);
}

TEST_CASE("Assembler: a program that succeeds and writes nothing, or no cubin") {
  FakeTools tools;
  for (const std::string &body : {std::string("exit 0\n"), std::string(kFindOutput) + "echo text > $out\n",
                                  std::string(kFindOutput) + "rm $out\n"}) {
    CAPTURE(body);
    auto cubin = assembleWith(tools.script("ptxas", body));
    REQUIRE_FALSE(cubin);
    CHECK(cubin.error().code == ErrorCode::ToolFailed);
    CHECK(contains(cubin.error().message, "left no cubin"));
  }
}

TEST_CASE("Assembler: a file that may be executed but is no program") {
  FakeTools tools;
  fs::path path = tools.root / "ptxas";
  std::ofstream(path) << "\x7f"
                         "ELF, but not really";
  fs::permissions(path, fs::perms::owner_all);
  auto cubin = assembleWith(path.string());
  REQUIRE_FALSE(cubin);
  CHECK(cubin.error().code == ErrorCode::ToolFailed);
  CHECK(contains(cubin.error().message, path.string()));
}

TEST_CASE("Assembler: no directory for temporary files") {
  FakeTools tools;
  std::string program = tools.script("ptxas", "exit 0\n");
  ScopedVariable temporary("TMPDIR", (tools.root / "missing").string());
  auto cubin = assembleWith(program);
  REQUIRE_FALSE(cubin);
  CHECK(cubin.error().code == ErrorCode::ToolFailed);
  CHECK(contains(cubin.error().message, "cannot create a temporary file"));
  CHECK(contains(cubin.error().message, "TMPDIR"));
}

TEST_CASE("Assembler::find: LACUNA_PTXAS") {
  FakeTools tools;
  std::string program = tools.script("my-ptxas", "exit 0\n");
  SUBCASE("a path") {
    ScopedVariable named("LACUNA_PTXAS", program);
    auto found = Assembler::find();
    REQUIRE(found);
    CHECK(found->path() == program);
  }
  SUBCASE("a name in PATH") {
    ScopedVariable path("PATH", tools.root.string()), named("LACUNA_PTXAS", "my-ptxas");
    auto found = Assembler::find();
    REQUIRE(found);
    CHECK(found->path() == program);
  }
  SUBCASE("nothing there") {
    ScopedVariable named("LACUNA_PTXAS", (tools.root / "absent").string());
    auto found = Assembler::find();
    REQUIRE_FALSE(found);
    CHECK(found.error().code == ErrorCode::NotFound);
    CHECK(contains(found.error().message, "LACUNA_PTXAS names"));
    CHECK(contains(found.error().message, "unset it"));
  }
  SUBCASE("no program") {
    fs::path path = tools.root / "text";
    std::ofstream(path) << "text";
    ScopedVariable named("LACUNA_PTXAS", path.string());
    auto found = Assembler::find();
    REQUIRE_FALSE(found);
    CHECK(found.error().code == ErrorCode::NotFound);
  }
  SUBCASE("empty counts as unset") {
    fs::rename(program, tools.root / "ptxas");
    ScopedVariable path("PATH", tools.root.string()), named("LACUNA_PTXAS", "");
    auto found = Assembler::find();
    REQUIRE(found);
    CHECK(found->path() == (tools.root / "ptxas").string());
  }
}

TEST_CASE("Assembler::find: the CUDA toolkit, the Python package, and nothing") {
  FakeTools tools;
  fs::create_directories(tools.root / "cuda/bin");
  ScopedVariable named("LACUNA_PTXAS", nullptr), path("PATH", tools.root.string()), home("CUDA_HOME", nullptr),
      other("CUDA_PATH", nullptr);
  SUBCASE("CUDA_HOME") {
    std::string program = tools.script("cuda/bin/ptxas", "exit 0\n");
    ScopedVariable here("CUDA_HOME", (tools.root / "cuda").string());
    auto found = Assembler::find();
    REQUIRE(found);
    CHECK(found->path() == program);
  }
  SUBCASE("the rest") {
    if (fs::exists("/usr/local/cuda/bin/ptxas"))
      return; // Found there first.
    SUBCASE("Python") {
      std::string program = tools.script("packaged", "exit 0\n");
      tools.script("python3", "echo " + program + "\n");
      auto found = Assembler::find();
      REQUIRE(found);
      CHECK(found->path() == program);
    }
    SUBCASE("Python without the package") {
      tools.script("python3", "exit 0\n");
      auto found = Assembler::find();
      REQUIRE_FALSE(found);
      CHECK(found.error().code == ErrorCode::Unavailable);
      CHECK(contains(found.error().message, "no ptxas found"));
      CHECK(contains(found.error().message, "nvidia-cuda-nvcc"));
    }
  }
}

TEST_CASE("Assembler::version: one that hangs, crashes or floods is told as what it is") {
  FakeTools tools;
  for (auto [body, words] :
       {std::pair("exec sleep 60\n", "did not end within 0.5 s"), std::pair("kill -SEGV $$\n", "crashed: signal 11"),
        std::pair("exec yes\n", "wrote more than 1 MiB")}) {
    CAPTURE(body);
    ScopedVariable named("LACUNA_PTXAS", tools.script("ptxas", body));
    auto begin = std::chrono::steady_clock::now();
    auto failed = Assembler::find()->version(std::chrono::milliseconds(500));
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(9));
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == ErrorCode::ToolFailed);
    CHECK(contains(failed.error().message, words));
    CHECK(contains(failed.error().message, "set LACUNA_PTXAS"));
    CHECK_FALSE(contains(failed.error().message, "it is not ptxas"));
  }
}

TEST_CASE("Assembler::version") {
  FakeTools tools;
  auto versionOf = [&](const std::string &body) {
    ScopedVariable named("LACUNA_PTXAS", tools.script("ptxas", body));
    return Assembler::find()->version();
  };
  auto version = versionOf(
      "echo 'ptxas: NVIDIA (R) Ptx optimizing assembler'; echo 'Cuda compilation tools, release 13.0, V13.0.88'\n");
  REQUIRE(version);
  CHECK(*version == "13.0.88");
  for (const char *body : {"echo hello\n", "echo V13.0.88; exit 3\n", "exit 0\n"}) {
    CAPTURE(body);
    auto failed = versionOf(body);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == ErrorCode::ToolFailed);
    CHECK(contains(failed.error().message, "did not say a version"));
  }
}
