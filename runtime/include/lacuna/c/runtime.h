/*===- runtime.h - Launching finished kernels from C ---------------------------------------------*- C -*-===*
 *
 * The part of the C99 interface that needs no compiler: tensors, launches, and kernels from a bundle that `lacuna
 * bundle` has made (lacuna/Runtime/Bundle.h). Two libraries have it, and a program links one of them:
 *
 *   liblacuna_runtime.so   (CMake: lacuna::runtime_c) this header alone; LLVM is not even mapped
 *   liblacuna.so           (CMake: lacuna::c) with the compiler of lacuna/c/lacuna.h, which includes this header
 *
 *   lacuna_bundle *bundle = NULL;
 *   lacuna_kernel *kernel = NULL;
 *   const lacuna_setting params[] = {{"T", "f16"}};
 *   if (lacuna_bundle_open("kernels.lacb", &bundle) ||
 *       lacuna_bundle_load(bundle, 0, "matmul", params, 1, NULL, 0, &kernel)) {
 *     fprintf(stderr, "%s\n", lacuna_last_error());
 *     ...
 *   }
 *   lacuna_launch(kernel, stream, arguments, 5);
 *
 * examples/05_bundle_from_c is a whole program.
 *
 * Errors. Every function that can fail returns a lacuna_status, 0 for success; lacuna_last_error() is then a sentence
 * that says what was given, what is allowed and what to change. What a function gives through `out` is written on
 * success only. Nothing throws, and nothing is printed but what LACUNA_LOG asks for.
 *
 * Threads. Every function may be called from any thread; lacuna_last_error is the calling thread's own. One
 * lacuna_prepared may be run by several threads at once, but set only while no other call uses it. A handle is
 * destroyed once, when no other call uses it; objects made from it may outlive it.
 *
 * Memory. Tensors, lists and streams are the caller's: they are neither copied nor freed, and must stay valid until the
 * kernel has run. Strings that a function returns live as long as the handle they were asked of.
 *
 * Streams. For a GPU, `stream` is a CUstream or cudaStream_t of the kernel's device, NULL the default stream; a launch
 * only enqueues, and may be captured into a CUDA graph. For the CPU it must be NULL, and a launch returns when all is
 * done.
 *
 *===------------------------------------------------------------------------------------------------------------===*/

#ifndef LACUNA_C_RUNTIME_H
#define LACUNA_C_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define LACUNA_API __attribute__((visibility("default")))
#else
#define LACUNA_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*===- Status ----------------------------------------------------------------------------------------------===*/

/** What kind of thing went wrong. The numbers stay what they are in later versions. */
typedef enum lacuna_status {
  LACUNA_OK = 0,
  LACUNA_INVALID_ARGUMENT = 1,   /**< the caller gave something that is not allowed */
  LACUNA_PARSE_ERROR = 2,        /**< text that is not in the language */
  LACUNA_VERIFY_ERROR = 3,       /**< IR that breaks a rule of its own kind */
  LACUNA_UNSUPPORTED = 4,        /**< meaningful, but not implemented for this target or in this version */
  LACUNA_COMPILE_FAILED = 5,     /**< a compiler stage refused the program */
  LACUNA_TOOL_FAILED = 6,        /**< ptxas failed, hung or gave output that is not understood */
  LACUNA_NOT_FOUND = 7,          /**< a file, kernel or name that does not exist */
  LACUNA_INCOMPATIBLE = 8,       /**< built for another machine, driver or format version */
  LACUNA_RESOURCE_EXHAUSTED = 9, /**< over a limit: shared memory, registers, memory, grid */
  LACUNA_UNAVAILABLE = 10,       /**< the machine lacks it: no driver, no device, no assembler */
  LACUNA_INTERNAL = 11           /**< a bug of Lacuna */
} lacuna_status;

/** The name of a status, "InvalidArgument"; "unknown" for a number that is none. Never NULL. */
LACUNA_API const char *lacuna_status_name(lacuna_status status);

/** What the calling thread's last failed call has to say, with notes on lines of their own; "" before the first.
 *  Valid until the thread's next call that fails. Never NULL. */
LACUNA_API const char *lacuna_last_error(void);

/** The version of the library, "0.1.0". Never NULL. */
LACUNA_API const char *lacuna_version(void);

/*===- Tensors ---------------------------------------------------------------------------------------------===*/

/** A tensor: the layout of DLTensor. Where dlpack.h is included before this file it is that type; elsewhere a
 *  DLTensor * may be cast to it. strides are in elements; NULL is C order without gaps. Element types are kDLFloat
 *  of 16 and 32 bits, kDLBfloat of 16 and kDLInt of 32, one lane. Source: DLPack, dlpack.h
 *  (https://dmlc.github.io/dlpack). */
#if defined(DLPACK_VERSION) || defined(DLPACK_MAJOR_VERSION)
typedef DLTensor lacuna_tensor;
#else
typedef struct lacuna_device {
  int32_t device_type; /**< LACUNA_DEVICE_CPU or another of DLPack's numbers */
  int32_t device_id;   /**< which GPU */
} lacuna_device;

typedef struct lacuna_dtype {
  uint8_t code; /**< LACUNA_INT, LACUNA_FLOAT or LACUNA_BFLOAT */
  uint8_t bits;
  uint16_t lanes;
} lacuna_dtype;

typedef struct lacuna_tensor {
  void *data;
  lacuna_device device;
  int32_t ndim;
  lacuna_dtype dtype;
  int64_t *shape;
  int64_t *strides;
  uint64_t byte_offset; /**< of the first element behind data */
} lacuna_tensor;
#endif

/* DLPack's numbers. */
enum { LACUNA_DEVICE_CPU = 1, LACUNA_DEVICE_CUDA = 2, LACUNA_DEVICE_CUDA_HOST = 3, LACUNA_DEVICE_CUDA_MANAGED = 13 };
enum { LACUNA_INT = 0, LACUNA_FLOAT = 2, LACUNA_BFLOAT = 4 };

/** A block list (CSR): row r of list (b, h) is row R = (b * heads + h) * row_blocks + r; indices[indptr[R] ..
 *  split[R]) are its partial blocks, [split[R] .. indptr[R + 1]) its full ones, each part ascending. All three are
 *  int32 of rank 1 without gaps on the kernel's device. `batches` or `heads` of 1 is a list that all share. */
typedef struct lacuna_block_list {
  const lacuna_tensor *indptr;  /**< [batches * heads * row_blocks + 1] */
  const lacuna_tensor *split;   /**< [batches * heads * row_blocks] */
  const lacuna_tensor *indices; /**< [entries]; its data may be NULL where it has none */
  int64_t batches, heads, row_blocks;
} lacuna_block_list;

typedef enum lacuna_argument_kind {
  LACUNA_ARGUMENT_TENSOR = 0,
  LACUNA_ARGUMENT_BLOCK_LIST = 1,
  LACUNA_ARGUMENT_F32 = 2,
  LACUNA_ARGUMENT_I32 = 3
} lacuna_argument_kind;

/** One argument of a kernel. */
typedef struct lacuna_argument {
  lacuna_argument_kind kind;
  union {
    const lacuna_tensor *tensor;
    const lacuna_block_list *block_list;
    float f32;
    int32_t i32;
  } value;
} lacuna_argument;

static inline lacuna_argument lacuna_tensor_argument(const lacuna_tensor *tensor) {
  lacuna_argument argument;
  argument.kind = LACUNA_ARGUMENT_TENSOR;
  argument.value.tensor = tensor;
  return argument;
}
static inline lacuna_argument lacuna_block_list_argument(const lacuna_block_list *list) {
  lacuna_argument argument;
  argument.kind = LACUNA_ARGUMENT_BLOCK_LIST;
  argument.value.block_list = list;
  return argument;
}
static inline lacuna_argument lacuna_f32_argument(float value) {
  lacuna_argument argument;
  argument.kind = LACUNA_ARGUMENT_F32;
  argument.value.f32 = value;
  return argument;
}
static inline lacuna_argument lacuna_i32_argument(int32_t value) {
  lacuna_argument argument;
  argument.kind = LACUNA_ARGUMENT_I32;
  argument.value.i32 = value;
  return argument;
}

/*===- Kernels ---------------------------------------------------------------------------------------------===*/

/** The value of a param, or the body of a hook. */
typedef struct lacuna_setting {
  const char *name, *value;
} lacuna_setting;

/** A compiled and loaded kernel. */
typedef struct lacuna_kernel lacuna_kernel;

/** The kernel's name in its text; "" for NULL. */
LACUNA_API const char *lacuna_kernel_name(const lacuna_kernel *kernel);
/** How many arguments it takes; 0 for NULL. */
LACUNA_API size_t lacuna_kernel_num_arguments(const lacuna_kernel *kernel);
/** The name of argument `index`; NULL where there is none. */
LACUNA_API const char *lacuna_kernel_argument_name(const lacuna_kernel *kernel, size_t index);
/** What a launch has to know, one JSON object (lacuna/Runtime/LaunchMetadata.h); "" for NULL. */
LACUNA_API const char *lacuna_kernel_metadata(const lacuna_kernel *kernel);
/** Destroys it; NULL does nothing. What was prepared of it stays, and what was enqueued runs. */
LACUNA_API void lacuna_kernel_destroy(lacuna_kernel *kernel);

/** Compiled kernels in one file. */
typedef struct lacuna_bundle lacuna_bundle;

/** Reads a bundle and checks all of it. Errors: LACUNA_NOT_FOUND for a file that is not there; LACUNA_PARSE_ERROR for
 *  one that is no bundle or is damaged; LACUNA_INVALID_ARGUMENT for what is no regular file, or a NULL. */
LACUNA_API lacuna_status lacuna_bundle_open(const char *path, lacuna_bundle **out);
/** How many kernels it has; 0 for NULL. */
LACUNA_API size_t lacuna_bundle_size(const lacuna_bundle *bundle);
/** What kernel `index` is, "matmul (T = f16)"; NULL where there is none. */
LACUNA_API const char *lacuna_bundle_title(const lacuna_bundle *bundle, size_t index);
/** Loads the kernel that has all these params and exactly these hooks onto GPU `ordinal`. Errors: LACUNA_NOT_FOUND,
 *  with what there is; LACUNA_INVALID_ARGUMENT where several have them, for an ordinal that does not exist, or a NULL;
 *  LACUNA_UNAVAILABLE without a driver or GPU; LACUNA_INCOMPATIBLE for a GPU of another kind. */
LACUNA_API lacuna_status lacuna_bundle_load(const lacuna_bundle *bundle, int ordinal, const char *kernel,
                                            const lacuna_setting *params, size_t num_params,
                                            const lacuna_setting *hooks, size_t num_hooks, lacuna_kernel **out);
/** Destroys it; NULL does nothing. Its kernels stay. */
LACUNA_API void lacuna_bundle_destroy(lacuna_bundle *bundle);

/*===- Launches --------------------------------------------------------------------------------------------===*/

/** Checks every argument and launches. Errors: LACUNA_INVALID_ARGUMENT, by the argument's name, for a wrong number,
 *  kind, dtype, rank, size, stride, alignment or device, a NULL, an overflow or a size of zero (nothing was
 *  launched); LACUNA_UNSUPPORTED for a grid that is too large; LACUNA_RESOURCE_EXHAUSTED, LACUNA_INTERNAL as the
 *  driver says. A float32 scalar that is not above zero compiles a variant of the kernel, once: errors as
 *  lacuna_compile. */
LACUNA_API lacuna_status lacuna_launch(const lacuna_kernel *kernel, void *stream, const lacuna_argument *arguments,
                                       size_t num_arguments);

/** A launch that was checked once: arguments, and for a GPU the stream. */
typedef struct lacuna_prepared lacuna_prepared;

/** Does once what lacuna_launch does each time, and asks the driver whether the memory is the device's. Errors: as
 *  lacuna_launch. */
LACUNA_API lacuna_status lacuna_prepare(const lacuna_kernel *kernel, void *stream, const lacuna_argument *arguments,
                                        size_t num_arguments, lacuna_prepared **out);
/** Launches with what it holds, on its stream. Errors: as the driver says; LACUNA_INVALID_ARGUMENT for NULL. */
LACUNA_API lacuna_status lacuna_prepared_run(const lacuna_prepared *prepared);
/** Puts other memory in the place of tensor `index`: same dtype, shape, strides and device; `data` is the address of
 *  the first element. Errors: LACUNA_INVALID_ARGUMENT by name for an index that is no tensor, a NULL or an alignment
 *  that the kernel cannot use; nothing was changed. */
LACUNA_API lacuna_status lacuna_prepared_set_data(lacuna_prepared *prepared, size_t index, void *data);
/** Puts another list, of any number of entries, in the place of list `index`. Errors: likewise, and as
 *  lacuna_launch. */
LACUNA_API lacuna_status lacuna_prepared_set_block_list(lacuna_prepared *prepared, size_t index,
                                                        const lacuna_block_list *list);
/** Puts another value in the place of scalar `index`. Errors: likewise; a float32 that is not above zero where the
 *  prepared one was: prepare again. */
LACUNA_API lacuna_status lacuna_prepared_set_f32(lacuna_prepared *prepared, size_t index, float value);
LACUNA_API lacuna_status lacuna_prepared_set_i32(lacuna_prepared *prepared, size_t index, int32_t value);
/** Destroys it; NULL does nothing. What was enqueued runs. */
LACUNA_API void lacuna_prepared_destroy(lacuna_prepared *prepared);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* LACUNA_C_RUNTIME_H */
