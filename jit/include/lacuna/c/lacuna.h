/*===- lacuna.h - The C interface of Lacuna ------------------------------------------------------*- C -*-===*
 *
 * A C99 interface over lacuna::Jit: compile a kernel of a .tile text, launch it on tensors in DLPack's layout. The
 * library is liblacuna.so (CMake: lacuna::c); it exports lacuna_* and nothing else. Tensors and launches are those of
 * lacuna/c/runtime.h, which also says what holds for errors, threads, memory and streams.
 *
 *   lacuna_jit *jit = NULL;
 *   lacuna_kernel *kernel = NULL;
 *   lacuna_kernel_spec spec = LACUNA_KERNEL_SPEC_INIT;
 *   spec.library = "matmul";
 *   if (lacuna_jit_create(&jit) || lacuna_compile(jit, &spec, &kernel)) {
 *     fprintf(stderr, "%s\n", lacuna_last_error());
 *     ...
 *   }
 *   lacuna_argument arguments[] = {lacuna_tensor_argument(&a), lacuna_tensor_argument(&b),
 *                                  lacuna_tensor_argument(&bias), lacuna_tensor_argument(&c), lacuna_f32_argument(1)};
 *   lacuna_launch(kernel, stream, arguments, 5);
 *
 * examples/02_jit_from_c is a whole program.
 *
 *===------------------------------------------------------------------------------------------------------------===*/

#ifndef LACUNA_C_LACUNA_H
#define LACUNA_C_LACUNA_H

#include "lacuna/c/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/*===- The compiler ----------------------------------------------------------------------------------------===*/

/** Compiles kernels for one machine. */
typedef struct lacuna_jit lacuna_jit;

/** A compiler for the first GPU if there is one that is supported, else for the CPU. Errors: LACUNA_INVALID_ARGUMENT
 *  for a NULL `out`. */
LACUNA_API lacuna_status lacuna_jit_create(lacuna_jit **out);

/** A compiler for the CPU. `threads` run each grid; 0 is LACUNA_THREADS, or every processor. Errors:
 *  LACUNA_INVALID_ARGUMENT for a negative number or a NULL `out`. */
LACUNA_API lacuna_status lacuna_jit_create_cpu(int threads, lacuna_jit **out);

/** A compiler for GPU `ordinal`. Errors: LACUNA_UNAVAILABLE without a driver or GPU; LACUNA_INVALID_ARGUMENT for an
 *  ordinal that does not exist or a NULL `out`; LACUNA_UNSUPPORTED for a compute capability below 8.0. */
LACUNA_API lacuna_status lacuna_jit_create_gpu(int ordinal, lacuna_jit **out);

/** LACUNA_DEVICE_CPU or LACUNA_DEVICE_CUDA; 0 for NULL. */
LACUNA_API int lacuna_jit_device_type(const lacuna_jit *jit);

/** Destroys it; NULL does nothing. Its kernels stay. */
LACUNA_API void lacuna_jit_destroy(lacuna_jit *jit);

/** Which kernel, and for which values. Begin with LACUNA_KERNEL_SPEC_INIT; exactly one of library, file and source
 *  says where the text is, but a source may have a file, its name in messages. */
typedef struct lacuna_kernel_spec {
  size_t struct_size;  /**< sizeof(lacuna_kernel_spec), so that later versions may add members */
  const char *library; /**< a kernel of the library that is part of Lacuna: "attention_forward", "matmul", … */
  const char *file;    /**< the path of a .tile file */
  const char *source;  /**< the text itself */
  const char *kernel;  /**< NULL: the only kernel of the text */
  /** Those left out take what was measured on this machine (docs/tuning.md), or their defaults. */
  const lacuna_setting *params;
  size_t num_params;
  const lacuna_setting *hooks; /**< hook -> another hook's name, or an expression over its parameters */
  size_t num_hooks;
} lacuna_kernel_spec;

#define LACUNA_KERNEL_SPEC_INIT {sizeof(lacuna_kernel_spec), NULL, NULL, NULL, NULL, NULL, 0, NULL, 0}

/** Reads, compiles and loads; takes as long as a compilation. Errors: LACUNA_INVALID_ARGUMENT for a spec that names
 *  no text or several, a param outside its domain, a NULL; LACUNA_NOT_FOUND for a file, kernel, param or hook that
 *  does not exist; LACUNA_PARSE_ERROR and LACUNA_VERIFY_ERROR with the place in the text; LACUNA_UNSUPPORTED,
 *  LACUNA_COMPILE_FAILED, LACUNA_TOOL_FAILED, LACUNA_RESOURCE_EXHAUSTED, LACUNA_INCOMPATIBLE; with LACUNA_JIT=off
 *  LACUNA_UNAVAILABLE for a kernel that is not in the cache, which is named with the command that puts it there. */
LACUNA_API lacuna_status lacuna_compile(lacuna_jit *jit, const lacuna_kernel_spec *spec, lacuna_kernel **out);

/*===- In the background, ahead, and what took how long ----------------------------------------------------===*/

/** A compilation in a thread of its own. */
typedef struct lacuna_compilation lacuna_compilation;

/** Begins what lacuna_compile does and returns; the spec is copied. Errors: LACUNA_INVALID_ARGUMENT for a NULL, or a
 *  spec that is none; the others come with lacuna_compilation_wait. */
LACUNA_API lacuna_status lacuna_compile_start(lacuna_jit *jit, const lacuna_kernel_spec *spec,
                                              lacuna_compilation **out);
/** Whether lacuna_compilation_wait would return at once: 1 or 0; 0 for NULL. */
LACUNA_API int lacuna_compilation_done(const lacuna_compilation *compilation);
/** Waits for it and gives its kernel; every call gives a handle of its own. Errors: as lacuna_compile. */
LACUNA_API lacuna_status lacuna_compilation_wait(lacuna_compilation *compilation, lacuna_kernel **out);
/** Destroys it; one that is not done is waited for. NULL does nothing. Its kernels stay. */
LACUNA_API void lacuna_compilation_destroy(lacuna_compilation *compilation);

/** Makes kernels ready ahead: those in the cache are loaded, the others compiled, `jobs` at once (0: one for each
 *  processor); later lacuna_compile finds them in memory. `any_scalars` of 1 also makes their variants for float32
 *  scalars that are not above zero, which a launch would else compile. Errors: as lacuna_compile, of the first that
 *  fails; lacuna_last_error() names all. */
LACUNA_API lacuna_status lacuna_warm(lacuna_jit *jit, const lacuna_kernel_spec *specs, size_t num_specs,
                                     int any_scalars, int jobs);
/** The same for a file with a request a line (docs/serving.md). Errors: likewise; LACUNA_INVALID_ARGUMENT with every
 *  mistake of the file and its line; LACUNA_NOT_FOUND for a file that is not there. */
LACUNA_API lacuna_status lacuna_warm_list(lacuna_jit *jit, const char *path, int jobs);

/** Where a kernel came from. */
typedef enum lacuna_source {
  LACUNA_SOURCE_COMPILED = 0, /**< now */
  LACUNA_SOURCE_MEMORY = 1,   /**< compiled or loaded earlier in this process */
  LACUNA_SOURCE_DISK = 2
} lacuna_source;

typedef struct lacuna_stage_time {
  const char *stage; /**< "llvm.opt" */
  double milliseconds;
} lacuna_stage_time;

/** One compilation at its end. All of it is valid during the call alone. */
typedef struct lacuna_compile_event {
  size_t struct_size; /**< later versions add members at the end */
  const char *kernel; /**< its name; of one that failed the name that was asked for, which may be "" */
  const char *file;   /**< the name of its text in messages */
  int device_type;    /**< LACUNA_DEVICE_CPU or LACUNA_DEVICE_CUDA */
  int variant;        /**< 1: compiled by a launch, for scalars that are not above zero */
  lacuna_source source;
  double milliseconds;             /**< from the call to the loaded kernel, waiting included */
  const lacuna_stage_time *stages; /**< those that ran; none for a kernel from the cache */
  size_t num_stages;
  lacuna_status status; /**< LACUNA_OK, or why it failed */
  const char *error;    /**< then the sentence, else NULL */
} lacuna_compile_event;

/** Called in the thread that compiled, with no lock held. */
typedef void (*lacuna_listener)(const lacuna_compile_event *event, void *user);

/** A handle to the same compiler, what it has compiled included, whose compilations `listener` hears of, with `user`;
 *  both must outlive it and what is compiled through it. Errors: LACUNA_INVALID_ARGUMENT for a NULL but `user`. */
LACUNA_API lacuna_status lacuna_jit_with_listener(const lacuna_jit *jit, lacuna_listener listener, void *user,
                                                  lacuna_jit **out);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* LACUNA_C_LACUNA_H */
