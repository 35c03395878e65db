#include "ir/op_util/einsum.h"

#include <algorithm>
#include <string>

#include "base/strings.h"

namespace polaris {
namespace {

using Labels = EinsumLabels;
constexpr int kEllipsis = -1;

bool is_letter(char ch) { return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z'); }

/// One term, an ellipsis as one label. Errors: invalid, without a prefix.
Result<Labels> parse_term(std::string_view term) {
  Labels out;
  for (std::size_t i = 0; i < term.size(); ++i) {
    if (is_letter(term[i])) {
      out.push_back(term[i]);
    } else if (term.substr(i, 3) == "..." &&
               std::find(out.begin(), out.end(), kEllipsis) == out.end()) {
      out.push_back(kEllipsis);
      i += 2;
    } else if (term[i] != ' ') {
      return Error::invalid("equation, got '" + printable(term) +
                            "', wanted letters and at most one ellipsis");
    }
  }
  return out;
}

/// Without an output each letter that stands once is one, in alphabetical order.
Labels implied_output(const std::vector<Labels>& inputs) {
  std::vector<int> count(128, 0);
  bool ellipsis = false;
  for (const Labels& input : inputs) {
    for (int label : input) {
      if (label == kEllipsis) {
        ellipsis = true;
      } else {
        ++count[static_cast<std::size_t>(label)];
      }
    }
  }
  Labels out;
  if (ellipsis) out.push_back(kEllipsis);
  for (std::size_t i = 0; i < count.size(); ++i) {
    if (count[i] == 1) out.push_back(static_cast<int>(i));
  }
  return out;
}

Result<EinsumEquation> parse_equation(std::string_view text) {
  EinsumEquation out;
  const std::size_t arrow = text.find("->");
  std::string_view left = text.substr(0, arrow);
  for (bool more = true; more;) {
    const std::size_t comma = left.find(',');
    more = comma != left.npos;
    auto term = parse_term(left.substr(0, comma));
    if (!term) return term.error();
    out.inputs.push_back(term.take());
    if (more) left.remove_prefix(comma + 1);
  }
  if (arrow == text.npos) {
    out.output = implied_output(out.inputs);
    return out;
  }
  auto term = parse_term(text.substr(arrow + 2));
  if (!term) return term.error();
  out.output = term.take();
  return out;
}

void spread(Labels& labels, int dims) {
  const auto at = std::find(labels.begin(), labels.end(), kEllipsis);
  if (at == labels.end()) return;
  Labels numbers;
  for (int d = dims - 1; d >= 0; --d) numbers.push_back(d);
  labels.insert(labels.erase(at), numbers.begin(), numbers.end());
}

}  // namespace

Result<EinsumEquation> labelled_equation(std::string_view text, const std::vector<Shape>& shapes) {
  auto out = parse_equation(text);
  if (!out) return out;
  if (out->inputs.size() != shapes.size()) {
    return Error::invalid("inputs, got " + std::to_string(shapes.size()) + ", wanted " +
                          std::to_string(out->inputs.size()) + " as in the equation");
  }
  int widest = 0;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    Labels& labels = out->inputs[i];
    const bool open = std::find(labels.begin(), labels.end(), kEllipsis) != labels.end();
    const auto rank = static_cast<std::size_t>(shapes[i].rank());
    const std::size_t letters = labels.size() - (open ? 1 : 0);
    if (open ? rank < letters : rank != letters) {
      return Error::invalid("rank of input " + std::to_string(i) + ", got " +
                            shapes[i].to_string() + ", wanted " + (open ? "at least " : "") +
                            std::to_string(letters));
    }
    const int dims = static_cast<int>(rank - letters);
    spread(labels, dims);
    widest = std::max(widest, dims);
  }
  const bool keeps =
      std::find(out->output.begin(), out->output.end(), kEllipsis) != out->output.end();
  if (widest > 0 && !keeps) {
    return Error::invalid("equation, got an output without the ellipsis of its inputs, wanted it");
  }
  spread(out->output, widest);
  return out;
}

}  // namespace polaris
