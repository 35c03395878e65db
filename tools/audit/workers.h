#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "radv/variants.h"
#include "report.h"

namespace polaris::audit {

/// Compiles and judges the variants, in as many processes as there are processors, each with a
/// device of its own for all it is given: opening one takes longer than compiling most variants. A
/// driver that dies, or takes longer than `limit` over one variant, takes only that one with it.
/// `shaders`: the list that the variants' files are relative to.
std::vector<Row> judge_all(const std::vector<radv::Variant>& variants, const std::string& shaders,
                           const std::string& icd, std::chrono::seconds limit);

}  // namespace polaris::audit
