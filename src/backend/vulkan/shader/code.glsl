// Read by GLSL and by C++ (opcode.h), so that there is one list.
// Element types of storage.
const uint kTypeF32 = 0u;
const uint kTypeF16 = 1u;
const uint kTypeBF16 = 2u;
const uint kTypeI8 = 3u;
const uint kTypeU8 = 4u;
const uint kTypeI16 = 5u;
const uint kTypeU16 = 6u;
const uint kTypeI32 = 7u;
const uint kTypeU32 = 8u;
const uint kTypeI64 = 9u;
const uint kTypeU64 = 10u;
const uint kTypeBool = 11u;

// How an operand is addressed: by the output's index, one element, or strides per dim.
const uint kModeSame = 0u;
const uint kModeScalar = 1u;
const uint kModeStrided = 2u;
