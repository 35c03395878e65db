#include <doctest/doctest.h>

#include <cmath>

#include "conformance/suite.h"
#include "ir/op_attrs/chain.h"
#include "ir/op_attrs/elementwise.h"
#include "ir/op_set.h"
#include "tensor/element.h"

// Every elementwise op of the table, over all pairs of the numbers where arithmetic has edges: a
// new op is swept by being there.
namespace polaris::test {
namespace {

constexpr DType kTypes[] = {DType::kF32, DType::kF16, DType::kBF16, DType::kF64, DType::kI8,
                            DType::kU8,  DType::kI16, DType::kU16,  DType::kI32, DType::kU32,
                            DType::kI64, DType::kU64, DType::kBool};

using AttrsList = std::vector<std::shared_ptr<const Attrs>>;

/// The attributes to try where the defaults are not all: of an op that needs some, or that has more
/// than one meaning.
AttrsList attrs_of(const OpDef& op) {
  AttrsList out;
  if (op.name == "BitShift") {
    for (const char* direction : {"LEFT", "RIGHT"}) {
      out.push_back(attrs<BitShiftAttrs>([&](auto& a) { a.direction = direction; }));
    }
  } else if (op.name == "Mod") {
    for (bool fmod : {false, true}) {
      out.push_back(attrs<ModAttrs>([&](auto& a) { a.fmod = fmod; }));
    }
  } else if (op.name == "Gelu") {
    for (const char* form : {"none", "tanh"}) {
      out.push_back(attrs<GeluAttrs>([&](auto& a) { a.approximate = form; }));
    }
  } else if (op.make_attrs != nullptr) {
    out.push_back(op.make_attrs());
  } else {
    out.push_back(nullptr);
  }
  return out;
}

Tensor of_values(DType dtype, const std::vector<double>& list) {
  auto out = Tensor::allocate(dtype, Shape{static_cast<std::int64_t>(list.size())});
  for (std::size_t i = 0; out && i < list.size(); ++i) {
    store_f64(dtype, out->mutable_bytes().data(), static_cast<std::int64_t>(i), list[i]);
  }
  return out ? out.take() : Tensor();
}

/// Operand `which` of three: of the first two all pairs of values meet, the third is shifted.
Tensor operand(DType dtype, int which, std::vector<double> edges, bool largest) {
  if (!largest) {
    std::erase_if(edges, [](double v) { return std::fabs(v) > 1e4 && std::isfinite(v); });
  }
  const std::size_t m = edges.size();
  std::vector<double> list(m * m);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::size_t at = which == 0 ? i / m : which == 1 ? i % m : (i + i / m + 1) % m;
    list[i] = edges[at];
  }
  return of_values(dtype, list);
}

/// Operands that the op may take: all alike, a condition and then alike, or one and then limits.
bool add_samples(Suite& s, const OpDef& op, DType dtype, const std::shared_ptr<const Attrs>& a) {
  const std::string name(dtype_name(dtype));
  const auto edges = edge_values(dtype);
  const bool variadic = (op.input_flags(0) & kVariadic) != 0;
  const int count = variadic ? 3 : static_cast<int>(op.inputs.size());
  std::vector<Tensor> alike;
  // Sums of three could pass the largest number on the way, whatever they end at.
  for (int i = 0; i < count; ++i) alike.push_back(operand(dtype, i, edges, !variadic));
  if (s.add_if_taken(name, alike, a)) return true;
  if (count == 3) {
    std::vector<double> every_third(static_cast<std::size_t>(alike[0].elements()));
    for (std::size_t i = 0; i < every_third.size(); i += 3) every_third[i] = 1;
    const std::vector<Tensor> chosen{of_values(DType::kBool, every_third), alike[1], alike[2]};
    if (s.add_if_taken(name, chosen, a)) return true;
  }
  bool taken = false;
  for (std::size_t i = 0; i < edges.size(); ++i) {
    std::vector<Tensor> limited{operand(dtype, 0, edges, true)};
    for (int k = 1; k < count; ++k) {
      limited.push_back(scalar(dtype, edges[(i + static_cast<std::size_t>(k) * 4) % edges.size()]));
    }
    taken = s.add_if_taken(name + " limits " + std::to_string(i), limited, a) || taken;
  }
  return taken;
}

}  // namespace

TEST_CASE("special values: every elementwise op") {
  const OpSet ops = OpSet::builtin();
  for (const OpDef* op : ops.all()) {
    if (!op->has_trait(kElementwise) || op->name == "Chain") continue;
    Suite s(op->name, op->domain);
    bool taken = false;
    for (const auto& a : attrs_of(*op)) {
      for (DType dtype : kTypes) taken = add_samples(s, *op, dtype, a) || taken;
    }
    CHECK_MESSAGE(taken, op_full_name(*op), ": takes none of the operands tried here");
    s.run();
  }
}

TEST_CASE("special values: every step of a chain") {
  const OpSet ops = OpSet::builtin();
  for (const OpDef* op : ops.all()) {
    const bool binary = op->inputs.size() == 2 || (op->input_flags(0) & kVariadic) != 0;
    if (!op->has_trait(kElementwise) || op->scalar == nullptr || op->make_attrs != nullptr)
      continue;
    Suite s("Chain", "polaris");
    const std::int64_t inputs = binary ? 2 : 1;
    auto steps = attrs<ChainAttrs>([&](auto& a) {
      a.ops = {std::string(op->name), "Neg"};
      a.args = {0, binary ? 1 : -1, -1, inputs, -1, -1};
    });
    for (DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
      std::vector<Tensor> operands;
      for (int i = 0; i < inputs; ++i)
        operands.push_back(operand(dtype, i, edge_values(dtype), true));
      const std::string name = std::string(op->name) + " " + std::string(dtype_name(dtype));
      CHECK(s.add_if_taken(name, operands, steps));
    }
    s.run();
  }
}

// What a compiler sees to be one value, or one and its negative, must not be simplified as if it
// were a number.
TEST_CASE("special values: a step of a chain that is given one value twice") {
  struct Form {
    const char* before;  // the step in front of the op, or none
    int a;
    int b;
  };
  constexpr Form kForms[] = {{nullptr, 0, 0}, {"Neg", 0, 1}, {"Neg", 1, 0}, {"Abs", 0, 1}};
  const OpSet ops = OpSet::builtin();
  for (const OpDef* op : ops.all()) {
    const bool binary = op->inputs.size() == 2 || (op->input_flags(0) & kVariadic) != 0;
    if (!op->has_trait(kElementwise) || op->scalar == nullptr || op->make_attrs != nullptr ||
        !binary)
      continue;
    Suite s("Chain", "polaris");
    for (const Form& form : kForms) {
      auto steps = attrs<ChainAttrs>([&](auto& a) {
        if (form.before != nullptr) {
          a.ops = {form.before, std::string(op->name)};
          a.args = {0, -1, -1, form.a, form.b, -1};
        } else {
          a.ops = {std::string(op->name), "Neg"};
          a.args = {form.a, form.b, -1, 1, -1, -1};
        }
      });
      for (DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
        const std::string name = std::string(op->name) + " " + std::string(dtype_name(dtype)) +
                                 " after " + (form.before != nullptr ? form.before : "nothing");
        CHECK(s.add_if_taken(name, {operand(dtype, 0, edge_values(dtype), true)}, steps));
      }
    }
    s.run();
  }
}

TEST_CASE("special values: a sum in a chain of which an operand is taken away again") {
  using Args = std::vector<std::int64_t>;
  const struct {
    std::vector<std::string> ops;
    Args args;
  } forms[] = {{{"Add", "Sub"}, {0, 1, -1, 2, 0, -1}},
               {{"Add", "Sub"}, {0, 1, -1, 2, 1, -1}},
               {{"Add", "Sub"}, {0, 1, -1, 0, 2, -1}},
               {{"Sub", "Add"}, {0, 1, -1, 2, 1, -1}},
               {{"Sub", "Add"}, {0, 1, -1, 1, 2, -1}},
               {{"Neg", "Add", "Add"}, {0, -1, -1, 0, 1, -1, 2, 3, -1}},
               {{"Div", "Mul"}, {0, 1, -1, 2, 1, -1}},
               {{"Mul", "Div"}, {0, 1, -1, 2, 1, -1}}};
  for (const auto& form : forms) {
    Suite s("Chain", "polaris");
    auto steps = attrs<ChainAttrs>([&](auto& a) {
      a.ops = form.ops;
      a.args = form.args;
    });
    for (DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
      auto edges = edge_values(dtype);
      // A quotient in between that is subnormal may count as zero.
      std::erase_if(edges, [](double v) { return v != 0 && std::fabs(v) < 1e-4; });
      CHECK(s.add_if_taken(form.ops.back() + " " + std::string(dtype_name(dtype)),
                           {operand(dtype, 0, edges, false), operand(dtype, 1, edges, false)},
                           steps));
    }
    s.run();
  }
}

}  // namespace polaris::test
