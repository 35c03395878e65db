#pragma once
#include <cstdint>
#include <string_view>

#include "load/hf/architecture.h"
#include "load/hf/config.h"

namespace polaris::hf {

/// The parts of a config.json that several decoders have, where tables do not do.

/// How positions become angles: rope_parameters, or rope_scaling with rope_theta. `of` is where the
/// former stand, or nothing. Needs attention.head_count, embedding_length and context_length.
void read_rope(Config& config, double theta);
void read_rope_of(Config& config, JsonValue of, double theta);

/// Which layers see a window of positions where "layer_types" is missing.
enum class Windows : std::uint8_t { kNone, kAll };
/// `sliding_window` where the file does not say.
void read_windows(Config& config, Windows otherwise, double sliding_window = 0.0);

/// Numbers and modules that most decoders name alike.
extern const NumberName kDecoderNumbers[8];
extern const ModuleName kDecoderModules[16];
inline constexpr std::string_view kDecoderPrefixes[] = {"model."};

}  // namespace polaris::hf
