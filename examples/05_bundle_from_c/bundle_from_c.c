/* A C program that serves finished kernels: it loads them from a bundle through liblacuna_runtime.so, and no compiler
 * is even mapped into the process.
 *
 *   lacuna bundle kernels.lacb kernels_dsl/matmul.tile --set T=f16     (where the compiler is)
 *   lacuna-example-05-bundle-from-c kernels.lacb                       (where the GPU is)
 */
#include "lacuna/c/runtime.h"

#include <stdio.h>
#include <string.h>

/* Every failure is told the same way. */
static int failed(lacuna_status status, const char *what) {
  if (status != LACUNA_OK)
    fprintf(stderr, "bundle_from_c: %s: %s: %s\n", what, lacuna_status_name(status), lacuna_last_error());
  return status != LACUNA_OK;
}

/* Whether a library of the compiler is part of this process. */
static int has_compiler(void) {
  char line[4096];
  int found = 0;
  FILE *maps = fopen("/proc/self/maps", "r");
  while (maps && fgets(line, sizeof line, maps))
    found |= strstr(line, "libLLVM") || strstr(line, "libMLIR");
  if (maps)
    fclose(maps);
  return found;
}

static int run(const char *path, lacuna_bundle **bundle, lacuna_kernel **kernel) {
  /* [bundle] */
  const lacuna_setting params[] = {{"T", "f16"}};
  if (failed(lacuna_bundle_open(path, bundle), "opening") ||
      failed(lacuna_bundle_load(*bundle, 0, "matmul", params, 1, NULL, 0, kernel), "loading"))
    return 1;
  /* [bundle] */
  for (size_t index = 0; index < lacuna_bundle_size(*bundle); ++index)
    printf("the bundle has %s\n", lacuna_bundle_title(*bundle, index));
  printf("loaded %s(", lacuna_kernel_name(*kernel));
  for (size_t index = 0; index < lacuna_kernel_num_arguments(*kernel); ++index)
    printf("%s%s", index > 0 ? ", " : "", lacuna_kernel_argument_name(*kernel, index));
  printf("), ready for lacuna_launch on tensors of the caller\n");
  printf("a compiler is %s\n", has_compiler() ? "mapped: wrong" : "not mapped");
  return has_compiler();
}

int main(int argc, char **argv) {
  lacuna_bundle *bundle = NULL;
  lacuna_kernel *kernel = NULL;
  int status = 2;
  if (argc == 2)
    status = run(argv[1], &bundle, &kernel);
  else
    fprintf(stderr, "usage: lacuna-example-05-bundle-from-c BUNDLE\n");
  lacuna_kernel_destroy(kernel);
  lacuna_bundle_destroy(bundle);
  return status;
}
