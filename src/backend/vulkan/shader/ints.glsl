// One integer type for all of them: 32 bits, or 64 where DOMAIN_INT64 is defined. Included after
// elements.glsl, whose LOAD_BITS gives from_bits its bits.
#ifdef DOMAIN_INT64
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#define VALUE int64_t
#define UVALUE uint64_t
const uint kValueBits = 64u;
VALUE from_bits(uint type, uvec2 bits) {
  if (type == kTypeI64 || type == kTypeU64) return VALUE(packUint2x32(bits));
  return type == kTypeU32 ? VALUE(bits.x) : VALUE(int(bits.x));
}
uvec2 to_bits(VALUE v) { return unpackUint2x32(UVALUE(v)); }
#else
#define VALUE int
#define UVALUE uint
const uint kValueBits = 32u;
VALUE from_bits(uint type, uvec2 bits) { return int(bits.x); }
uvec2 to_bits(VALUE v) { return uvec2(uint(v), 0u); }
#endif

// Narrower types are nonnegative once widened, so that only the widest need other comparisons.
#define WIDE_UNSIGNED(TYPE) (TYPE == kTypeU32 || TYPE == kTypeU64)
