// The opcodes of backend/elementwise.inc as the shaders have them.
#include "code.glsl"
#define POLARIS_OP(op, code, number, form, types, cpu) const uint code = number;
#define POLARIS_OP_AS(op, code, form, types, cpu)
#define POLARIS_FORM(code, number, form, types, cpu) const uint code = number;
#include "backend/elementwise.inc"
