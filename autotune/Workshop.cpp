#include "lacuna/Autotune/Workshop.h"

#include <algorithm>
#include <set>

namespace lacuna::autotune {

namespace {

double numberOf(const Json &json, const char *name) {
  return json.contains(name) && json[name].is_number() ? json[name].get<double>() : 0;
}

Json shapeJson(const Shape &shape) {
  Json json;
  json["dims"] = shape.dims;
  json["pattern"] = shape.pattern;
  json["text"] = shape.text();
  return json;
}

/// Candidates in a worker of their own, which is started again and made ready where one of them ended it.
class ProcessTimer final : public LaunchTimer {
public:
  ProcessTimer(const ProcessWorkshop::Options &options, const Variant &variant, const Shape &shape,
               std::vector<Candidate> candidates)
      : worker(options.command), limit(options.limit), variant(variant), candidates(std::move(candidates)) {
    openRequest = {{"op", "open"}, {"target", variant.machine.target}, {"shape", shapeJson(shape)},
                   {"list_columns", variant.kernel.listColumns}};
  }

  Expected<void> open() {
    Expected<Json> opened = worker.ask(openRequest, limit);
    if (!opened)
      return takeError(opened);
    generation = worker.starts();
    loaded.clear();
    return {};
  }

  Expected<std::vector<double>> time(size_t index, int launches) override {
    // The default goes first: the results of the others are held to its own.
    for (size_t needed : {size_t(0), index}) {
      if (!worker.isRunning() || worker.starts() != generation)
        if (Expected<void> done = open(); !done)
          return takeError(done);
      if (Expected<void> done = load(needed); !done && needed == index)
        return takeError(done);
    }
    Expected<Json> reply = worker.ask({{"op", "time"}, {"id", index}, {"launches", launches}}, turnLimit(launches));
    if (!reply)
      return takeError(reply);
    std::vector<double> times;
    if (reply->contains("us") && (*reply)["us"].is_array())
      for (const Json &entry : (*reply)["us"])
        if (entry.is_number())
          times.push_back(entry.get<double>());
    if (index == 0 && !times.empty())
      presetMicroseconds = median(times);
    return times;
  }

private:
  Expected<void> load(size_t index) {
    if (auto known = broken.find(index); known != broken.end())
      return tl::unexpected(known->second);
    if (loaded.contains(index))
      return {};
    Json request = jobJson(variant, candidates[index].point);
    request["op"] = "load";
    request["id"] = index;
    request["artifact"] = candidates[index].artifact;
    Expected<Json> reply = worker.ask(request, limit);
    if (reply) {
      loaded.insert(index);
      return {};
    }
    broken.emplace(index, reply.error());
    return takeError(reply);
  }

  /// A candidate much slower than the default is not waited for.
  std::chrono::milliseconds turnLimit(int launches) const {
    constexpr double kTimesSlower = 30, kLeastMs = 2000;
    if (presetMicroseconds == 0)
      return limit;
    double milliseconds = std::max(kLeastMs, kTimesSlower * (launches + 1) * presetMicroseconds / 1000);
    return std::min(limit, std::chrono::milliseconds(static_cast<int64_t>(milliseconds)));
  }

  Worker worker;
  std::chrono::milliseconds limit;
  const Variant &variant;
  std::vector<Candidate> candidates;
  Json openRequest;
  int generation = 0;
  std::set<size_t> loaded;
  std::map<size_t, Error> broken;
  double presetMicroseconds = 0;
};

} // namespace

Json jobJson(const Variant &variant, const Point &point) {
  Json json;
  json["target"] = variant.machine.target;
  json["file"] = variant.kernel.file;
  json["source"] = variant.kernel.source;
  json["kernel"] = variant.kernel.kernel;
  json["params"] = Json::object();
  for (const Settings *settings : {&variant.fixed, &point})
    for (const auto &[name, value] : *settings)
      json["params"][name] = value;
  json["hooks"] = Json::object();
  if (!variant.keep.empty())
    json["hooks"]["keep"] = variant.keep;
  return json;
}

void ProcessWorkshop::analyze(const Variant &variant, const std::vector<Point> &points, TimePoint deadline,
                              const std::function<void(size_t, Expected<Facts>)> &sink) {
  std::vector<Json> requests;
  for (const Point &point : points) {
    requests.push_back(jobJson(variant, point));
    requests.back()["op"] = "analyze";
  }
  WorkerPool pool(options.command, options.jobs);
  pool.run(requests, options.limit, deadline, [&](size_t index, Expected<Json> reply) {
    if (!reply)
      return sink(index, takeError(reply));
    Facts facts;
    facts.sharedBytes = static_cast<int64_t>(numberOf(*reply, "shared_bytes"));
    facts.registersNeeded = static_cast<int64_t>(numberOf(*reply, "registers_needed"));
    facts.registersPresent = static_cast<int64_t>(numberOf(*reply, "registers_present"));
    facts.predictedFraction = numberOf(*reply, "fraction");
    facts.stepWork = numberOf(*reply, "step_work");
    if (reply->contains("bound_by") && (*reply)["bound_by"].is_string())
      facts.boundBy = (*reply)["bound_by"].get<std::string>();
    sink(index, std::move(facts));
  });
}

void ProcessWorkshop::compile(const Variant &variant, const std::vector<Point> &points, TimePoint deadline,
                              const std::function<void(size_t, Expected<Json>)> &sink) {
  if (variant.machine.target == "cpu") {
    for (size_t index = 0; index < points.size(); ++index)
      sink(index, Json::object());
    return;
  }
  std::vector<Json> requests;
  for (const Point &point : points) {
    requests.push_back(jobJson(variant, point));
    requests.back()["op"] = "compile";
    requests.back()["image"] = fmt::format("{}/{}.image", options.directory, images++);
  }
  WorkerPool(options.command, options.jobs).run(requests, options.limit, deadline, sink);
}

Expected<std::unique_ptr<LaunchTimer>> ProcessWorkshop::open(const Variant &variant, const Shape &shape,
                                                             std::vector<Candidate> candidates) {
  auto timer = std::make_unique<ProcessTimer>(options, variant, shape, std::move(candidates));
  if (Expected<void> done = timer->open(); !done)
    return takeError(done);
  return timer;
}

} // namespace lacuna::autotune
