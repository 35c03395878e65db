#pragma once
// One vector of float32 and its operations in the instruction set that this file is compiled for.
// Everything here has internal linkage: the linker must never hand a function compiled for AVX to a
// file that runs on any host. Included by the *_sse2.cc, *_avx2.cc and *_avx512.cc files only.
#include <immintrin.h>

#include <cstdint>
#include <cstring>

#if defined(__GNUC__) && !defined(__clang__)
// g++ 12 takes the "undefined" operand inside its own AVX-512 intrinsics for a mistake.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

namespace polaris::cpu {
namespace {

#if defined(__AVX512F__)

constexpr int kWidth = 16;
using V = __m512;
using VI = __m512i;
using M = __mmask16;
inline V vset(float s) { return _mm512_set1_ps(s); }
inline V vload(const float* p) { return _mm512_loadu_ps(p); }
inline void vstore(float* p, V v) { _mm512_storeu_ps(p, v); }
inline M first(std::int64_t n) { return static_cast<M>((1u << n) - 1u); }
inline V vload_n(const float* p, std::int64_t n) { return _mm512_maskz_loadu_ps(first(n), p); }
inline void vstore_n(float* p, V v, std::int64_t n) { _mm512_mask_storeu_ps(p, first(n), v); }
inline V vfma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
inline V vmin(V a, V b) { return _mm512_min_ps(a, b); }
inline V vmax(V a, V b) { return _mm512_max_ps(a, b); }
inline V vsqrt(V a) { return _mm512_sqrt_ps(a); }
inline VI vbits(V a) { return _mm512_castps_si512(a); }
inline V vfloat_of(VI a) { return _mm512_castsi512_ps(a); }
inline VI viset(int s) { return _mm512_set1_epi32(s); }
inline VI viload(const void* p) { return _mm512_loadu_si512(p); }
inline void vistore(void* p, VI v) { _mm512_storeu_si512(p, v); }
/// Sums of two products of neighbouring int16.
inline VI vimadd(VI a, VI b) { return _mm512_madd_epi16(a, b); }
inline VI viadd(VI a, VI b) { return _mm512_add_epi32(a, b); }
inline VI visub(VI a, VI b) { return _mm512_sub_epi32(a, b); }
inline VI viand(VI a, VI b) { return _mm512_and_si512(a, b); }
inline VI vior(VI a, VI b) { return _mm512_or_si512(a, b); }
inline VI vixor(VI a, VI b) { return _mm512_xor_si512(a, b); }
template <int N>
inline VI vishl(VI a) {
  return _mm512_slli_epi32(a, N);
}
template <int N>
inline VI visar(VI a) {
  return _mm512_srai_epi32(a, N);
}
inline VI vround_int(V a) { return _mm512_cvtps_epi32(a); }
inline V vconvert(VI a) { return _mm512_cvtepi32_ps(a); }
inline M vlt(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
inline M vnan(V a) { return _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q); }
inline bool vany(M m) { return m != 0; }
inline V vsel(M m, V a, V b) { return _mm512_mask_blend_ps(m, b, a); }
inline V vround(V a) {
  return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
inline V vfloor(V a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
inline V vceil(V a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
inline V vload_f16(const std::uint16_t* p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline void vstore_f16(std::uint16_t* p, V v) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}
inline VI vload_u16(const std::uint16_t* p) {
  return _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline VI vload_u8(const std::uint8_t* p) {
  return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline VI vload_i8(const std::int8_t* p) {
  return _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
/// Lanes within int16, as words.
inline void vistore_i16(std::uint16_t* p, VI v) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(v));
}
/// Lanes within int8, as bytes.
inline void vistore_i8(std::int8_t* p, VI v) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(v));
}
inline __m256 half_sum(V a) {
  return _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
}
inline __m256 half_max(V a) {
  return _mm256_max_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
}
inline __m128 quarter_sum(V a) {
  const __m256 h = half_sum(a);
  return _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
}
inline __m128 quarter_max(V a) {
  const __m256 h = half_max(a);
  return _mm_max_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
}

#elif defined(__AVX2__)

constexpr int kWidth = 8;
using V = __m256;
using VI = __m256i;
using M = __m256;
inline V vset(float s) { return _mm256_set1_ps(s); }
inline V vload(const float* p) { return _mm256_loadu_ps(p); }
inline void vstore(float* p, V v) { _mm256_storeu_ps(p, v); }
inline VI first(std::int64_t n) {
  static constexpr std::int32_t kLanes[2 * kWidth] = {-1, -1, -1, -1, -1, -1, -1, -1};
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kLanes + kWidth - n));
}
inline V vload_n(const float* p, std::int64_t n) { return _mm256_maskload_ps(p, first(n)); }
/// In parts: stores under a mask are slow on some processors.
inline void vstore_n(float* p, V v, std::int64_t n) {
  if (n >= kWidth) return vstore(p, v);
  __m128 part = _mm256_castps256_ps128(v);
  if (n >= 4) {
    _mm_storeu_ps(p, part);
    part = _mm256_extractf128_ps(v, 1);
    p += 4;
    n -= 4;
  }
  if (n >= 2) {
    _mm_storel_pi(reinterpret_cast<__m64*>(p), part);
    part = _mm_movehl_ps(part, part);
    p += 2;
    n -= 2;
  }
  if (n >= 1) _mm_store_ss(p, part);
}
inline V vfma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
inline V vmin(V a, V b) { return _mm256_min_ps(a, b); }
inline V vmax(V a, V b) { return _mm256_max_ps(a, b); }
inline V vsqrt(V a) { return _mm256_sqrt_ps(a); }
inline VI vbits(V a) { return _mm256_castps_si256(a); }
inline V vfloat_of(VI a) { return _mm256_castsi256_ps(a); }
inline VI viset(int s) { return _mm256_set1_epi32(s); }
inline VI viload(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
inline void vistore(void* p, VI v) { _mm256_storeu_si256(static_cast<__m256i*>(p), v); }
/// Sums of two products of neighbouring int16.
inline VI vimadd(VI a, VI b) { return _mm256_madd_epi16(a, b); }
inline VI viadd(VI a, VI b) { return _mm256_add_epi32(a, b); }
inline VI visub(VI a, VI b) { return _mm256_sub_epi32(a, b); }
inline VI viand(VI a, VI b) { return _mm256_and_si256(a, b); }
inline VI vior(VI a, VI b) { return _mm256_or_si256(a, b); }
inline VI vixor(VI a, VI b) { return _mm256_xor_si256(a, b); }
template <int N>
inline VI vishl(VI a) {
  return _mm256_slli_epi32(a, N);
}
template <int N>
inline VI visar(VI a) {
  return _mm256_srai_epi32(a, N);
}
inline VI vround_int(V a) { return _mm256_cvtps_epi32(a); }
inline V vconvert(VI a) { return _mm256_cvtepi32_ps(a); }
inline M vlt(V a, V b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
inline M vnan(V a) { return _mm256_cmp_ps(a, a, _CMP_UNORD_Q); }
inline bool vany(M m) { return _mm256_movemask_ps(m) != 0; }
inline V vsel(M m, V a, V b) { return _mm256_blendv_ps(b, a, m); }
inline V vround(V a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline V vfloor(V a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
inline V vceil(V a) { return _mm256_round_ps(a, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
inline V vload_f16(const std::uint16_t* p) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline void vstore_f16(std::uint16_t* p, V v) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}
inline VI vload_u16(const std::uint16_t* p) {
  return _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline VI vload_u8(const std::uint8_t* p) {
  return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
}
inline VI vload_i8(const std::int8_t* p) {
  return _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
}
/// Lanes within int16, as words.
inline void vistore_i16(std::uint16_t* p, VI v) {
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), words);
}
/// Lanes within int8, as bytes.
inline void vistore_i8(std::int8_t* p, VI v) {
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi16(words, words));
}
inline __m128 quarter_sum(V a) {
  return _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
}
inline __m128 quarter_max(V a) {
  return _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
}

#else

constexpr int kWidth = 4;
using V = __m128;
using VI = __m128i;
using M = __m128;
inline V vset(float s) { return _mm_set1_ps(s); }
inline V vload(const float* p) { return _mm_loadu_ps(p); }
inline void vstore(float* p, V v) { _mm_storeu_ps(p, v); }
inline V vfma(V a, V b, V c) { return _mm_add_ps(_mm_mul_ps(a, b), c); }
inline V vmin(V a, V b) { return _mm_min_ps(a, b); }
inline V vmax(V a, V b) { return _mm_max_ps(a, b); }
inline V vsqrt(V a) { return _mm_sqrt_ps(a); }
inline VI vbits(V a) { return _mm_castps_si128(a); }
inline V vfloat_of(VI a) { return _mm_castsi128_ps(a); }
inline VI viset(int s) { return _mm_set1_epi32(s); }
inline VI viload(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
inline void vistore(void* p, VI v) { _mm_storeu_si128(static_cast<__m128i*>(p), v); }
/// Sums of two products of neighbouring int16.
inline VI vimadd(VI a, VI b) { return _mm_madd_epi16(a, b); }
inline VI viadd(VI a, VI b) { return _mm_add_epi32(a, b); }
inline VI visub(VI a, VI b) { return _mm_sub_epi32(a, b); }
inline VI viand(VI a, VI b) { return _mm_and_si128(a, b); }
inline VI vior(VI a, VI b) { return _mm_or_si128(a, b); }
inline VI vixor(VI a, VI b) { return _mm_xor_si128(a, b); }
template <int N>
inline VI vishl(VI a) {
  return _mm_slli_epi32(a, N);
}
template <int N>
inline VI visar(VI a) {
  return _mm_srai_epi32(a, N);
}
inline VI vround_int(V a) { return _mm_cvtps_epi32(a); }
inline V vconvert(VI a) { return _mm_cvtepi32_ps(a); }
inline M vlt(V a, V b) { return _mm_cmplt_ps(a, b); }
inline M vnan(V a) { return _mm_cmpunord_ps(a, a); }
inline bool vany(M m) { return _mm_movemask_ps(m) != 0; }
inline V vsel(M m, V a, V b) { return _mm_or_ps(_mm_and_ps(m, a), _mm_andnot_ps(m, b)); }
inline V vround(V a) {
  // Values of 2^23 and more are whole already (and would not fit the integer conversion).
  const V magnitude = vfloat_of(viand(vbits(a), viset(0x7FFFFFFF)));
  const V whole = vconvert(vround_int(a));
  const V signed_whole = _mm_or_ps(whole, _mm_and_ps(a, vset(-0.0f)));
  return vsel(vlt(magnitude, vset(8388608.0f)), signed_whole, a);
}
inline V vfloor(V a) {
  const V r = vround(a);
  const V down = _mm_sub_ps(r, _mm_and_ps(vlt(a, r), vset(1.0f)));
  return vsel(vlt(a, r), down, r);
}
inline V vceil(V a) {
  const V r = vround(a);
  const V up = _mm_or_ps(_mm_add_ps(r, vset(1.0f)), _mm_and_ps(a, vset(-0.0f)));
  return vsel(vlt(r, a), up, r);
}
inline VI vload_u16(const std::uint16_t* p) {
  return _mm_unpacklo_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)),
                            _mm_setzero_si128());
}
inline VI vload_u8(const std::uint8_t* p) {
  int four;
  std::memcpy(&four, p, 4);
  const __m128i zero = _mm_setzero_si128();
  return _mm_unpacklo_epi16(_mm_unpacklo_epi8(_mm_cvtsi32_si128(four), zero), zero);
}
inline VI vload_i8(const std::int8_t* p) {
  const VI wide = vload_u8(reinterpret_cast<const std::uint8_t*>(p));
  return visar<24>(vishl<24>(wide));
}
inline V vload_f16(const std::uint16_t* p) {
  // The exponent moves by a multiplication, which also normalizes subnormals; infinity and NaN
  // keep their mantissa and get the highest exponent.
  const VI h = vload_u16(p);
  const VI magnitude = vishl<13>(viand(h, viset(0x7FFF)));
  const VI sign = vishl<16>(viand(h, viset(0x8000)));
  const V scaled = _mm_mul_ps(vfloat_of(magnitude), vset(0x1p112f));
  const VI special = _mm_cmpgt_epi32(viand(h, viset(0x7FFF)), viset(0x7BFF));
  const VI top = viand(special, viset(0x7F800000));
  return vfloat_of(vior(vior(vbits(scaled), top), sign));
}
inline std::uint16_t narrow_one(float f) {
  std::uint32_t bits;
  std::memcpy(&bits, &f, 4);
  const std::uint32_t sign = (bits >> 16) & 0x8000u;
  const std::uint32_t magnitude = bits & 0x7FFFFFFFu;
  if (magnitude > 0x7F800000u) return static_cast<std::uint16_t>(sign | 0x7E00u);
  if (magnitude >= 0x477FF000u) return static_cast<std::uint16_t>(sign | 0x7C00u);
  if (magnitude < 0x38800000u) {
    float shifted;
    std::memcpy(&shifted, &magnitude, 4);
    shifted += 0.5f;
    std::memcpy(&bits, &shifted, 4);
    return static_cast<std::uint16_t>(sign | (bits - 0x3F000000u));
  }
  const std::uint32_t odd = (magnitude >> 13) & 1u;
  return static_cast<std::uint16_t>(sign | ((magnitude - 0x38000000u + 0xFFFu + odd) >> 13));
}
inline void vstore_f16(std::uint16_t* p, V v) {
  float lanes[4];
  vstore(lanes, v);
  for (int i = 0; i < 4; ++i) p[i] = narrow_one(lanes[i]);
}
/// Lanes within int16, as words.
inline void vistore_i16(std::uint16_t* p, VI v) {
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi32(v, v));
}
/// Lanes within int8, as bytes.
inline void vistore_i8(std::int8_t* p, VI v) {
  const __m128i words = _mm_packs_epi32(v, v);
  const int four = _mm_cvtsi128_si32(_mm_packs_epi16(words, words));
  std::memcpy(p, &four, 4);
}
inline __m128 quarter_sum(V a) { return a; }
inline __m128 quarter_max(V a) { return a; }

#endif

#if !defined(__AVX2__)
inline V vload_n(const float* p, std::int64_t n) {
  float lanes[kWidth] = {};
  std::memcpy(lanes, p, static_cast<std::size_t>(n) * 4);
  return vload(lanes);
}
inline void vstore_n(float* p, V v, std::int64_t n) {
  float lanes[kWidth];
  vstore(lanes, v);
  std::memcpy(p, lanes, static_cast<std::size_t>(n) * 4);
}
#endif

inline float vsum(V a) {
  const __m128 q = quarter_sum(a);
  const __m128 h = _mm_add_ps(q, _mm_movehl_ps(q, q));
  return _mm_cvtss_f32(_mm_add_ss(h, _mm_shuffle_ps(h, h, 1)));
}
inline float vmax_of(V a) {
  const __m128 q = quarter_max(a);
  const __m128 h = _mm_max_ps(q, _mm_movehl_ps(q, q));
  return _mm_cvtss_f32(_mm_max_ss(h, _mm_shuffle_ps(h, h, 1)));
}
inline V vabs(V a) { return vfloat_of(viand(vbits(a), viset(0x7FFFFFFF))); }
inline V vneg(V a) { return vfloat_of(vixor(vbits(a), viset(static_cast<int>(0x80000000u)))); }
/// The magnitude of a with the sign of s.
inline V vcopysign(V a, V s) {
  return vfloat_of(vior(vbits(a), viand(vbits(s), viset(static_cast<int>(0x80000000u)))));
}

}  // namespace
}  // namespace polaris::cpu
