// Workers that are scripts: they answer, die, hang and babble.
#include "lacuna/Autotune/Worker.h"

#include <doctest/doctest.h>

#include <csignal>
#include <thread>

using namespace lacuna;
using namespace lacuna::autotune;
using namespace std::chrono_literals;

namespace {

/// Answers {"op": "echo", "n": N} with {"n": N}; "crash" dies by a signal, "hang" never answers, "exit" ends.
std::vector<std::string> script() {
  return {"python3", "-c", R"(
import json, os, signal, sys, time
for line in iter(sys.stdin.readline, ""):
    request = json.loads(line)
    op = request["op"]
    if op == "crash":
        print("about to crash", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGSEGV)
    if op == "hang":
        os.system("sleep 600 & echo $! >" + request["pidfile"] + "; wait")
    if op == "exit":
        sys.exit(3)
    if op == "babble":
        print("this is no JSON", flush=True)
        continue
    if op == "close":
        os.close(0); os.close(1)
        time.sleep(600)
    if op == "deaf":
        print(json.dumps({}), flush=True)
        time.sleep(600)
    if op == "refuse":
        print(json.dumps({"error": "VerifyError", "message": "wrong result"}), flush=True)
        continue
    print(json.dumps({"n": request["n"], "pid": os.getpid()}), flush=True)
)"};
}

} // namespace

TEST_CASE("Worker: one process answers request after request") {
  Worker worker(script());
  auto first = worker.ask({{"op", "echo"}, {"n", 1}}, 10s), second = worker.ask({{"op", "echo"}, {"n", 2}}, 10s);
  REQUIRE(first);
  REQUIRE(second);
  CHECK((*second)["n"] == 2);
  CHECK((*first)["pid"] == (*second)["pid"]);
  CHECK(worker.starts() == 1);
  auto refused = worker.ask({{"op", "refuse"}}, 10s);
  CHECK(refused.error().code == ErrorCode::VerifyError);
  CHECK(refused.error().message == "wrong result");
  CHECK(worker.starts() == 1);
}

TEST_CASE("Worker: one that dies is told with its signal and last words, and replaced") {
  Worker worker(script());
  auto crashed = worker.ask({{"op", "crash"}}, 10s);
  REQUIRE_FALSE(crashed);
  CHECK(crashed.error().code == ErrorCode::ToolFailed);
  CHECK(crashed.error().message.find("signal 11") != std::string::npos);
  CHECK(crashed.error().message.find("about to crash") != std::string::npos);
  CHECK_FALSE(worker.isRunning());
  auto ended = worker.ask({{"op", "exit"}}, 10s);
  CHECK(ended.error().message == "the process ended with status 3");
  CHECK(worker.ask({{"op", "echo"}, {"n", 5}}, 10s));
  CHECK(worker.starts() == 3);
}

TEST_CASE("Worker: one that hangs is stopped in time, with what it started") {
  std::string pidFile = "/tmp/lacuna-worker-test-" + std::to_string(getpid());
  Worker worker(script());
  REQUIRE(worker.ask({{"op", "echo"}, {"n", 1}}, 10s));
  auto begin = std::chrono::steady_clock::now();
  auto hung = worker.ask({{"op", "hang"}, {"pidfile", pidFile}}, 1500ms);
  CHECK(std::chrono::steady_clock::now() - begin < 10s);
  REQUIRE_FALSE(hung);
  CHECK(hung.error().message == "did not end in time and was stopped");
  std::FILE *file = std::fopen(pidFile.c_str(), "r");
  REQUIRE(file);
  int grandchild = 0;
  CHECK(std::fscanf(file, "%d", &grandchild) == 1);
  std::fclose(file);
  std::remove(pidFile.c_str());
  bool gone = false;
  for (int attempt = 0; attempt < 100 && !gone; ++attempt) {
    // Gone, or a zombie that nobody collects in a container without an init.
    std::string stat = "/proc/" + std::to_string(grandchild) + "/stat";
    std::FILE *process = std::fopen(stat.c_str(), "r");
    char state = 'Z';
    if (process && std::fscanf(process, "%*d %*s %c", &state) != 1)
      state = 'Z';
    if (process)
      std::fclose(process);
    gone = state == 'Z' || state == 'X';
    std::this_thread::sleep_for(20ms);
  }
  CHECK(gone);
  CHECK(worker.ask({{"op", "echo"}, {"n", 1}}, 10s));
}

TEST_CASE("Worker: the limit holds for one that closes its output, and for one that does not read") {
  Worker worker(script());
  REQUIRE(worker.ask({{"op", "echo"}, {"n", 1}}, 20s));
  auto begin = std::chrono::steady_clock::now();
  auto closed = worker.ask({{"op", "close"}}, 1s);
  CHECK(std::chrono::steady_clock::now() - begin < 15s);
  REQUIRE_FALSE(closed);
  CHECK(closed.error().message == "did not end in time and was stopped");
  CHECK_FALSE(worker.isRunning());

  REQUIRE(worker.ask({{"op", "deaf"}}, 20s));
  begin = std::chrono::steady_clock::now();
  auto unread = worker.ask({{"op", "echo"}, {"n", std::string(8 << 20, 'x')}}, 1s);
  CHECK(std::chrono::steady_clock::now() - begin < 15s);
  REQUIRE_FALSE(unread);
  CHECK(unread.error().message == "did not end in time and was stopped");
  CHECK(worker.ask({{"op", "echo"}, {"n", 1}}, 20s));
}

TEST_CASE("Worker: an answer that is no JSON, and a program that does not exist") {
  Worker worker(script());
  CHECK(worker.ask({{"op", "babble"}}, 10s).error().message.find("no JSON object: this is no JSON") !=
        std::string::npos);
  Worker missing({"/nonexistent/program"});
  CHECK(missing.ask({{"op", "echo"}}, 10s).error().code == ErrorCode::ToolFailed);
}

TEST_CASE("WorkerPool: several at once; a crash costs its own request") {
  std::vector<Json> requests;
  for (int index = 0; index < 12; ++index)
    requests.push_back(index == 5 ? Json{{"op", "crash"}} : Json{{"op", "echo"}, {"n", index}});
  std::vector<int> replies(12, 0);
  int failures = 0;
  WorkerPool(script(), 3)
      .run(requests, 20s, std::chrono::steady_clock::now() + 60s, [&](size_t index, Expected<Json> reply) {
        if (!reply)
          ++failures;
        else if ((*reply)["n"] == index)
          ++replies[index];
      });
  CHECK(failures == 1);
  for (size_t index = 0; index < replies.size(); ++index)
    CHECK(replies[index] == (index == 5 ? 0 : 1));
}

TEST_CASE("WorkerPool: nothing is begun after the deadline") {
  int calls = 0;
  WorkerPool(script(), 2)
      .run({{{"op", "echo"}, {"n", 1}}}, 20s, std::chrono::steady_clock::now() - 1s,
           [&](size_t, Expected<Json>) { ++calls; });
  CHECK(calls == 0);
}
