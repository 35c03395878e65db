#include "ir/model.h"

namespace polaris {

Graph* Model::find(std::string_view function) {
  const auto found = functions.find(function);
  return found == functions.end() ? nullptr : &found->second;
}

const Graph* Model::find(std::string_view function) const {
  const auto found = functions.find(function);
  return found == functions.end() ? nullptr : &found->second;
}

}  // namespace polaris
