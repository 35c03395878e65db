#include "backend/cpu/simd/limit.h"

namespace polaris::cpu {

constinit const LimitLoops kLimitSse2 = make_loops();

}  // namespace polaris::cpu
