// The C interface: kernels in the background, ahead and from bundles, and a listener.

#include "CSupport.h"

#include "Runtime/ScratchDirectory.h"

#include "lacuna/Runtime/Bundle.h"

using namespace lacuna::runtime;

namespace {

lacuna_kernel_spec specOf(const char *source) {
  lacuna_kernel_spec spec = LACUNA_KERNEL_SPEC_INIT;
  spec.source = source;
  spec.file = "test.tile";
  return spec;
}

/// What a listener heard.
struct Heard {
  std::vector<std::string> kernels, stages, errors;
  std::vector<lacuna_source> sources;
  std::vector<lacuna_status> statuses;
  int variants = 0;
};

void listen(const lacuna_compile_event *event, void *user) {
  auto &heard = *static_cast<Heard *>(user);
  CHECK(event->struct_size == sizeof(lacuna_compile_event));
  CHECK(event->device_type == LACUNA_DEVICE_CPU);
  CHECK(std::string(event->file) == "test.tile");
  heard.kernels.emplace_back(event->kernel);
  heard.sources.push_back(event->source);
  heard.statuses.push_back(event->status);
  heard.errors.emplace_back(event->error ? event->error : "");
  heard.variants += event->variant;
  for (size_t index = 0; index < event->num_stages; ++index)
    heard.stages.emplace_back(event->stages[index].stage);
}

} // namespace

TEST_CASE("a compilation in the background gives a kernel, as often as it is asked, or its error") {
  Cpu cpu;
  lacuna_kernel_spec spec = specOf(kSource), wrong = specOf("kernel");
  lacuna_compilation *good = nullptr, *bad = nullptr;
  REQUIRE(lacuna_compile_start(cpu.jit, &spec, &good) == LACUNA_OK);
  REQUIRE(lacuna_compile_start(cpu.jit, &wrong, &bad) == LACUNA_OK);
  lacuna_kernel *first = nullptr, *second = nullptr;
  REQUIRE_MESSAGE(lacuna_compilation_wait(good, &first) == LACUNA_OK, lacuna_last_error());
  CHECK(lacuna_compilation_done(good) == 1);
  REQUIRE(lacuna_compilation_wait(good, &second) == LACUNA_OK);
  CHECK(first != second);
  CHECK(refused(lacuna_compilation_wait(bad, &second), LACUNA_PARSE_ERROR).find("test.tile:1:") == 0);
  lacuna_compilation_destroy(good);
  lacuna_compilation_destroy(bad);
  lacuna_kernel_destroy(second);
  Tensor x(cpu.x.data(), {20, 16}), y(cpu.y.data(), {20, 16});
  lacuna_argument arguments[] = {lacuna_tensor_argument(&x.view), lacuna_tensor_argument(&y.view),
                                 lacuna_f32_argument(2)};
  CHECK(lacuna_launch(first, nullptr, arguments, 3) == LACUNA_OK);
  CHECK(cpu.right(cpu.y, 2));
  lacuna_kernel_destroy(first);
  CHECK(refused(lacuna_compile_start(nullptr, &spec, &good)) == "lacuna_compile_start was given NULL for jit");
  CHECK(refused(lacuna_compile_start(cpu.jit, &spec, nullptr)) == "lacuna_compile_start was given NULL for out");
  spec.struct_size = 3;
  CHECK(refused(lacuna_compile_start(cpu.jit, &spec, &good)).find("the spec's struct_size is 3") == 0);
  CHECK(refused(lacuna_compilation_wait(nullptr, &second)) == "lacuna_compilation_wait was given NULL for compilation");
  CHECK(lacuna_compilation_done(nullptr) == 0);
  lacuna_compilation_destroy(nullptr);
}

TEST_CASE("a listener hears of kernels, stages, variants and failures") {
  Cpu cpu;
  Heard heard;
  lacuna_jit *jit = nullptr;
  REQUIRE(lacuna_jit_with_listener(cpu.jit, listen, &heard, &jit) == LACUNA_OK);
  const std::string other = std::string(kSource) + "// another text\n";
  lacuna_kernel *kernel = compile(jit, other.c_str()), *again = compile(jit, other.c_str());
  REQUIRE(heard.sources == std::vector{LACUNA_SOURCE_COMPILED, LACUNA_SOURCE_MEMORY});
  CHECK(heard.kernels == std::vector<std::string>{"centre", "centre"});
  REQUIRE(!heard.stages.empty());
  CHECK(heard.stages.front() == "source");
  Tensor x(cpu.x.data(), {20, 16}), y(cpu.y.data(), {20, 16});
  lacuna_argument arguments[] = {lacuna_tensor_argument(&x.view), lacuna_tensor_argument(&y.view),
                                 lacuna_f32_argument(-1)};
  CHECK(lacuna_launch(kernel, nullptr, arguments, 3) == LACUNA_OK);
  CHECK(heard.variants == 1);
  lacuna_kernel_spec wrong = specOf("kernel");
  lacuna_kernel *none = nullptr;
  CHECK(lacuna_compile(jit, &wrong, &none) == LACUNA_PARSE_ERROR);
  CHECK(heard.statuses.back() == LACUNA_PARSE_ERROR);
  CHECK(heard.errors.back().find("test.tile:1:") == 0);
  CHECK(heard.errors.front().empty());
  lacuna_kernel_destroy(again);
  lacuna_kernel_destroy(kernel);
  lacuna_jit_destroy(jit);
  CHECK(refused(lacuna_jit_with_listener(cpu.jit, nullptr, &heard, &jit)) ==
        "lacuna_jit_with_listener was given NULL for listener");
}

TEST_CASE("kernels are made ready ahead, from specs or a list; what fails is named, all of it") {
  Cpu cpu;
  Heard heard;
  lacuna_jit *jit = nullptr;
  REQUIRE(lacuna_jit_with_listener(cpu.jit, listen, &heard, &jit) == LACUNA_OK);
  const std::string one = std::string(kSource) + "// one\n", two = std::string(kSource) + "// two\n";
  lacuna_kernel_spec specs[] = {specOf(one.c_str()), specOf(two.c_str()), specOf("kernel")};
  REQUIRE_MESSAGE(lacuna_warm(jit, specs, 2, 1, 1) == LACUNA_OK, lacuna_last_error());
  CHECK(heard.variants == 2);
  lacuna_kernel_destroy(compile(jit, one.c_str()));
  CHECK(heard.sources.back() == LACUNA_SOURCE_MEMORY);
  CHECK(refused(lacuna_warm(jit, specs, 3, 0, 1), LACUNA_PARSE_ERROR).find("test.tile:1:") == 0);
  CHECK(refused(lacuna_warm(jit, nullptr, 1, 0, 0)) == "lacuna_warm was given NULL for specs");
  CHECK(lacuna_warm(jit, nullptr, 0, 0, 0) == LACUNA_OK);
  CHECK(refused(lacuna_warm(jit, specs, 1, 0, -1)) == "-1 jobs were given; give 1 or more, or 0 for one a processor");
  CHECK(refused(lacuna_warm_list(jit, "/nowhere/list", 0), LACUNA_NOT_FOUND).find("/nowhere/list") !=
        std::string::npos);
  lacuna_jit_destroy(jit);
  ScratchDirectory scratch;
  writeFileAt(scratch / "list", "matmul BM=64 T=f16\nmatmul x\n");
  CHECK(refused(lacuna_warm_list(cpu.jit, (scratch / "list").c_str(), 0)).find(":2: error: 'x' is no NAME=VALUE") !=
        std::string::npos);
  writeFileAt(scratch / "list", "matmul BM=64 T=f16\n");
  CHECK_MESSAGE(lacuna_warm_list(cpu.jit, (scratch / "list").c_str(), 0) == LACUNA_OK, lacuna_last_error());
}

TEST_CASE("with LACUNA_JIT=off a kernel that is not there is refused with the command that makes it") {
  ScratchDirectory scratch;
  ScopedVariable off("LACUNA_JIT", "off"), disk("LACUNA_CACHE", "disk"),
      directory("LACUNA_CACHE_DIR", (scratch / "cache").c_str());
  lacuna_jit *jit = nullptr;
  REQUIRE_MESSAGE(lacuna_jit_create_gpu(0, &jit) == LACUNA_OK, lacuna_last_error());
  lacuna_kernel_spec spec = specOf(kSource);
  lacuna_kernel *kernel = nullptr;
  CHECK(refused(lacuna_compile(jit, &spec, &kernel), LACUNA_UNAVAILABLE).find("LACUNA_JIT=on lacuna warm test.tile") !=
        std::string::npos);
  CHECK(refused(lacuna_warm(jit, &spec, 1, 0, 0), LACUNA_UNAVAILABLE).find("kernel centre for sm_90a") !=
        std::string::npos);
  lacuna_jit_destroy(jit);
}

TEST_CASE("a bundle's kernels are listed, loaded and launched; what is wrong with it is told") {
  ScratchDirectory scratch;
  LaunchMetadata metadata;
  metadata.kernel = metadata.symbol = "fill";
  metadata.target = "sm_90a";
  metadata.arguments = {{"out", Argument::Kind::View, DType::F32, {{"M"}}, true}};
  metadata.dims = {"M"};
  metadata.grid = {"M"};
  metadata.threads = 128;
  Bundle made;
  made.add({"fill", {{"T", "f32"}}, {}, metadata, "image"});
  REQUIRE(made.write(scratch / "kernels.lacb"));
  lacuna_bundle *bundle = nullptr;
  REQUIRE_MESSAGE(lacuna_bundle_open((scratch / "kernels.lacb").c_str(), &bundle) == LACUNA_OK, lacuna_last_error());
  REQUIRE(lacuna_bundle_size(bundle) == 1);
  CHECK(std::string(lacuna_bundle_title(bundle, 0)) == "fill (T = f32)");
  CHECK(lacuna_bundle_title(bundle, 1) == nullptr);
  const lacuna_setting given[] = {{"T", "f32"}, {"T", "f32"}}, other[] = {{"T", "f16"}};
  lacuna_kernel *kernel = nullptr;
  CHECK(refused(lacuna_bundle_load(bundle, 0, "fill", other, 1, nullptr, 0, &kernel), LACUNA_NOT_FOUND) ==
        "the bundle has no fill (T = f16); it has fill (T = f32)");
  CHECK(refused(lacuna_bundle_load(bundle, 0, "fill", given, 2, nullptr, 0, &kernel)) ==
        "the spec gives param 'T' twice; give it once");
  CHECK(refused(lacuna_bundle_load(bundle, 0, nullptr, given, 1, nullptr, 0, &kernel)) ==
        "lacuna_bundle_load was given NULL for kernel");
  CHECK(refused(lacuna_bundle_load(bundle, 99, "fill", given, 1, nullptr, 0, &kernel)).find("99") != std::string::npos);
  REQUIRE_MESSAGE(lacuna_bundle_load(bundle, 0, "fill", given, 1, nullptr, 0, &kernel) == LACUNA_OK,
                  lacuna_last_error());
  lacuna_bundle_destroy(bundle);
  CHECK(std::string(lacuna_kernel_name(kernel)) == "fill");
  CHECK(lacuna_kernel_num_arguments(kernel) == 1);
  std::vector<float> memory(64);
  Tensor tensor(memory.data(), {64}, LACUNA_FLOAT, 32, LACUNA_DEVICE_CUDA);
  lacuna_argument argument = lacuna_tensor_argument(&tensor.view);
  CHECK_MESSAGE(lacuna_launch(kernel, nullptr, &argument, 1) == LACUNA_OK, lacuna_last_error());
  lacuna_kernel_destroy(kernel);
  CHECK(refused(lacuna_bundle_open((scratch / "none").c_str(), &bundle), LACUNA_NOT_FOUND).find("no such file") !=
        std::string::npos);
  writeFileAt(scratch / "bad", "LACBUND1 and nothing");
  CHECK(refused(lacuna_bundle_open((scratch / "bad").c_str(), &bundle), LACUNA_PARSE_ERROR).find("is damaged") !=
        std::string::npos);
  CHECK(refused(lacuna_bundle_open(nullptr, &bundle)) == "lacuna_bundle_open was given NULL for path");
  CHECK(lacuna_bundle_size(nullptr) == 0);
  lacuna_bundle_destroy(nullptr);
}
