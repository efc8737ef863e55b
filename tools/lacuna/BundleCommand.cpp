#include "BundleCommand.h"

#include "OptionChecks.h"

#include "lacuna/Runtime/Bundle.h"

#include <fmt/format.h>

namespace lacuna::tools {

CLI::App *addBundleCommand(CLI::App &app, BundleOptions &options) {
  CLI::App *command = app.add_subcommand("bundle", "Add a compiled kernel to a bundle, or list what it has");
  CompileOptions &compile = options.compile;
  command->add_option("BUNDLE", options.bundle, "the bundle; it is made where there is none")->required();
  command->add_option("FILE", compile.file, "the .tile file whose kernel is added; - reads standard input; none: list");
  command->add_option("--kernel", compile.kernel, "the kernel, where the file has several")->check(refuseEmpty);
  command->add_option("--set", compile.params, "P=V: the value of a param (repeatable)")->take_all();
  command->add_option("--hook", compile.hooks, "NAME=BODY_OR_NAME: another body for a hook (repeatable)")->take_all();
  command->add_option("--positive", compile.positive, "a scalar argument that is greater than zero at every launch")
      ->take_all();
  command->footer("A kernel takes the place of one with the same name, params and hooks.\n"
                  "Exit status: 0 done; 1 the work failed; 2 the call is wrong.");
  return command;
}

namespace {

int list(const runtime::Bundle &bundle) {
  for (const runtime::BundleEntry &entry : bundle.entries())
    fmt::print("{}: {}, {} bytes\n", entry.title(), entry.metadata.target, entry.image.size());
  return 0;
}

} // namespace

int runBundleCommand(const BundleOptions &options) {
  const bool adds = !options.compile.file.empty();
  auto bundle = runtime::Bundle::read(options.bundle);
  if (!bundle && adds && bundle.error().code == ErrorCode::NotFound)
    bundle = runtime::Bundle();
  if (!bundle) { // A file that cannot be read is a failure of the work.
    bundle.error().code = ErrorCode::Unavailable;
    return failCommand(bundle.error());
  }
  if (!adds)
    return list(*bundle);
  auto request = makeCompileRequest(options.compile);
  if (!request)
    return failCommand(request.error());
  Compiler compiler;
  auto compiled = compiler.compile(*request);
  if (!compiled)
    return failCommand(compiled.error());
  bundle->add({compiled->metadata.kernel, request->params, request->hooks, compiled->metadata, compiled->image});
  const std::string title = bundle->entries().back().title();
  if (auto written = bundle->write(options.bundle); !written)
    return failCommand(written.error());
  fmt::print("{}: added {}, {}\n", options.bundle, title, compiled->isCubin ? "a cubin" : "PTX");
  return 0;
}

} // namespace lacuna::tools
