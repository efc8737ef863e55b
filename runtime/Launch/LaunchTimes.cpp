#include "lacuna/Runtime/LaunchTimes.h"

#include <algorithm>

namespace lacuna::runtime {

Expected<std::vector<double>> timeLaunches(const Stream &stream, int count,
                                           const std::function<Expected<void>()> &enqueue) {
  std::vector<Event> events;
  for (int index = 0; index <= count; ++index) {
    Expected<Event> event = Event::create(stream.device());
    if (!event)
      return takeError(event);
    events.push_back(std::move(*event));
  }
  if (Expected<void> done = events[0].record(stream); !done)
    return takeError(done);
  for (size_t index = 1; index < events.size(); ++index) {
    if (Expected<void> done = enqueue(); !done)
      return takeError(done);
    if (Expected<void> done = events[index].record(stream); !done)
      return takeError(done);
  }
  if (Expected<void> done = stream.synchronize(); !done)
    return takeError(done);
  std::vector<double> times;
  for (size_t index = 1; index < events.size(); ++index) {
    Expected<double> milliseconds = events[index].millisecondsSince(events[index - 1]);
    if (!milliseconds)
      return takeError(milliseconds);
    times.push_back(*milliseconds);
  }
  return times;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

} // namespace lacuna::runtime
