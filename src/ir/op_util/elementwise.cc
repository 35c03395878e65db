#include "ir/op_util/elementwise.h"

#include "ir/op_util/elements.h"

namespace polaris {
namespace {

// How the elements of a type are read by an elementwise reference.
enum class Domain : std::uint8_t { kReal, kSigned, kUnsigned };

Domain domain_of(DType dtype) {
  if (is_float(dtype)) return Domain::kReal;
  return is_signed_integer(dtype) ? Domain::kSigned : Domain::kUnsigned;
}

const Attrs& attrs_of(const RefContext& c, const NoAttrs& none) {
  return c.attrs != nullptr ? *c.attrs : none;
}

std::uint64_t get_u64(const RefTensor& t, std::int64_t i) {
  return static_cast<std::uint64_t>(get_i64(t, i));
}

/// An integer operation on two elements by whichever function there is.
std::int64_t apply_int(bool with_sign, SignedFn s, UnsignedFn u, std::int64_t a, std::int64_t b) {
  if (with_sign && s != nullptr) return s(a, b);
  return static_cast<std::int64_t>(u(static_cast<std::uint64_t>(a), static_cast<std::uint64_t>(b)));
}

}  // namespace

Status infer_unary_in(InferContext& c, DTypeSet allowed) {
  if (auto s = check_dtype(c, 0, allowed); !s) return s;
  set_output(c, 0, c.in(0).dtype, c.in(0).shape);
  return Status::success();
}

Result<Shape> broadcast_inputs(const InferContext& c, int count) {
  Shape out;
  for (int i = 0; i < count; ++i) {
    const auto next = broadcast_shapes(out, c.in(i).shape);
    if (!next) {
      return c.fail("input " + std::to_string(i) + " shape, got " + c.in(i).shape.to_string() +
                    ", wanted one that broadcasts with " + out.to_string());
    }
    out = *next;
  }
  return out;
}

Status infer_broadcast_in(InferContext& c, DTypeSet allowed) {
  if (auto s = check_dtype(c, 0, allowed); !s) return s;
  for (int i = 1; i < c.input_count(); ++i) {
    if (auto s = check_same_dtype(c, 0, i); !s) return s;
  }
  auto shape = broadcast_inputs(c, c.input_count());
  if (!shape) return shape.error();
  set_output(c, 0, c.in(0).dtype, *shape);
  return Status::success();
}

Status infer_predicate_in(InferContext& c, DTypeSet allowed) {
  if (auto s = infer_broadcast_in(c, allowed); !s) return s;
  c.out(0).dtype = DType::kBool;
  return Status::success();
}

Status map_unary_with(RefContext& c, ScalarFn real, SignedFn with_sign, UnsignedFn without_sign) {
  const NoAttrs none;
  const Attrs& attrs = attrs_of(c, none);
  const Domain domain = domain_of(c.in(0).type.dtype);
  const std::int64_t n = c.in(0).type.shape.elements();
  for (std::int64_t i = 0; i < n; ++i) {
    if (domain == Domain::kReal) {
      put_f64(c.out(0), i, real(attrs, get_f64(c.in(0), i), 0));
    } else {
      put_i64(
          c.out(0), i,
          apply_int(domain == Domain::kSigned, with_sign, without_sign, get_i64(c.in(0), i), 0));
    }
  }
  return Status::success();
}

Status map_binary_with(RefContext& c, ScalarFn real, SignedFn with_sign, UnsignedFn without_sign) {
  const NoAttrs none;
  const Attrs& attrs = attrs_of(c, none);
  const Domain domain = domain_of(c.in(0).type.dtype);
  Walk walk(c.out(0).type.shape);
  const int a = walk.add_broadcast(c.in(0).type.shape);
  const int b = walk.add_broadcast(c.in(1).type.shape);
  for (std::int64_t i = 0, n = walk.size(); i < n; ++i, walk.next()) {
    if (domain == Domain::kReal) {
      put_f64(c.out(0), i, real(attrs, get_f64(c.in(0), walk[a]), get_f64(c.in(1), walk[b])));
    } else {
      put_i64(c.out(0), i,
              apply_int(domain == Domain::kSigned, with_sign, without_sign,
                        get_i64(c.in(0), walk[a]), get_i64(c.in(1), walk[b])));
    }
  }
  return Status::success();
}

Status fold_variadic_with(RefContext& c, ScalarFn real, SignedFn with_sign, UnsignedFn without_sign,
                          bool divide_by_count) {
  const NoAttrs none;
  const Attrs& attrs = attrs_of(c, none);
  const Domain domain = domain_of(c.in(0).type.dtype);
  const int count = static_cast<int>(c.inputs.size());
  Walk walk(c.out(0).type.shape);
  for (std::int64_t i = 0, n = walk.size(); i < n; ++i, walk.next()) {
    double sum = 0;
    std::int64_t fold = 0;
    for (int k = 0; k < count; ++k) {
      const RefTensor& in = c.in(k);
      const std::int64_t at = broadcast_offset(in.type.shape, walk.at());
      if (domain == Domain::kReal) {
        sum = k == 0 ? get_f64(in, at) : real(attrs, sum, get_f64(in, at));
      } else {
        const std::int64_t v = get_i64(in, at);
        fold = k == 0 ? v : apply_int(domain == Domain::kSigned, with_sign, without_sign, fold, v);
      }
    }
    if (domain == Domain::kReal) {
      put_f64(c.out(0), i, divide_by_count ? sum / count : sum);
    } else {
      put_i64(c.out(0), i, fold);
    }
  }
  return Status::success();
}

Status map_predicate_with(RefContext& c, const PredicateFns& fns) {
  const Domain domain = domain_of(c.in(0).type.dtype);
  Walk walk(c.out(0).type.shape);
  const int a = walk.add_broadcast(c.in(0).type.shape);
  const int b = walk.add_broadcast(c.in(1).type.shape);
  for (std::int64_t i = 0, n = walk.size(); i < n; ++i, walk.next()) {
    bool out = false;
    if (domain == Domain::kReal) {
      out = fns.real(get_f64(c.in(0), walk[a]), get_f64(c.in(1), walk[b]));
    } else if (domain == Domain::kSigned) {
      out = fns.with_sign(get_i64(c.in(0), walk[a]), get_i64(c.in(1), walk[b]));
    } else {
      out = fns.without_sign(get_u64(c.in(0), walk[a]), get_u64(c.in(1), walk[b]));
    }
    put_i64(c.out(0), i, out ? 1 : 0);
  }
  return Status::success();
}

}  // namespace polaris
