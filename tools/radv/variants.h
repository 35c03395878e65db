#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "sim/null_device.h"

namespace polaris::radv {

/// The variants of a shaders.json. Throws what its reader throws where the file is not as it should
/// be: tools only.
std::vector<Variant> read_variants(const std::string& path);
/// The words of a SPIR-V file; empty where there is none.
std::vector<std::uint32_t> read_words(const std::filesystem::path& path);

}  // namespace polaris::radv
