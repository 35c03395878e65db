// limit.Fill, limit.Copy, limit.Read and limit.Fma: what the processor does at best.
#include "backend/cpu/limit_loops.h"

#include "backend/cpu/kernel.h"
#include "backend/limit_ops.h"

namespace polaris::cpu {
namespace {

const LimitLoops& loops_of(Isa isa) {
  switch (isa) {
    case Isa::kSse2: return kLimitSse2;
    case Isa::kAvx2: return kLimitAvx2;
    case Isa::kAvx512:
    case Isa::kVnni: return kLimitAvx512;
  }
  return kLimitSse2;
}

/// body(from, to) over [0, count) in whole units, a few for each thread.
template <class Body>
void over_units(const Launch& l, std::int64_t count, Body body) {
  const std::int64_t units = count / kLimitUnit;
  const std::int64_t grain = std::max<std::int64_t>(1, units / (8 * l.pool->threads()));
  l.pool->parallel_for(units, grain, [&](std::int64_t from, std::int64_t to, int) {
    body(from * kLimitUnit, to * kLimitUnit);
  });
}

KernelResult select(const CpuTarget& target, const NodeDesc& node) {
  const LimitLoops& loops = loops_of(target.isa);
  if (node.op == &op_limit_fill || node.op == &op_limit_fma) {
    const auto attrs = node.attributes<LimitAttrs>();
    if (node.op == &op_limit_fill) {
      return KernelResult(make_kernel("limit_fill", [&loops, attrs](const Launch& l) {
        over_units(l, attrs.count, [&](std::int64_t from, std::int64_t to) {
          loops.fill(l.out<float>(0) + from, to - from);
        });
      }));
    }
    return KernelResult(make_kernel("limit_fma", [&loops, attrs](const Launch& l) {
      over_units(l, attrs.count, [&](std::int64_t from, std::int64_t to) {
        loops.fma(l.out<float>(0) + from, to - from, attrs.rounds);
      });
    }));
  }
  const std::int64_t count = node.inputs[0].type.shape.elements();
  if (node.op == &op_limit_copy) {
    return KernelResult(make_kernel("limit_copy", [&loops, count](const Launch& l) {
      over_units(l, count, [&](std::int64_t from, std::int64_t to) {
        loops.copy(l.in<float>(0) + from, l.out<float>(0) + from, to - from);
      });
    }));
  }
  if (node.op != &op_limit_read) return unsupported(node, "it is none of the bench's");
  return KernelResult(make_kernel("limit_read", [&loops, count](const Launch& l) {
    over_units(l, count, [&](std::int64_t from, std::int64_t to) {
      loops.read(l.in<float>(0) + from, l.out<float>(0) + from / kLimitReadPart, to - from);
    });
  }));
}

constexpr std::string_view kOps[] = {"limit.Fill", "limit.Copy", "limit.Read", "limit.Fma"};

}  // namespace

extern const KernelFamily family_device_limit;
constinit const KernelFamily family_device_limit{"device_limit", kOps, one_kernel<select>};

}  // namespace polaris::cpu
