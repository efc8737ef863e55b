#include "lacuna/Autotune/Workshop.h"

#include "lacuna/Runtime/LaunchTimes.h"

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

/// A bench in a worker of its own, which is started again and made ready where a candidate ended it.
class ProcessBench final : public Bench {
public:
  ProcessBench(const ProcessWorkshop::Options &options, const Variant &variant, const Shape &shape, Candidate preset)
      : worker(options.command, options.stopped), limit(options.limit), variant(variant), preset(std::move(preset)) {
    openRequest = {{"op", "open"},
                   {"target", variant.machine.target},
                   {"shape", shapeJson(shape)},
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

  Expected<std::vector<double>> time(const Candidate &candidate, int launches) override {
    // The default goes first: the results of the others are held to its own.
    for (const Candidate *needed : std::initializer_list<const Candidate *>{&preset, &candidate}) {
      if (!worker.isRunning() || worker.starts() != generation)
        if (Expected<void> done = open(); !done)
          return takeError(done);
      if (Expected<void> done = load(*needed); !done && needed == &candidate)
        return takeError(done);
    }
    Expected<Json> reply =
        worker.ask({{"op", "time"}, {"id", idOf(candidate.point)}, {"launches", launches}}, turnLimit(launches));
    if (!reply)
      return takeError(reply);
    std::vector<double> times;
    if (reply->contains("us") && (*reply)["us"].is_array())
      for (const Json &entry : (*reply)["us"])
        if (entry.is_number())
          times.push_back(entry.get<double>());
    if (candidate.point == preset.point && !times.empty())
      presetMicroseconds = runtime::median(times);
    return times;
  }

private:
  size_t idOf(const Point &point) { return ids.try_emplace(point, ids.size()).first->second; }

  Expected<void> load(const Candidate &candidate) {
    size_t id = idOf(candidate.point);
    if (auto known = broken.find(id); known != broken.end())
      return tl::unexpected(known->second);
    if (loaded.contains(id))
      return {};
    Json request = jobJson(variant, candidate.point);
    request["op"] = "load";
    request["id"] = id;
    request["artifact"] = candidate.artifact;
    Expected<Json> reply = worker.ask(request, limit);
    if (reply)
      reply = worker.ask({{"op", "check"}, {"id", id}}, turnLimit(1));
    if (reply) {
      loaded.insert(id);
      return {};
    }
    broken.emplace(id, reply.error());
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
  Candidate preset;
  Json openRequest;
  int generation = 0;
  std::map<Point, size_t> ids;
  std::set<size_t> loaded; ///< in the worker that runs now
  std::map<size_t, Error> broken;
  double presetMicroseconds = 0;
};

} // namespace

Json jobJson(const Variant &variant, const Point &point) {
  Json json;
  json["target"] = variant.machine.target;
  json["processor"] = variant.machine.processor;
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
  WorkerPool pool(options.command, options.jobs, options.stopped);
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
  WorkerPool(options.command, options.jobs, options.stopped).run(requests, options.limit, deadline, sink);
}

Expected<std::unique_ptr<Bench>> ProcessWorkshop::open(const Variant &variant, const Shape &shape, Candidate preset) {
  auto bench = std::make_unique<ProcessBench>(options, variant, shape, std::move(preset));
  if (Expected<void> done = bench->open(); !done)
    return takeError(done);
  return bench;
}

} // namespace lacuna::autotune
