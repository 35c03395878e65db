/* PolarisRT's stable C ABI: for bindings (run models) and for plugins (add operators and passes).
 *
 * Rules. Structs that callers fill begin with `size` (sizeof the struct as the caller knows it), so
 * that fields can be added at their end, behind the whole of the older struct. What an older caller
 * does not know keeps its default; a newer caller is served as long as every field that this
 * library does not know is zero, and refused as unsupported otherwise. So zero a struct before
 * filling it. Structs without `size` never change. Every function that can fail returns null on
 * success or an error to be freed with polaris_error_free. Handles are freed with the function
 * named after them; null may be freed. Strings are UTF-8 and end with a NUL. Functions are
 * thread-safe on different handles; what may be shared between threads says so. */
#ifndef POLARIS_C_H
#define POLARIS_C_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define POLARIS_ABI_VERSION 1
#define POLARIS_RANK_MAX 8

#if defined(__GNUC__)
#define POLARIS_EXPORT __attribute__((visibility("default")))
#else
#define POLARIS_EXPORT
#endif

/* ---- errors ---- */

typedef enum polaris_code {
  POLARIS_INVALID = 0,
  POLARIS_UNSUPPORTED = 1,
  POLARIS_NOT_FOUND = 2,
  POLARIS_IO = 3,
  POLARIS_OUT_OF_MEMORY = 4,
  POLARIS_EXHAUSTED = 5,
  POLARIS_CANCELLED = 6,
  POLARIS_DEVICE = 7,
  POLARIS_INTERNAL = 8
} polaris_code;

typedef struct polaris_error polaris_error;
POLARIS_EXPORT polaris_code polaris_error_code(const polaris_error* error);
POLARIS_EXPORT const char* polaris_error_message(const polaris_error* error);
POLARIS_EXPORT void polaris_error_free(polaris_error* error);

/* "0.1.0" */
POLARIS_EXPORT const char* polaris_version(void);

/* ---- tensors ---- */

typedef enum polaris_dtype {
  POLARIS_F32 = 0,
  POLARIS_F16 = 1,
  POLARIS_BF16 = 2,
  POLARIS_F64 = 3,
  POLARIS_I8 = 4,
  POLARIS_U8 = 5,
  POLARIS_I16 = 6,
  POLARIS_U16 = 7,
  POLARIS_I32 = 8,
  POLARIS_U32 = 9,
  POLARIS_I64 = 10,
  POLARIS_U64 = 11,
  POLARIS_BOOL = 12
} polaris_dtype;

/* A type: dims[0, rank), row-major. Where a type describes a model, a dim that is not fixed is -1.
 */
typedef struct polaris_type {
  polaris_dtype dtype;
  int32_t rank;
  int64_t dims[POLARIS_RANK_MAX];
} polaris_type;

typedef struct polaris_tensor polaris_tensor;
/* A tensor with a copy of `bytes` (null: zeros). Errors: invalid (a dim below 0, a rank above
 * POLARIS_RANK_MAX, a byte count that is not the type's), out_of_memory. */
POLARIS_EXPORT polaris_error* polaris_tensor_create(const polaris_type* type, const void* bytes,
                                                    size_t byte_count, polaris_tensor** out);
POLARIS_EXPORT void polaris_tensor_type(const polaris_tensor* tensor, polaris_type* out);
POLARIS_EXPORT const void* polaris_tensor_bytes(const polaris_tensor* tensor, size_t* byte_count);
POLARIS_EXPORT void polaris_tensor_free(polaris_tensor* tensor);

/* ---- running models ---- */

typedef struct polaris_runtime polaris_runtime;
typedef struct polaris_runtime_options {
  size_t size;
  const char* devices; /* as --device: "auto", "cpu", "vulkan:0,cpu"; null: "auto" */
  int32_t threads;     /* of the cpu device; 0: one per core */
} polaris_runtime_options;
/* Null options: the defaults. Freed runtimes live on until the last program made with them. */
POLARIS_EXPORT polaris_error* polaris_runtime_create(const polaris_runtime_options* options,
                                                     polaris_runtime** out);
POLARIS_EXPORT void polaris_runtime_free(polaris_runtime* runtime);
/* Loads a plugin: its ops and passes are known to programs compiled afterwards. */
POLARIS_EXPORT polaris_error* polaris_runtime_load_plugin(polaris_runtime* runtime,
                                                          const char* path);

typedef struct polaris_program polaris_program;
/* Loads a model file and compiles one of its functions (null: the only one, or "main"). */
POLARIS_EXPORT polaris_error* polaris_program_load(polaris_runtime* runtime, const char* path,
                                                   const char* function, polaris_program** out);
/* The same from a graph in text form (docs/passes.md has the grammar). */
POLARIS_EXPORT polaris_error* polaris_program_parse(polaris_runtime* runtime, const char* text,
                                                    polaris_program** out);
POLARIS_EXPORT void polaris_program_free(polaris_program* program);
POLARIS_EXPORT size_t polaris_program_input_count(const polaris_program* program);
POLARIS_EXPORT size_t polaris_program_output_count(const polaris_program* program);
/* Names live as long as the program; null and untouched `type` where there is no such index. */
POLARIS_EXPORT const char* polaris_program_input(const polaris_program* program, size_t index,
                                                 polaris_type* type);
POLARIS_EXPORT const char* polaris_program_output(const polaris_program* program, size_t index,
                                                  polaris_type* type);

/* The ops that the compiled program runs, in order, separated by spaces: at most `capacity` bytes,
 * NUL included, are written. Returns the bytes that all of it needs, NUL included. */
POLARIS_EXPORT size_t polaris_program_ops(const polaris_program* program, char* out,
                                          size_t capacity);

typedef struct polaris_session polaris_session;
/* A program's states (zero at first) and what runs it. */
POLARIS_EXPORT polaris_error* polaris_session_create(polaris_program* program,
                                                     polaris_session** out);
/* `inputs` in the program's order; `outputs` receives polaris_program_output_count new tensors. */
POLARIS_EXPORT polaris_error* polaris_session_run(polaris_session* session,
                                                  const polaris_tensor* const* inputs,
                                                  size_t input_count, polaris_tensor** outputs,
                                                  size_t output_count);
POLARIS_EXPORT void polaris_session_free(polaris_session* session);

/* ---- plugins ---- */

/* A plugin is a shared library that exports polaris_plugin_init. It calls the host through the
 * table it is given, so it links against nothing of ours. */

/* A node as an operator's functions see it; valid during the call only. */
typedef struct polaris_node polaris_node;
typedef struct polaris_plugin polaris_plugin;

typedef struct polaris_op {
  size_t size;
  const char* name;
  const char* domain; /* not "" and not "polaris" */
  const char* doc;
  int32_t input_count;
  int32_t output_count;
  void* user; /* handed to the functions */
  /* Both return null, or a message that lives until the next call on the same thread. infer sets
   * every output's type; compute writes every output byte. Both may be called by several threads
   * at once. */
  const char* (*infer)(polaris_node* node, void* user);
  const char* (*compute)(polaris_node* node, void* user);
} polaris_op;

typedef struct polaris_host {
  size_t size;
  int32_t abi_version;
  /* Registration, during polaris_plugin_init only. Strings are copied. Null, or a message that
   * lives until the next call. A pass is text, `pattern { ... } => { ... }` (docs/passes.md); it
   * may name the plugin's own ops, and runs before the built-in passes until nothing changes. */
  const char* (*add_op)(polaris_plugin* plugin, const polaris_op* op);
  const char* (*add_pass)(polaris_plugin* plugin, const char* name, const char* text);
  /* Types: 0 where the operand is absent. In infer a dim that is not known yet is -1. */
  int (*input_type)(const polaris_node* node, int32_t index, polaris_type* type);
  int (*output_type)(const polaris_node* node, int32_t index, polaris_type* type);
  void (*set_output_type)(polaris_node* node, int32_t index, const polaris_type* type);
  /* Row-major bytes of an operand; null in infer and where absent. */
  const void* (*input_bytes)(const polaris_node* node, int32_t index);
  void* (*output_bytes)(polaris_node* node, int32_t index);
  /* Attributes: 1 and the value where there is one of that name and kind, else 0 or null. */
  int (*attr_i64)(const polaris_node* node, const char* name, int64_t* out);
  int (*attr_f32)(const polaris_node* node, const char* name, float* out);
  const char* (*attr_text)(const polaris_node* node, const char* name);
} polaris_host;

/* Whether a host has an entry: hosts older than the plugin's header end earlier. */
#define POLARIS_HOST_HAS(host, entry) \
  ((host)->size >= offsetof(polaris_host, entry) + sizeof((host)->entry))

/* `const char* polaris_plugin_init(const polaris_host* host, polaris_plugin* plugin)`: called once;
 * null, or why the plugin cannot work here. `host` lives as long as the process. */
typedef const char* (*polaris_plugin_init_fn)(const polaris_host* host, polaris_plugin* plugin);

#ifdef __cplusplus
}
#endif

#endif
