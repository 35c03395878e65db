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
/* Enums are ints in C++ too, where a number that is none of theirs is otherwise undefined. */
#ifdef __cplusplus
#define POLARIS_INT : int
#else
#define POLARIS_INT
#endif

/* ---- errors ---- */

typedef enum polaris_code POLARIS_INT {
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

typedef enum polaris_dtype POLARIS_INT {
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
  POLARIS_BOOL = 12,
  POLARIS_F8E4M3FN = 13,
  POLARIS_F8E4M3FNUZ = 14,
  POLARIS_F8E5M2 = 15,
  POLARIS_F8E5M2FNUZ = 16,
  POLARIS_F8E8M0 = 17,
  /* Packed: the first element in the low bits of the first byte, the last byte padded with zeros.
   */
  POLARIS_F4E2M1 = 18,
  POLARIS_I4 = 19,
  POLARIS_U4 = 20,
  POLARIS_I2 = 21,
  POLARIS_U2 = 22,
  POLARIS_STRING = 23 /* see "strings, sequences and optionals" */
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

/* ---- strings, sequences and optionals ---- */

/* What a value is. All of them are held by polaris_tensor handles and given to and taken from runs
 * as tensors are. A sequence holds tensors of one dtype; an optional holds one value or nothing.
 * The type of such a value is that of the tensors in it: a dim that is not the same in all of them
 * is -1, and where their ranks differ the rank is POLARIS_RANK_MAX and every dim is -1. */
typedef enum polaris_kind POLARIS_INT {
  POLARIS_TENSOR = 0,
  POLARIS_SEQUENCE = 1,
  POLARIS_OPTIONAL = 2,         /* of a tensor */
  POLARIS_OPTIONAL_SEQUENCE = 3 /* of a sequence */
} polaris_kind;
POLARIS_EXPORT polaris_kind polaris_tensor_kind(const polaris_tensor* tensor);
/* A tensor of strings, row-major; their lengths are in bytes, null where each ends with a NUL. They
 * are copied. polaris_tensor_create makes tensors of empty strings alone. Errors: invalid (a rank
 * or a dim that cannot be, a null string), out_of_memory. */
POLARIS_EXPORT polaris_error* polaris_strings_create(int32_t rank, const int64_t* dims,
                                                     const char* const* strings,
                                                     const size_t* lengths, polaris_tensor** out);
/* A string and its length; no NUL follows it. Null where there is no such string. It lives as long
 * as the tensor; polaris_tensor_bytes hands out no bytes of strings, sequences and optionals. */
POLARIS_EXPORT const char* polaris_tensor_string(const polaris_tensor* tensor, size_t index,
                                                 size_t* length);
/* The items are shared: they may be freed at once. Errors: invalid (an item of another dtype, or
 * that is no tensor), exhausted (too many). */
POLARIS_EXPORT polaris_error* polaris_sequence_create(polaris_dtype dtype,
                                                      const polaris_tensor* const* items,
                                                      size_t item_count, polaris_tensor** out);
/* `of`: POLARIS_TENSOR or POLARIS_SEQUENCE; a null value is nothing. Errors as above. */
POLARIS_EXPORT polaris_error* polaris_optional_create(polaris_kind of, polaris_dtype dtype,
                                                      const polaris_tensor* value,
                                                      polaris_tensor** out);
/* Items of a sequence; 1 or 0 for an optional; 0 for a tensor. */
POLARIS_EXPORT size_t polaris_tensor_item_count(const polaris_tensor* tensor);
/* An item as a new handle. Errors: not_found. */
POLARIS_EXPORT polaris_error* polaris_tensor_item(const polaris_tensor* tensor, size_t index,
                                                  polaris_tensor** out);

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
/* The same for several functions, or for all of them where `function_count` is 0. They share their
 * weights and their states. */
POLARIS_EXPORT polaris_error* polaris_program_load_functions(polaris_runtime* runtime,
                                                             const char* path,
                                                             const char* const* functions,
                                                             size_t function_count,
                                                             polaris_program** out);
/* The same from a model in text form, all its functions (docs/passes.md has the grammar). */
POLARIS_EXPORT polaris_error* polaris_program_parse(polaris_runtime* runtime, const char* text,
                                                    polaris_program** out);
POLARIS_EXPORT void polaris_program_free(polaris_program* program);

/* What a program has. Programs do not change: all of this may be called by several threads at once.
 * Names live as long as the program; null and untouched results where there is no such index.
 *
 * `function` is the name of a function; null is the one that the short forms run: "main", or the
 * first where there is none. Functions are sorted by name. Counts of a function that is not there
 * are 0. */
POLARIS_EXPORT size_t polaris_program_function_count(const polaris_program* program);
POLARIS_EXPORT const char* polaris_program_function(const polaris_program* program, size_t index);
POLARIS_EXPORT size_t polaris_function_input_count(const polaris_program* program,
                                                   const char* function);
POLARIS_EXPORT size_t polaris_function_output_count(const polaris_program* program,
                                                    const char* function);
POLARIS_EXPORT const char* polaris_function_input(const polaris_program* program,
                                                  const char* function, size_t index,
                                                  polaris_type* type);
POLARIS_EXPORT const char* polaris_function_output(const polaris_program* program,
                                                   const char* function, size_t index,
                                                   polaris_type* type);
/* What an input or output is; POLARIS_TENSOR where there is no such index. */
POLARIS_EXPORT polaris_kind polaris_function_input_kind(const polaris_program* program,
                                                        const char* function, size_t index);
POLARIS_EXPORT polaris_kind polaris_function_output_kind(const polaris_program* program,
                                                         const char* function, size_t index);
/* The short form, of the function null. */
POLARIS_EXPORT size_t polaris_program_input_count(const polaris_program* program);
POLARIS_EXPORT size_t polaris_program_output_count(const polaris_program* program);
POLARIS_EXPORT const char* polaris_program_input(const polaris_program* program, size_t index,
                                                 polaris_type* type);
POLARIS_EXPORT const char* polaris_program_output(const polaris_program* program, size_t index,
                                                  polaris_type* type);

/* What a dim that is not fixed may be. Dims of one name have one size in a run, whatever their
 * kind; a run that breaks any of this is refused, naming the dim. */
typedef enum polaris_dim_kind POLARIS_INT {
  POLARIS_DIM_FREE = 0,     /* any size */
  POLARIS_DIM_BUCKETED = 1, /* 1, 2, 4 ... below the bound, or the bound: the caller pads */
  POLARIS_DIM_BOUNDED = 2   /* at most the bound */
} polaris_dim_kind;
/* The name of dim `axis` of an input; null where it is fixed or has no name. `kind` and `bound` may
 * be null. */
POLARIS_EXPORT const char* polaris_function_input_dim(const polaris_program* program,
                                                      const char* function, size_t index,
                                                      int32_t axis, polaris_dim_kind* kind,
                                                      int64_t* bound);
/* The states of all functions, each once. */
POLARIS_EXPORT size_t polaris_program_state_count(const polaris_program* program);
POLARIS_EXPORT const char* polaris_program_state(const polaris_program* program, size_t index,
                                                 polaris_type* type);

/* The ops that the function null runs, in order, separated by spaces: at most `capacity` bytes, NUL
 * included, are written. Returns the bytes that all of it needs, NUL included. */
POLARIS_EXPORT size_t polaris_program_ops(const polaris_program* program, char* out,
                                          size_t capacity);

/* A program's states, at their first values, and what runs it. A session may be used by several
 * threads at once. Runs that read or change what outlives them (states, kept values) go one at a
 * time, in the order in which they were begun; others may run at once. */
typedef struct polaris_session polaris_session;
POLARIS_EXPORT polaris_error* polaris_session_create(polaris_program* program,
                                                     polaris_session** out);
/* Cancels the tickets that are not done, and waits for those under way. */
POLARIS_EXPORT void polaris_session_free(polaris_session* session);
/* The short form: the function null. `inputs` in the program's order; `outputs` receives
 * polaris_program_output_count new tensors. */
POLARIS_EXPORT polaris_error* polaris_session_run(polaris_session* session,
                                                  const polaris_tensor* const* inputs,
                                                  size_t input_count, polaris_tensor** outputs,
                                                  size_t output_count);

/* Where a run's inputs come from and its outputs go, by the names of one function. Strings are
 * copied, tensors are shared: both may be freed at once. May be used for many runs. Names that are
 * not the function's, and what does not fit, are errors of the run. */
typedef struct polaris_bindings polaris_bindings;
POLARIS_EXPORT polaris_error* polaris_bindings_create(polaris_bindings** out);
POLARIS_EXPORT void polaris_bindings_free(polaris_bindings* bindings);
POLARIS_EXPORT polaris_error* polaris_bindings_input(polaris_bindings* bindings, const char* input,
                                                     const polaris_tensor* tensor);
/* What an earlier run of the session kept under the name `kept`: it does not cross to the host. */
POLARIS_EXPORT polaris_error* polaris_bindings_input_kept(polaris_bindings* bindings,
                                                          const char* input, const char* kept);
/* What the state holds before the run. */
POLARIS_EXPORT polaris_error* polaris_bindings_input_state(polaris_bindings* bindings,
                                                           const char* input, const char* state);
/* The output is brought to the host. Outputs that no call names are not brought anywhere. */
POLARIS_EXPORT polaris_error* polaris_bindings_output(polaris_bindings* bindings,
                                                      const char* output);
/* The output stays on its device under the name `kept`, in place of what had the name. */
POLARIS_EXPORT polaris_error* polaris_bindings_output_kept(polaris_bindings* bindings,
                                                           const char* output, const char* kept);
/* The state holds the output after the run. */
POLARIS_EXPORT polaris_error* polaris_bindings_output_state(polaris_bindings* bindings,
                                                            const char* output, const char* state);
/* Outputs that are brought to the host: calls of polaris_bindings_output so far. */
POLARIS_EXPORT size_t polaris_bindings_output_count(const polaris_bindings* bindings);

/* Runs a function. `outputs` receives polaris_bindings_output_count new tensors, in the order in
 * which they were asked for. */
POLARIS_EXPORT polaris_error* polaris_session_run_function(polaris_session* session,
                                                           const char* function,
                                                           const polaris_bindings* bindings,
                                                           polaris_tensor** outputs,
                                                           size_t output_count);

/* A run on another thread, under way or done. It owns what it needs: bindings and session may be
 * freed before it, and the latter's end cancels it. */
typedef struct polaris_ticket polaris_ticket;
POLARIS_EXPORT polaris_error* polaris_session_submit(polaris_session* session, const char* function,
                                                     const polaris_bindings* bindings,
                                                     polaris_ticket** out);
/* Blocks until the run is over; its outputs as of polaris_session_run_function. Once. Errors: those
 * of the run; cancelled. */
POLARIS_EXPORT polaris_error* polaris_ticket_wait(polaris_ticket* ticket, polaris_tensor** outputs,
                                                  size_t output_count);
/* These may be called while another thread waits. */
POLARIS_EXPORT int polaris_ticket_done(const polaris_ticket* ticket);
POLARIS_EXPORT void polaris_ticket_cancel(polaris_ticket* ticket);
/* Cancels a run that is not done and does not wait for it. */
POLARIS_EXPORT void polaris_ticket_free(polaris_ticket* ticket);

/* A kept value brought to the host as a new tensor. */
POLARIS_EXPORT polaris_error* polaris_session_read_kept(polaris_session* session, const char* kept,
                                                        polaris_tensor** out);
/* Frees a kept value; 0 where there is none of that name. */
POLARIS_EXPORT int polaris_session_drop_kept(polaris_session* session, const char* kept);
/* States that are not paged, by name, after the runs begun before. */
POLARIS_EXPORT polaris_error* polaris_session_read_state(polaris_session* session,
                                                         const char* state, polaris_tensor** out);
POLARIS_EXPORT polaris_error* polaris_session_write_state(polaris_session* session,
                                                          const char* state,
                                                          const polaris_tensor* tensor);
/* Back to its first value; null: all of them. */
POLARIS_EXPORT polaris_error* polaris_session_reset(polaris_session* session, const char* state);

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
