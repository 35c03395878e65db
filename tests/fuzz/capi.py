"""libpolaris.so through ctypes: as much of the C ABI as running a model takes."""
import ctypes as c

import ml_dtypes
import numpy as np

DTYPES = {0: np.float32, 1: np.float16, 3: np.float64, 4: np.int8, 5: np.uint8, 6: np.int16,
          7: np.uint16, 8: np.int32, 9: np.uint32, 10: np.int64, 11: np.uint64, 12: np.bool_,
          2: ml_dtypes.bfloat16, 13: ml_dtypes.float8_e4m3fn, 14: ml_dtypes.float8_e4m3fnuz,
          15: ml_dtypes.float8_e5m2, 16: ml_dtypes.float8_e5m2fnuz, 17: ml_dtypes.float8_e8m0fnu,
          18: ml_dtypes.float4_e2m1fn, 19: ml_dtypes.int4, 20: ml_dtypes.uint4, 21: ml_dtypes.int2,
          22: ml_dtypes.uint2}
# Bits of an element where several share a byte, the first in its low bits; NumPy gives each a byte.
PACKED = {18: 4, 19: 4, 20: 4, 21: 2, 22: 2}
NUMBERS = {np.dtype(t): n for n, t in DTYPES.items()}


def pack(array, bits):
    codes = np.frombuffer(array.tobytes(), np.uint8) & (1 << bits) - 1
    shared = 8 // bits
    codes = np.pad(codes, (0, -len(codes) % shared)).reshape(-1, shared)
    return (codes << np.arange(shared) * bits).sum(1).astype(np.uint8).tobytes()


def unpack(raw, bits, count):
    codes = np.frombuffer(raw, np.uint8)[:, None] >> np.arange(8 // bits) * bits
    return (codes & (1 << bits) - 1).astype(np.uint8).reshape(-1)[:count].tobytes()


class Type(c.Structure):
    _fields_ = [("dtype", c.c_int), ("rank", c.c_int32), ("dims", c.c_int64 * 8)]


class RuntimeOptions(c.Structure):
    _fields_ = [("size", c.c_size_t), ("devices", c.c_char_p), ("threads", c.c_int32)]


class Failed(Exception):
    """What the library refused, in its words."""


class Library:
    def __init__(self, path):
        self.so = c.CDLL(path)
        for name in ("error_message", "program_input", "program_output"):
            getattr(self.so, "polaris_" + name).restype = c.c_char_p
        for name in ("program_input_count", "program_output_count"):
            getattr(self.so, "polaris_" + name).restype = c.c_size_t
        self.so.polaris_tensor_bytes.restype = c.c_void_p
        for name in ("runtime_create", "program_load", "tensor_create", "session_create",
                     "session_run"):
            getattr(self.so, "polaris_" + name).restype = c.c_void_p

    def check(self, error):
        if error:
            text = self.so.polaris_error_message(c.c_void_p(error)).decode()
            self.so.polaris_error_free(c.c_void_p(error))
            raise Failed(text)


class Runtime:
    def __init__(self, library, devices, threads=1):
        self.library = library
        self.handle = c.c_void_p()
        options = RuntimeOptions(c.sizeof(RuntimeOptions), devices.encode(), threads)
        library.check(library.so.polaris_runtime_create(c.byref(options), c.byref(self.handle)))


class Model:
    """A program with one session."""

    def __init__(self, runtime, path):
        self.library, so = runtime.library, runtime.library.so
        self.program, self.session = c.c_void_p(), c.c_void_p()
        self.library.check(so.polaris_program_load(runtime.handle, path.encode(), None,
                                                   c.byref(self.program)))
        try:
            self.library.check(so.polaris_session_create(self.program, c.byref(self.session)))
        except Failed:
            self.close()
            raise
        self.inputs = [so.polaris_program_input(self.program, c.c_size_t(i), None).decode()
                       for i in range(so.polaris_program_input_count(self.program))]
        self.output_count = so.polaris_program_output_count(self.program)

    def close(self):
        self.library.so.polaris_session_free(self.session)
        self.library.so.polaris_program_free(self.program)

    def run(self, feed):
        so = self.library.so
        given = [self.to_tensor(feed[name]) for name in self.inputs]
        inputs = (c.c_void_p * max(1, len(given)))(*given)
        outputs = (c.c_void_p * self.output_count)()
        try:
            self.library.check(so.polaris_session_run(
                self.session, inputs, c.c_size_t(len(given)), outputs,
                c.c_size_t(self.output_count)))
            return [self.to_array(out) for out in outputs]
        finally:
            for tensor in given + list(outputs):
                so.polaris_tensor_free(c.c_void_p(tensor))

    def to_tensor(self, array):
        array = np.ascontiguousarray(array).reshape(np.shape(array))
        kind = Type(NUMBERS[array.dtype], array.ndim)
        for i, dim in enumerate(array.shape):
            kind.dims[i] = dim
        out = c.c_void_p()
        packed = PACKED.get(kind.dtype)
        data = pack(array, packed) if packed else array.tobytes()
        self.library.check(self.library.so.polaris_tensor_create(
            c.byref(kind), data, c.c_size_t(len(data)), c.byref(out)))
        return out.value

    def to_array(self, tensor):
        kind, size = Type(), c.c_size_t()
        so = self.library.so
        so.polaris_tensor_type(c.c_void_p(tensor), c.byref(kind))
        data = so.polaris_tensor_bytes(c.c_void_p(tensor), c.byref(size))
        raw = c.string_at(data, size.value) if size.value else b""
        if kind.dtype in PACKED:
            count = int(np.prod(kind.dims[:kind.rank], dtype=np.int64))
            raw = unpack(raw, PACKED[kind.dtype], count)
        return np.frombuffer(raw, DTYPES[kind.dtype]).reshape(kind.dims[:kind.rank])
