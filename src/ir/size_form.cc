#include "ir/size_form.h"

#include <algorithm>
#include <cstddef>

namespace polaris {
namespace {

// Within these no form leaves an int64 while its dims stay below 2^40.
constexpr std::size_t kTermsMax = 8;
constexpr std::int64_t kFactorMax = std::int64_t{1} << 18;
constexpr std::int64_t kConstantMax = std::int64_t{1} << 60;

bool fits(std::int64_t v, std::int64_t most) { return v >= -most && v <= most; }

SizeForm checked(SizeForm form) {
  const bool fine =
      form.terms.size() <= kTermsMax && fits(form.constant, kConstantMax) &&
      std::all_of(form.terms.begin(), form.terms.end(),
                  [](const SizeForm::Term& term) { return fits(term.factor, kFactorMax); });
  return fine ? form : SizeForm::unknown();
}

/// a + sign * b.
SizeForm sum(const SizeForm& a, const SizeForm& b, std::int64_t sign) {
  SizeForm out = SizeForm::number(a.constant + sign * b.constant);
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.terms.size() || j < b.terms.size()) {
    const bool left = j == b.terms.size() || (i < a.terms.size() && a.terms[i].id <= b.terms[j].id);
    const bool right =
        i == a.terms.size() || (j < b.terms.size() && b.terms[j].id <= a.terms[i].id);
    SizeForm::Term term{left ? a.terms[i].id : b.terms[j].id, 0};
    if (left) term.factor += a.terms[i++].factor;
    if (right) term.factor += sign * b.terms[j++].factor;
    if (term.factor != 0) out.terms.push_back(term);
  }
  return checked(std::move(out));
}

SizeForm product(const SizeForm& form, std::int64_t by) {
  if (by == 0) return SizeForm::number(0);
  // The larger of the two factors may take up all the room there is.
  if (!fits(by, kFactorMax) || !fits(form.constant, kConstantMax / kFactorMax)) {
    return SizeForm::unknown();
  }
  SizeForm out = form;
  out.constant *= by;
  for (SizeForm::Term& term : out.terms) term.factor *= by;
  return checked(std::move(out));
}

SizeForm quotient(const SizeForm& form, std::int64_t by) {
  if (by == 0 || form.constant % by != 0) return SizeForm::unknown();
  SizeForm out = form;
  out.constant /= by;
  for (SizeForm::Term& term : out.terms) {
    if (term.factor % by != 0) return SizeForm::unknown();
    term.factor /= by;
  }
  return out;
}

}  // namespace

std::optional<std::int64_t> SizeForm::as_dim() const {
  if (!known || constant != 0 || terms.size() != 1 || terms[0].factor != 1) return std::nullopt;
  return terms[0].id;
}

SizeForm combine(SizeRule rule, const SizeForm& a, const SizeForm& b) {
  if (!a.known || !b.known || !fits(a.constant, kConstantMax) || !fits(b.constant, kConstantMax)) {
    return SizeForm::unknown();
  }
  switch (rule) {
    case SizeRule::kSum: return sum(a, b, 1);
    case SizeRule::kDifference: return sum(a, b, -1);
    case SizeRule::kProduct:
      if (b.is_number()) return product(a, b.constant);
      return a.is_number() ? product(b, a.constant) : SizeForm::unknown();
    case SizeRule::kQuotient: return b.is_number() ? quotient(a, b.constant) : SizeForm::unknown();
    case SizeRule::kNone:
    case SizeRule::kMove:
    case SizeRule::kCompare: break;
  }
  return SizeForm::unknown();
}

Signs signs_of(const SizeForm& form) {
  if (!form.known) return {};
  if (form.terms.empty()) return {form.constant<0, form.constant == 0, form.constant> 0};
  // Dims are 0 or more: with all factors of one sign, the constant is the least, or the most.
  const bool rises = std::all_of(form.terms.begin(), form.terms.end(),
                                 [](const SizeForm::Term& term) { return term.factor > 0; });
  const bool falls = std::all_of(form.terms.begin(), form.terms.end(),
                                 [](const SizeForm::Term& term) { return term.factor < 0; });
  Signs out;
  if (rises) out = {form.constant < 0, form.constant <= 0, true};
  if (falls) out = {true, form.constant >= 0, form.constant > 0};
  return out;
}

}  // namespace polaris
