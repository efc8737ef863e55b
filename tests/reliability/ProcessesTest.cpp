// R2. Many processes ask for the same kernels at once, from cold: each kernel is compiled once.
#include "Worker.h"

#include <sys/wait.h>

using namespace lacuna;
using namespace lacuna::runtime;

TEST_CASE("R2: 16 processes, 8 kernels, from cold: one compilation a kernel") {
  const int rounds = fullFigures() ? 60 : 5, processes = 16;
  int asks = 0;
  for (int round = 0; round < rounds; ++round) {
    WorkerFixture fixture;
    fixture.keys = 8;
    fixture.bytes = 60000;
    fixture.pauseUs = 5000;
    std::vector<pid_t> workers;
    for (int process = 0; process < processes; ++process)
      workers.push_back(fixture.start(round * processes + process));
    for (pid_t worker : workers) {
      int status = WorkerFixture::wait(worker);
      CHECK(status == 0);
      asks += fixture.keys;
    }
    std::map<int, int> made = fixture.made();
    CHECK(made.size() == 8);
    for (const auto &[key, count] : made) {
      CAPTURE(key);
      CHECK(count == 1);
    }
    CHECK(fixture.errors() == "");
    fixture.checkEntries();
  }
  MESSAGE(asks << " asks in " << rounds << " rounds");
}
