#include "backend/cpu/simd/limit.h"

namespace polaris::cpu {

constinit const LimitLoops kLimitAvx512 = make_loops();

}  // namespace polaris::cpu
