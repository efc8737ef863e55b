/* Asks liblacuna.so for a kernel that is not there. */
#include <lacuna/c/lacuna.h>

#include <stdio.h>

int main(void) {
  lacuna_jit *jit = NULL;
  lacuna_kernel *kernel = NULL;
  lacuna_kernel_spec spec = LACUNA_KERNEL_SPEC_INIT;
  lacuna_status status = lacuna_jit_create_cpu(1, &jit);
  spec.library = "none";
  if (status == LACUNA_OK)
    status = lacuna_compile(jit, &spec, &kernel);
  printf("lacuna %s: %s: %s\n", lacuna_version(), lacuna_status_name(status), lacuna_last_error());
  lacuna_jit_destroy(jit);
  return status == LACUNA_NOT_FOUND ? 0 : 1;
}
