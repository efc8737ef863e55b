/* Loads a kernel of a bundle through liblacuna_runtime.so. */
#include <lacuna/c/runtime.h>

#include <stdio.h>

int main(int argc, char **argv) {
  lacuna_bundle *bundle = NULL;
  lacuna_kernel *kernel = NULL;
  const lacuna_setting params[] = {{"T", "f16"}};
  lacuna_status status = argc == 2 ? lacuna_bundle_open(argv[1], &bundle) : LACUNA_INVALID_ARGUMENT;
  if (status == LACUNA_OK)
    status = lacuna_bundle_load(bundle, 0, "matmul", params, 1, NULL, 0, &kernel);
  printf("%s of %zu kernels: %s\n", lacuna_kernel_name(kernel), lacuna_bundle_size(bundle),
         status == LACUNA_OK ? "loaded" : lacuna_last_error());
  lacuna_kernel_destroy(kernel);
  lacuna_bundle_destroy(bundle);
  return status == LACUNA_OK ? 0 : 1;
}
