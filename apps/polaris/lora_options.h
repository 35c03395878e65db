#pragma once
#include <memory>
#include <string>
#include <vector>

#include "arch/adapter/adapter.h"
#include "command.h"

namespace polaris::cli {

/// Declares --lora FILE[=SCALE].
void declare_lora(CLI::App& app, std::vector<std::string>& texts);

/// The adapters of such texts, all of which a text may have at once; null where there are none.
/// Errors: usage (one twice, too many); those of load_adapter.
Result<std::shared_ptr<const AdapterSet>> load_adapters(const Common& common,
                                                        const std::vector<std::string>& texts);

}  // namespace polaris::cli
