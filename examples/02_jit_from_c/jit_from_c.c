/* A C program that compiles a kernel at run time and runs it on its own arrays, through lacuna/c/lacuna.h.
 *
 * The kernel is a text in this file: each row of x less its largest value, with a hook. It runs on the CPU, so that the
 * arrays can be ordinary ones; on a GPU nothing differs but lacuna_jit_create_gpu, device pointers in the tensors (with
 * the device {LACUNA_DEVICE_CUDA, 0}) and a stream.
 *
 *   ./dev build && build/bin/lacuna-example-02-jit-from-c
 */
#include "lacuna/c/lacuna.h"

#include <math.h>
#include <stdio.h>

enum { kRows = 37, kColumns = 32 };

static const char kSource[] = "param D in {16, 32} = 16\n"
                              "hook after(v) -> f32 = v\n"
                              "kernel centre(x: f32[M, D], y: out f32[M, D], scale: f32)\n"
                              "  grid (i: ceildiv(M, 16))\n"
                              "{\n"
                              "  let s = (load x[i * 16 :+ 16, :]) * scale\n"
                              "  store y[i * 16 :+ 16, :] = map (v in s - rowmax(s)) => after(v)\n"
                              "}\n";

/* The caller's own memory as a tensor; strides of NULL are C order. A DLTensor of another library would do as well. */
static lacuna_tensor tensor_of(float *data, int64_t *shape) {
  lacuna_tensor tensor = {0};
  tensor.data = data;
  tensor.device.device_type = LACUNA_DEVICE_CPU;
  tensor.ndim = 2;
  tensor.dtype.code = LACUNA_FLOAT;
  tensor.dtype.bits = 32;
  tensor.dtype.lanes = 1;
  tensor.shape = shape;
  return tensor;
}

/* Every failure is told the same way. */
static int failed(lacuna_status status, const char *what) {
  if (status != LACUNA_OK)
    fprintf(stderr, "jit_from_c: %s: %s: %s\n", what, lacuna_status_name(status), lacuna_last_error());
  return status != LACUNA_OK;
}

/* The largest difference from what the kernel should have written. */
static double largest_error(float (*x)[kColumns], float (*y)[kColumns], float scale) {
  double largest = 0;
  for (int i = 0; i < kRows; ++i) {
    double top = -INFINITY;
    for (int j = 0; j < kColumns; ++j)
      top = fmax(top, (double)scale * x[i][j]);
    for (int j = 0; j < kColumns; ++j)
      largest = fmax(largest, fabs(2 * ((double)scale * x[i][j] - top) - y[i][j]));
  }
  return largest;
}

/* Hears of each compilation: what took how long. */
static void print_event(const lacuna_compile_event *event, void *user) {
  (void)user;
  printf("%s '%s' in %.1f ms\n", event->error ? "could not compile" : "compiled", event->kernel, event->milliseconds);
  for (size_t index = 0; index < event->num_stages; ++index)
    printf("  %s %.1f ms\n", event->stages[index].stage, event->stages[index].milliseconds);
}

/* The same kernel in the background, with a listener. */
static int run_in_background(const lacuna_jit *jit) {
  lacuna_jit *heard = NULL;
  lacuna_compilation *compilation = NULL;
  lacuna_kernel *kernel = NULL;
  lacuna_kernel_spec spec = LACUNA_KERNEL_SPEC_INIT;
  spec.source = kSource;
  int status = 1;
  /* [background] */
  if (!failed(lacuna_jit_with_listener(jit, print_event, NULL, &heard), "adding a listener") &&
      !failed(lacuna_compile_start(heard, &spec, &compilation), "starting")) {
    /* This thread goes on; lacuna_compilation_done asks, lacuna_compilation_wait waits. */
    if (!failed(lacuna_compilation_wait(compilation, &kernel), "compiling"))
      status = 0;
  }
  lacuna_compilation_destroy(compilation);
  lacuna_jit_destroy(heard);
  /* [background] */
  lacuna_kernel_destroy(kernel);
  return status;
}

static int run(lacuna_jit *jit, lacuna_kernel **kernel, lacuna_prepared **prepared) {
  static float x[kRows][kColumns], y[kRows][kColumns], z[kRows][kColumns];
  for (int i = 0; i < kRows; ++i)
    for (int j = 0; j < kColumns; ++j)
      x[i][j] = (float)sin(i * 31 + j * j);

  /* [compile] */
  const lacuna_setting params[] = {{"D", "32"}}, hooks[] = {{"after", "v * 2"}};
  lacuna_kernel_spec spec = LACUNA_KERNEL_SPEC_INIT;
  spec.source = kSource;
  spec.file = "centre.tile"; /* the text's name in messages */
  spec.params = params;
  spec.num_params = 1;
  spec.hooks = hooks;
  spec.num_hooks = 1;
  if (failed(lacuna_compile(jit, &spec, kernel), "compiling"))
    return 1;
  /* [compile] */
  printf("compiled '%s' of %zu arguments\n", lacuna_kernel_name(*kernel), lacuna_kernel_num_arguments(*kernel));

  /* [launch] */
  /* Checked and launched: the first argument that does not fit is told by its name. */
  int64_t shape[] = {kRows, kColumns}, other[] = {kRows, 16};
  lacuna_tensor tx = tensor_of(&x[0][0], shape), ty = tensor_of(&y[0][0], shape), wrong = tensor_of(&y[0][0], other);
  lacuna_argument arguments[] = {lacuna_tensor_argument(&tx), lacuna_tensor_argument(&wrong),
                                 lacuna_f32_argument(0.5f)};
  if (lacuna_launch(*kernel, NULL, arguments, 3) == LACUNA_OK)
    return 1;
  printf("refused: %s\n", lacuna_last_error());
  arguments[1] = lacuna_tensor_argument(&ty);
  if (failed(lacuna_launch(*kernel, NULL, arguments, 3), "launching"))
    return 1;
  /* [launch] */

  /* [prepare] */
  /* Checked once, run often, with another output and another scale. */
  if (failed(lacuna_prepare(*kernel, NULL, arguments, 3, prepared), "preparing") ||
      failed(lacuna_prepared_set_data(*prepared, 1, z), "setting the output") ||
      failed(lacuna_prepared_set_f32(*prepared, 2, 3), "setting the scale") ||
      failed(lacuna_prepared_run(*prepared), "running"))
    return 1;
  /* [prepare] */

  const double error = fmax(largest_error(x, y, 0.5f), largest_error(x, z, 3));
  printf("the largest error is %.2g: %s\n", error, error < 1e-5 ? "right" : "wrong");
  return !(error < 1e-5);
}

int main(void) {
  lacuna_jit *jit = NULL;
  lacuna_kernel *kernel = NULL;
  lacuna_prepared *prepared = NULL;
  int status = 1;
  if (!failed(lacuna_jit_create_cpu(2, &jit), "making the compiler"))
    status = run_in_background(jit) || run(jit, &kernel, &prepared);
  lacuna_prepared_destroy(prepared);
  lacuna_kernel_destroy(kernel);
  lacuna_jit_destroy(jit);
  return status;
}
