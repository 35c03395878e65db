#include "gcn/cost.h"

#include <array>
#include <string_view>

namespace polaris::gcn {
namespace {

struct Rate {
  std::string_view prefix;
  int cycles;
};

// The first that fits.
constexpr std::array kRates = {
    Rate{"v_fma_f32", 16},     Rate{"v_mul_lo_u32", 16},  Rate{"v_mul_hi_u32", 16},
    Rate{"v_mul_hi_i32", 16},  Rate{"v_mad_u64", 16},     Rate{"v_mad_i64", 16},
    Rate{"v_rcp_", 16},        Rate{"v_rsq_", 16},        Rate{"v_sqrt_", 16},
    Rate{"v_exp_", 16},        Rate{"v_log_", 16},        Rate{"v_sin_", 16},
    Rate{"v_cos_", 16},        Rate{"v_cvt_f64_", 16},    Rate{"v_cvt_f32_f64", 16},
    Rate{"v_cvt_i32_f64", 16}, Rate{"v_cvt_u32_f64", 16}, Rate{"v_fma_f64", 64},
    Rate{"v_mul_f64", 64},     Rate{"v_add_f64", 64},     Rate{"v_min_f64", 64},
    Rate{"v_max_f64", 64},     Rate{"v_ldexp_f64", 16},   Rate{"v_lshlrev_b64", 16},
    Rate{"v_lshrrev_b64", 16}, Rate{"v_ashrrev_i64", 16},
};

}  // namespace

int valu_cycles(const Op& op) {
  const std::string_view name = op.name;
  for (const Rate& rate : kRates) {
    if (name.starts_with(rate.prefix)) return rate.cycles;
  }
  return 4;
}

}  // namespace polaris::gcn
