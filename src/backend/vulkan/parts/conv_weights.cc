#include "backend/vulkan/parts/conv_weights.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "backend/vulkan/parts/direct_conv.h"
#include "base/checked.h"

namespace polaris::vulkan {
namespace {

/// Sixteen bytes, which every compiler of ours keeps in a vector register.
template <class T>
struct Lanes {
  static constexpr int kCount = 16 / static_cast<int>(sizeof(T));
  using Type [[gnu::vector_size(16)]] = T;
};
template <class T>
using Vec = typename Lanes<T>::Type;

using V4 = Vec<std::uint32_t>;
using V8 = Vec<std::uint16_t>;
using V16 = Vec<std::uint8_t>;

/// The first halves of a and b, element by element in turn, and the second.
V4 mix_low(V4 a, V4 b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
V4 mix_high(V4 a, V4 b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }
V8 mix_low(V8 a, V8 b) { return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
V8 mix_high(V8 a, V8 b) { return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }
V16 mix_low(V16 a, V16 b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
V16 mix_high(V16 a, V16 b) {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15,
                                 31);
}

/// Element e of row k becomes element k of row e: mixing rows that are half of them apart moves
/// every element's place one bit on.
template <class T>
inline void turn(Vec<T> (&v)[Lanes<T>::kCount]) {
  constexpr int kCount = Lanes<T>::kCount;
  Vec<T> mixed[kCount];
  for (int stage = 1; stage < kCount; stage *= 2) {
    for (int k = 0; k < kCount / 2; ++k) {
      mixed[2 * k] = mix_low(v[k], v[k + kCount / 2]);
      mixed[2 * k + 1] = mix_high(v[k], v[k + kCount / 2]);
    }
    for (int k = 0; k < kCount; ++k) v[k] = mixed[k];
  }
}

/// Where the shader has the elements of a row, a run of input channels and their taps: counted from
/// the tile's part, the tile's channels side by side.
using Places = std::vector<std::int64_t>;

Places places_of(std::int64_t ins, std::int64_t taps, std::int64_t in_step, std::int64_t tap_step) {
  Places places;
  places.reserve(static_cast<std::size_t>(ins * taps));
  for (std::int64_t i = 0; i < ins; ++i) {
    for (std::int64_t tap = 0; tap < taps; ++tap) places.push_back(tap * tap_step + i * in_step);
  }
  return places;
}

constexpr std::uintptr_t kAhead = 512;  // bytes
// Taps that a first-level cache keeps lines of side by side, and the bytes that more get at a time.
constexpr std::int64_t kTapsTogether = 16;
constexpr std::int64_t kRunBytes = 256;

template <class T>
struct Rows {
  const T* first = nullptr;
  std::int64_t step = 0;
  std::int64_t count = 0;
  T flip = 0;  // added to every element, bit by bit

  Vec<T> load(std::int64_t r, std::int64_t d) const {
    Vec<T> v = {};
    if (r >= count) return v;
    const T* at = first + r * step + d;
    // Rows are more streams than a processor follows by itself. Past the end there is no pointer.
    const auto ahead = reinterpret_cast<std::uintptr_t>(at) + kAhead;
    __builtin_prefetch(reinterpret_cast<const void*>(ahead));  // NOLINT(performance-no-int-to-ptr)
    std::memcpy(&v, at, sizeof v);
    return v ^ flip;
  }
};

/// Rows to their places in one tile, which has room for `width` of them.
template <class T>
void pack_rows(const Rows<T>& rows, std::span<const std::int64_t> places, std::int64_t width,
               T* out) {
  constexpr int kCount = Lanes<T>::kCount;
  const auto n = static_cast<std::int64_t>(places.size());
  const std::int64_t* at = places.data();
  std::int64_t done = 0;  // rows whose elements up to n / kCount * kCount stand
  for (std::int64_t d = 0; d + kCount <= n; d += kCount) {
    done = 0;
    for (; done < rows.count && done + kCount <= width; done += kCount) {
      Vec<T> v[kCount];
      for (int k = 0; k < kCount; ++k) v[k] = rows.load(done + k, d);
      turn<T>(v);
      for (int k = 0; k < kCount; ++k) std::memcpy(out + at[d + k] + done, &v[k], sizeof v[k]);
    }
  }
  for (std::int64_t r = 0; r < rows.count; ++r) {
    for (std::int64_t d = r < done ? n / kCount * kCount : 0; d < n; ++d) {
      out[at[d] + r] = static_cast<T>(rows.first[r * rows.step + d] ^ rows.flip);
    }
  }
}

std::int64_t padded_in(const ConvProblem& p) { return round_up(p.geometry.group_in, p.step); }

std::int64_t elements(const ConvProblem& p) {
  if (p.depthwise()) return p.taps() * p.out_channels();
  return p.geometry.groups * p.tiles() * p.taps() * padded_in(p) * p.tile.out;
}

/// As pack_rows for one tile, by runs of input channels that are put side by side first. The lines
/// of a row's taps are as far apart as the tile is long, and so many crowd each other out of a
/// cache before they are full.
template <class T>
void pack_runs(const Rows<T>& rows, std::int64_t ins, std::int64_t taps, std::int64_t in_step,
               std::int64_t tap_step, T* out) {
  const std::int64_t run_bytes = in_step * static_cast<std::int64_t>(sizeof(T));
  const std::int64_t together = std::max<std::int64_t>(kRunBytes / run_bytes, 1);
  std::vector<T> run(static_cast<std::size_t>(taps * together * in_step));
  const Places places = places_of(together, taps, in_step, together * in_step);
  for (std::int64_t i = 0; i < ins; i += together) {
    const std::int64_t here = std::min(together, ins - i);
    const std::span some(places.data(), static_cast<std::size_t>(here * taps));
    pack_rows<T>({rows.first + i * taps, rows.step, rows.count, rows.flip}, some, in_step,
                 run.data());
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      std::copy_n(run.data() + tap * together * in_step, here * in_step,
                  out + tap * tap_step + i * in_step);
    }
  }
}

/// The file has [M, C / groups, taps], transposed [C, M / groups, taps].
template <class T>
void pack_tiles(const ConvProblem& p, const T* from, T flip, T* out) {
  const ConvGeometry& g = p.geometry;
  const std::int64_t tile = p.tile.out;
  const std::int64_t taps = p.taps();
  const bool transposed = p.kind == ConvKind::kTransposed;
  const Places places = places_of(transposed ? 1 : g.group_in, taps, tile, padded_in(p) * tile);
  for (std::int64_t group = 0; group < g.groups; ++group) {
    for (std::int64_t first = 0; first < g.group_out; first += tile) {
      const std::int64_t count = std::min(tile, g.group_out - first);
      if (!transposed) {
        const std::int64_t row = g.group_in * taps;
        const Rows<T> rows{from + (group * g.group_out + first) * row, row, count, flip};
        if (taps > kTapsTogether) {
          pack_runs<T>(rows, g.group_in, taps, tile, padded_in(p) * tile, out);
        } else {
          pack_rows<T>(rows, places, tile, out);
        }
      }
      for (std::int64_t i = 0; transposed && i < g.group_in; ++i) {
        const T* rows = from + ((group * g.group_in + i) * g.group_out + first) * taps;
        pack_rows<T>({rows, taps, count, flip}, places, tile, out + i * tile);
      }
      out += taps * padded_in(p) * tile;
    }
  }
}

/// Every 64 channels for themselves, so that the lines that they come from stay in a cache.
template <class T>
void pack_depthwise(const ConvProblem& p, const T* from, T flip, T* out) {
  constexpr std::int64_t kTogether = 64;
  const std::int64_t channels = p.out_channels();
  const Places places = places_of(1, p.taps(), 0, channels);
  for (std::int64_t c = 0; c < channels; c += kTogether) {
    const std::int64_t count = std::min(kTogether, channels - c);
    pack_rows<T>({from + c * p.taps(), p.taps(), count, flip}, places, count, out + c);
  }
}

template <class T>
void pack_as(const ConvProblem& p, const Tensor& weight, T flip, std::byte* out) {
  const auto* from = weight.data<T>();
  auto* to = reinterpret_cast<T*>(out);
  if (p.depthwise()) {
    pack_depthwise(p, from, flip, to);
  } else {
    pack_tiles(p, from, flip, to);
  }
}

}  // namespace

std::string packed_layout(const ConvProblem& p) {
  std::string layout = p.kind == ConvKind::kTransposed ? "conv_transposed."
                       : p.depthwise()                 ? "conv_depthwise."
                                                       : "conv.";
  return layout + std::to_string(8 * p.weight_bytes()) + "." + std::to_string(p.tile.out) + "." +
         std::to_string(p.step) + "." + std::to_string(p.geometry.groups);
}

std::int64_t packed_weight_bytes(const ConvProblem& p) {
  return round_up(elements(p) * p.weight_bytes(), 4);
}

void pack_conv_weights(const ConvProblem& p, const Tensor& weight, std::span<std::byte> out) {
  const ConvGeometry& g = p.geometry;
  const bool whole = p.depthwise() || (padded_in(p) == g.group_in && g.group_out % p.tile.out == 0);
  const auto used = static_cast<std::size_t>(elements(p) * p.weight_bytes());
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(whole ? used : 0), out.end(), std::byte{0});
  switch (p.weight_bytes()) {
    case 4: return pack_as<std::uint32_t>(p, weight, 0, out.data());
    case 2: return pack_as<std::uint16_t>(p, weight, 0, out.data());
    default: break;
  }
  const bool is_unsigned = weight.dtype() == DType::kU8;
  pack_as<std::uint8_t>(p, weight, is_unsigned ? 0x80 : 0, out.data());
}

}  // namespace polaris::vulkan
