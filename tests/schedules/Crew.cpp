#include "Crew.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <new>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lacuna::schedules {

namespace {

constexpr size_t kNoTask = ~size_t(0);

/// Seen by all processes.
struct Board {
  std::atomic<size_t> next;
  std::atomic<size_t> doing[256]; ///< by the place of a process
};

void writeAll(int file, const std::string &text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t count = write(file, text.data() + done, text.size() - done);
    if (count <= 0)
      _exit(1);
    done += static_cast<size_t>(count);
  }
}

} // namespace

double cpuMilliseconds() {
  double sum = 0;
  for (int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage = {};
    getrusage(who, &usage);
    for (const timeval &time : {usage.ru_utime, usage.ru_stime})
      sum += 1e3 * static_cast<double>(time.tv_sec) + 1e-3 * static_cast<double>(time.tv_usec);
  }
  return sum;
}

void Crew::run(size_t count) const {
  void *memory = mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    std::abort();
  Board &board = *new (memory) Board();
  struct Member {
    size_t place;
    FILE *lines;
  };
  std::map<pid_t, Member> members;
  auto start = [&](size_t place) {
    int ends[2];
    if (pipe(ends) != 0)
      std::abort();
    board.doing[place] = kNoTask;
    std::fflush(stdout);
    const pid_t process = fork();
    if (process == 0) {
      close(ends[0]);
      if (warmUp)
        warmUp();
      for (size_t task = board.next++; task < count; task = board.next++) {
        board.doing[place] = task;
        writeAll(ends[1], std::to_string(task) + ' ' + work(task) + '\n');
        board.doing[place] = kNoTask;
      }
      _exit(0);
    }
    close(ends[1]);
    members[process] = {place, fdopen(ends[0], "r")};
  };
  for (size_t place = 0; place < static_cast<size_t>(jobs) && place < std::size(board.doing); ++place)
    start(place);

  // A line of each in turn: what the others say meanwhile waits in their pipes.
  while (!members.empty()) {
    for (auto it = members.begin(); it != members.end();) {
      const auto [process, member] = *it;
      char *line = nullptr;
      size_t room = 0;
      const ssize_t length = getline(&line, &room, member.lines);
      const std::string text = length > 0 ? std::string(line, static_cast<size_t>(length)) : "";
      std::free(line);
      if (length > 0 && text.back() == '\n') {
        const size_t space = text.find(' ');
        take(std::stoull(text.substr(0, space)), text.substr(space + 1, text.size() - space - 2));
        ++it;
        continue;
      }
      std::fclose(member.lines);
      int status = 0;
      waitpid(process, &status, 0);
      it = members.erase(it);
      if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        continue;
      const size_t task = board.doing[member.place];
      if (task == kNoTask) // dies without a task: so would the next one
        continue;
      take(task, died(WIFSIGNALED(status) ? WTERMSIG(status) : 0));
      start(member.place);
      it = members.begin();
    }
  }
  munmap(memory, sizeof(Board));
}

} // namespace lacuna::schedules
