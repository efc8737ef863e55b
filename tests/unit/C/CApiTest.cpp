// The C interface: on the CPU, and on a GPU that the fake driver plays.

#include "CSupport.h"

#include "fakecuda/FakeCuda.h"

#include <cstring>
#include <thread>

using namespace lacuna::runtime;

namespace {

/// Products with the listed blocks of keys.
constexpr const char *kGather = R"(
kernel gather(q: f16[H, M, 64], k: f16[H, N, 64], rows: blocks<64, 64>[1, H | 1], o: out f16[H, M, 64], n: f32)
  grid (qi: ceildiv(M, 64), h: H)
{
  let tq = load q[h, qi * 64 :+ 64, :]
  var acc: f32[64, 64] = 0
  for t in rows[0, h, qi] by 64 {
    let tk = load k[h, t, :]
    acc = dot(tq, transpose(tk), acc)
  }
  store o[h, qi * 64 :+ 64, :] = (acc * n) as f16
}
)";

} // namespace

TEST_CASE("names of statuses, version, and an error of each thread's own") {
  CHECK(std::string(lacuna_status_name(LACUNA_OK)) == "Ok");
  CHECK(std::string(lacuna_status_name(LACUNA_INVALID_ARGUMENT)) == "InvalidArgument");
  CHECK(std::string(lacuna_status_name(LACUNA_INTERNAL)) == "Internal");
  CHECK(std::string(lacuna_status_name(static_cast<lacuna_status>(12))) == "unknown");
  CHECK(std::string(lacuna_version()).find('.') != std::string::npos);
  CHECK(refused(lacuna_jit_create_cpu(-1, nullptr)) == "lacuna_jit_create_cpu was given NULL for out");
  std::string others = "untouched";
  std::thread([&] { others = lacuna_last_error(); }).join();
  CHECK(others.empty());
  CHECK(std::string(lacuna_last_error()) == "lacuna_jit_create_cpu was given NULL for out");
}

TEST_CASE("a kernel runs on the CPU, launched and prepared") {
  Cpu cpu;
  CHECK(lacuna_jit_device_type(cpu.jit) == LACUNA_DEVICE_CPU);
  CHECK(std::string(lacuna_kernel_name(cpu.kernel)) == "centre");
  REQUIRE(lacuna_kernel_num_arguments(cpu.kernel) == 3);
  CHECK(std::string(lacuna_kernel_argument_name(cpu.kernel, 2)) == "scale");
  CHECK(lacuna_kernel_argument_name(cpu.kernel, 3) == nullptr);
  CHECK(std::strstr(lacuna_kernel_metadata(cpu.kernel), "\"kernel\": \"centre\"") != nullptr);

  Tensor x(cpu.x.data(), {20, 16}), y(cpu.y.data(), {20, 16});
  lacuna_argument arguments[] = {lacuna_tensor_argument(&x.view), lacuna_tensor_argument(&y.view),
                                 lacuna_f32_argument(2)};
  for (float scale : {2.0f, -1.0f}) { // the second is another variant
    arguments[2] = lacuna_f32_argument(scale);
    REQUIRE_MESSAGE(lacuna_launch(cpu.kernel, nullptr, arguments, 3) == LACUNA_OK, lacuna_last_error());
    CHECK(cpu.right(cpu.y, scale));
  }
  arguments[2] = lacuna_f32_argument(2);
  lacuna_prepared *prepared = nullptr;
  REQUIRE(lacuna_prepare(cpu.kernel, nullptr, arguments, 3, &prepared) == LACUNA_OK);
  REQUIRE(lacuna_prepared_set_data(prepared, 1, cpu.z.data()) == LACUNA_OK);
  REQUIRE(lacuna_prepared_set_f32(prepared, 2, 5) == LACUNA_OK);
  REQUIRE(lacuna_prepared_run(prepared) == LACUNA_OK);
  CHECK(cpu.right(cpu.z, 5));
  CHECK(refused(lacuna_prepared_set_f32(prepared, 2, -5)).find("argument 'scale' is -5") == 0);
  CHECK(refused(lacuna_prepared_set_data(prepared, 1, nullptr)).find("argument 'y' is a null pointer") == 0);
  CHECK(refused(lacuna_prepared_set_i32(prepared, 2, 1)).find("argument 'scale'") == 0);
  lacuna_prepared_destroy(prepared);

  // byte_offset and strides: the odd rows of x, into the first rows of y.
  std::vector<float> odd;
  for (size_t row = 1; row < 20; row += 2)
    odd.insert(odd.end(), cpu.x.begin() + row * 16, cpu.x.begin() + row * 16 + 16);
  Tensor strided(cpu.x.data(), {10, 16}), part(cpu.y.data(), {10, 16}), dense(odd.data(), {10, 16}),
      wanted(cpu.z.data(), {10, 16});
  int64_t strides[] = {32, 1};
  strided.view.strides = strides;
  strided.view.byte_offset = 16 * sizeof(float);
  lacuna_argument offset[] = {lacuna_tensor_argument(&strided.view), lacuna_tensor_argument(&part.view),
                              lacuna_f32_argument(1)};
  lacuna_argument plain[] = {lacuna_tensor_argument(&dense.view), lacuna_tensor_argument(&wanted.view),
                             lacuna_f32_argument(1)};
  REQUIRE(lacuna_launch(cpu.kernel, nullptr, offset, 3) == LACUNA_OK);
  REQUIRE(lacuna_launch(cpu.kernel, nullptr, plain, 3) == LACUNA_OK);
  CHECK(std::memcmp(cpu.y.data(), cpu.z.data(), 160 * sizeof(float)) == 0);
}

TEST_CASE("what cannot be compiled: status and sentence") {
  Cpu cpu;
  lacuna_kernel *kernel = nullptr;
  auto refusal = [&](auto change, lacuna_status expected) {
    lacuna_kernel_spec spec = LACUNA_KERNEL_SPEC_INIT;
    change(spec);
    std::string message = refused(lacuna_compile(cpu.jit, &spec, &kernel), expected);
    CHECK(kernel == nullptr);
    return message;
  };
  CHECK(refusal([](auto &) {}, LACUNA_INVALID_ARGUMENT).find("there is nothing to compile") == 0);
  CHECK(refusal([](auto &spec) { spec.struct_size = 8; }, LACUNA_INVALID_ARGUMENT).find("struct_size is 8") !=
        std::string::npos);
  CHECK(refusal([](auto &spec) { spec.file = "/none.tile"; }, LACUNA_NOT_FOUND).find("/none.tile") !=
        std::string::npos);
  CHECK(refusal([](auto &spec) { spec.library = "none"; }, LACUNA_NOT_FOUND)
            .find("the library has no kernel 'none'; it has attention_forward, ") == 0);
  CHECK(refusal([](auto &spec) { spec.library = "matmul", spec.source = kSource; }, LACUNA_INVALID_ARGUMENT)
            .find("both a kernel of the library ('matmul')") == 0);
  CHECK(refusal([](auto &spec) { spec.source = "kernel k("; }, LACUNA_PARSE_ERROR).find("<source>:1:") == 0);
  static const lacuna_setting twice[] = {{"D", "16"}, {"D", "32"}}, null[] = {{nullptr, "1"}}, wrong[] = {{"D", "8"}};
  auto withParams = [](const lacuna_setting *params, size_t count) {
    return [=](lacuna_kernel_spec &spec) { spec.source = kSource, spec.params = params, spec.num_params = count; };
  };
  CHECK(refusal(withParams(twice, 2), LACUNA_INVALID_ARGUMENT) == "the spec gives param 'D' twice; give it once");
  CHECK(refusal(withParams(null, 1), LACUNA_INVALID_ARGUMENT).find("param number 0 of the spec has NULL") == 0);
  CHECK(refusal(withParams(nullptr, 1), LACUNA_INVALID_ARGUMENT) == "the spec has 1 params and NULL for them");
  CHECK(refusal(withParams(wrong, 1), LACUNA_INVALID_ARGUMENT).find("D") != std::string::npos);
  lacuna_kernel_spec spec = LACUNA_KERNEL_SPEC_INIT;
  CHECK(refused(lacuna_compile(nullptr, &spec, &kernel)) == "lacuna_compile was given NULL for jit");
  CHECK(refused(lacuna_compile(cpu.jit, nullptr, &kernel)) == "lacuna_compile was given NULL for spec");
  CHECK(refused(lacuna_compile(cpu.jit, &spec, nullptr)) == "lacuna_compile was given NULL for out");
}

TEST_CASE("NULL handles are refused, and their destruction does nothing") {
  lacuna_jit_destroy(nullptr);
  lacuna_kernel_destroy(nullptr);
  lacuna_prepared_destroy(nullptr);
  CHECK(lacuna_jit_device_type(nullptr) == 0);
  CHECK(std::string(lacuna_kernel_name(nullptr)).empty());
  CHECK(std::string(lacuna_kernel_metadata(nullptr)).empty());
  CHECK(lacuna_kernel_num_arguments(nullptr) == 0);
  CHECK(lacuna_kernel_argument_name(nullptr, 0) == nullptr);
  CHECK(refused(lacuna_jit_create(nullptr)).find("NULL for out") != std::string::npos);
  CHECK(refused(lacuna_jit_create_gpu(0, nullptr)).find("NULL for out") != std::string::npos);
  CHECK(refused(lacuna_launch(nullptr, nullptr, nullptr, 0)).find("NULL for kernel") != std::string::npos);
  CHECK(refused(lacuna_prepare(nullptr, nullptr, nullptr, 0, nullptr)).find("NULL for kernel") != std::string::npos);
  CHECK(refused(lacuna_prepared_run(nullptr)).find("NULL for prepared") != std::string::npos);
  CHECK(refused(lacuna_prepared_set_data(nullptr, 0, nullptr)).find("NULL for prepared") != std::string::npos);
  CHECK(refused(lacuna_prepared_set_block_list(nullptr, 0, nullptr)).find("NULL for prepared") != std::string::npos);
  CHECK(refused(lacuna_prepared_set_f32(nullptr, 0, 1)).find("NULL for prepared") != std::string::npos);
  CHECK(refused(lacuna_prepared_set_i32(nullptr, 0, 1)).find("NULL for prepared") != std::string::npos);
}

TEST_CASE("R13: every wrong tensor is refused by name, and nothing runs") {
  Cpu cpu;
  Tensor x(cpu.x.data(), {20, 16}), y(cpu.y.data(), {20, 16});
  auto refusal = [&](auto change, size_t count = 3) {
    Tensor spoiled(cpu.x.data(), {20, 16});
    lacuna_argument arguments[] = {lacuna_tensor_argument(&spoiled.view), lacuna_tensor_argument(&y.view),
                                   lacuna_f32_argument(1), lacuna_i32_argument(1)};
    change(spoiled, arguments);
    std::string message = refused(lacuna_launch(cpu.kernel, nullptr, arguments, count));
    lacuna_prepared *prepared = nullptr;
    CHECK(refused(lacuna_prepare(cpu.kernel, nullptr, arguments, count, &prepared)) == message);
    CHECK(prepared == nullptr);
    CHECK(cpu.y[0] == -7);
    return message;
  };
  int64_t strides[] = {8, 2};
  CHECK(refusal([](Tensor &t, auto &) { t.view.dtype.bits = 64; }).find("argument 'x' has DLPack type code 2 of 64") ==
        0);
  CHECK(refusal([](Tensor &t, auto &) { t.view.dtype.lanes = 4; }).find("in 4 lanes") != std::string::npos);
  CHECK(refusal([](Tensor &t, auto &) { t.view.dtype.bits = 16; }).find("argument 'x' is f16") == 0);
  CHECK(
      refusal([](Tensor &t, auto &) { t.view.device.device_type = LACUNA_DEVICE_CUDA; }) ==
      "argument 'x' lies on DLPack device 2:0, and the kernel was compiled for the CPU; copy it to host memory (device "
      "1)");
  CHECK(refusal([](Tensor &t, auto &) { t.view.ndim = 1; }).find("argument 'x' has 1 extents") == 0);
  CHECK(refusal([](Tensor &t, auto &) { t.view.ndim = -1; }).find("argument 'x' has rank -1") == 0);
  CHECK(refusal([](Tensor &t, auto &) { t.view.ndim = 1000; }).find("argument 'x' has rank 1000") == 0);
  CHECK(refusal([](Tensor &t, auto &) { t.view.shape = nullptr; }).find("NULL for shape") != std::string::npos);
  CHECK(refusal([](Tensor &t, auto &) { t.shape[0] = 0; }).find("argument 'x' has extent 0") == 0);
  CHECK(refusal([](Tensor &t, auto &) { t.shape[1] = 17; }).find("argument 'x' has extent 17") == 0);
  CHECK(refusal([](Tensor &t, auto &) { t.shape[0] = int64_t(1) << 40; }).find("argument 'x' has extent") == 0);
  CHECK(refusal([&](Tensor &t, auto &) { t.view.strides = strides; }).find("argument 'x' has stride 2") == 0);
  CHECK(refusal([](Tensor &t, auto &) { t.view.byte_offset = 2; }).find("argument 'x' starts at address") == 0);
  CHECK(refusal([](Tensor &t, auto &) {
          t.view.data = nullptr, t.view.byte_offset = 64;
        }).find("argument 'x' is a null pointer") == 0);
  CHECK(refusal([](Tensor &, auto &a) { a[0] = lacuna_tensor_argument(nullptr); }) ==
        "argument 'x' is NULL; give a tensor");
  CHECK(refusal([](Tensor &, auto &a) { a[2] = lacuna_i32_argument(1); }).find("argument 'scale'") == 0);
  CHECK(refusal([](Tensor &, auto &a) {
          a[1].kind = static_cast<lacuna_argument_kind>(9);
        }).find("argument 'y' has kind 9") == 0);
  CHECK(refusal([](Tensor &, auto &) {}, 2) == "kernel 'centre' takes 3 arguments, and 2 were given");
  CHECK(refusal([](Tensor &, auto &) {}, 4) == "kernel 'centre' takes 3 arguments, and 4 were given");
  CHECK(refused(lacuna_launch(cpu.kernel, nullptr, nullptr, 3)).find("NULL for them") != std::string::npos);
  int stream = 0;
  lacuna_argument arguments[] = {lacuna_tensor_argument(&x.view), lacuna_tensor_argument(&y.view),
                                 lacuna_f32_argument(1)};
  CHECK(refused(lacuna_launch(cpu.kernel, &stream, arguments, 3)) ==
        "kernel 'centre' was compiled for the CPU, and a stream was given; give NULL");
}

TEST_CASE("on a GPU: lists, devices and a stream of the caller's") {
  fake::state().script("devices=2");
  lacuna_jit *jit = nullptr;
  REQUIRE_MESSAGE(lacuna_jit_create_gpu(0, &jit) == LACUNA_OK, lacuna_last_error());
  CHECK(refused(lacuna_jit_create_gpu(2, &jit)).find("GPU 2 was asked for, and there are 2") == 0);
  CHECK(lacuna_jit_device_type(jit) == LACUNA_DEVICE_CUDA);
  lacuna_kernel *kernel = compile(jit, kGather);
  auto *alloc = [] {
    void *found = nullptr;
    REQUIRE(fake::resolve("cuMemAlloc", &found, 12000, 0, nullptr) == cu::Success);
    return reinterpret_cast<cu::Result (*)(cu::DevicePtr *, size_t)>(found);
  }();
  cu::DevicePtr memory = 0;
  fake::state().stack.push_back(reinterpret_cast<cu::Context>(uintptr_t(0x1000))); // as the CUDA runtime leaves it
  REQUIRE(alloc(&memory, 1 << 18) == cu::Success);
  auto at = [&](size_t offset) { return reinterpret_cast<void *>(memory + offset); };
  const int gpu = LACUNA_DEVICE_CUDA;
  Tensor q(at(0), {2, 100, 64}, LACUNA_FLOAT, 16, gpu), k(at(65536), {2, 200, 64}, LACUNA_FLOAT, 16, gpu),
      o(at(131072), {2, 100, 64}, LACUNA_FLOAT, 16, gpu), indptr(at(200000), {5}, LACUNA_INT, 32, gpu),
      split(at(201024), {4}, LACUNA_INT, 32, gpu), indices(at(202048), {7}, LACUNA_INT, 32, gpu),
      other(at(204800), {11}, LACUNA_INT, 32, gpu), away(at(0), {2, 100, 64}, LACUNA_FLOAT, 16, gpu, 1),
      onHost(at(0), {2, 100, 64}, LACUNA_FLOAT, 16, LACUNA_DEVICE_CPU);
  lacuna_block_list rows = {&indptr.view, &split.view, &indices.view, 1, 2, 2};
  lacuna_argument arguments[] = {lacuna_tensor_argument(&q.view), lacuna_tensor_argument(&k.view),
                                 lacuna_block_list_argument(&rows), lacuna_tensor_argument(&o.view),
                                 lacuna_f32_argument(3)};
  auto *stream = reinterpret_cast<void *>(uintptr_t(0x4242));
  REQUIRE_MESSAGE(lacuna_launch(kernel, stream, arguments, 5) == LACUNA_OK, lacuna_last_error());
  CHECK(fake::state().lastStream == stream);
  CHECK(fake::state().lastGrid[0] == 4); // the kernel stays: one thread block a program, along x
  const int launches = fake::state().count(fake::Call::cuLaunchKernel);

  auto refusal = [&] { return refused(lacuna_launch(kernel, stream, arguments, 5)); };
  arguments[0] = lacuna_tensor_argument(&away.view);
  CHECK(refusal() == "argument 'q' lies on DLPack device 2:1, and the kernel is loaded on GPU 0; copy it there (device "
                     "2:0)");
  arguments[0] = lacuna_tensor_argument(&onHost.view);
  CHECK(refusal().find("argument 'q' lies on DLPack device 1:0") == 0);
  arguments[0] = lacuna_tensor_argument(&q.view);
  auto listRefusal = [&](auto change) {
    lacuna_block_list spoiled = rows;
    change(spoiled);
    arguments[2] = lacuna_block_list_argument(&spoiled);
    std::string message = refusal();
    arguments[2] = lacuna_block_list_argument(&rows);
    return message;
  };
  CHECK(
      listRefusal([](auto &list) { list.row_blocks = 3; }) ==
      "list 'rows' has 6 rows (batches x heads x row blocks), and indptr has 5 entries and split 4; give rows + 1 and "
      "rows");
  CHECK(listRefusal([](auto &list) { list.batches = 0; }).find("list 'rows' has 0 batches") == 0);
  CHECK(listRefusal([](auto &list) { list.split = nullptr; }) == "split of list 'rows' is NULL; give a tensor");
  CHECK(listRefusal([&](auto &list) { list.indptr = &q.view; }).find("indptr of list 'rows' is f16 of rank 3") == 0);
  arguments[2] = lacuna_block_list_argument(nullptr);
  CHECK(refusal() == "list 'rows' is NULL; give a lacuna_block_list");
  arguments[2] = lacuna_tensor_argument(&q.view);
  CHECK(refusal() == "argument 'rows' of kernel 'gather' is a block list, and a view was given");
  arguments[2] = lacuna_block_list_argument(&rows);
  CHECK(fake::state().count(fake::Call::cuLaunchKernel) == launches);

  lacuna_prepared *prepared = nullptr;
  REQUIRE_MESSAGE(lacuna_prepare(kernel, stream, arguments, 5, &prepared) == LACUNA_OK, lacuna_last_error());
  lacuna_kernel_destroy(kernel);
  lacuna_jit_destroy(jit); // what was prepared stays
  lacuna_block_list longer = rows;
  longer.indices = &other.view;
  REQUIRE(lacuna_prepared_set_block_list(prepared, 2, &longer) == LACUNA_OK);
  REQUIRE(lacuna_prepared_set_f32(prepared, 4, 9) == LACUNA_OK);
  void *given = nullptr;
  fake::state().onLaunch = [&](void **) { given = stream; };
  REQUIRE(lacuna_prepared_run(prepared) == LACUNA_OK);
  CHECK(given == stream);
  CHECK(refused(lacuna_prepared_set_block_list(prepared, 2, nullptr)) ==
        "list 'rows' is NULL; give a lacuna_block_list");
  CHECK(refused(lacuna_prepared_set_block_list(prepared, 7, &rows)).find("argument number 7") == 0);
  fake::state().script("fail=cuLaunchKernel@0:700");
  CHECK(refused(lacuna_prepared_run(prepared), LACUNA_INTERNAL) ==
        "launching kernel 'gather' failed: told to fail (FAKE_ERROR, error 700)");
  fake::state().failFunction.clear();
  lacuna_prepared_destroy(prepared);
  CHECK(fake::state().live["modules"] == 0);
}
