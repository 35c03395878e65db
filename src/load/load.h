#pragma once
#include <string>
#include <vector>

#include "load/loader.h"

namespace polaris {

/// Loads a model file of any format we know. Graphs come with their types inferred. Errors:
/// not_found, io; unsupported (a format, op or type that nothing here knows, named); invalid
/// (malformed, with the file's name). Constants view the mapped file.
Result<Model> load_model(const std::string& path, const OpSet& ops,
                         const LoadOptions& options = {});
/// The same from an opened source.
Result<Model> load_model(Source& source, const OpSet& ops, const LoadOptions& options = {});

/// Takes a function's graph out of a model; "" is the only one, or "main". Errors: not_found (lists
/// what there is), unsupported (the file holds no graph, with the reason).
Result<Graph> take_function(Model& model, const std::string& name);

/// Formats in the order in which they are tried.
std::vector<std::string_view> loader_names();

}  // namespace polaris
