#include "backend/cpu/simd/table.h"

namespace polaris::cpu {

constinit const Simd kSimdSse2 = make_table();

}  // namespace polaris::cpu
