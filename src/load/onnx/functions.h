#pragma once
#include "load/onnx/importer.h"
#include "load/onnx/proto.h"

/// Functions of the model's own: their nodes become polaris.Call.
namespace polaris::onnx {

/// Errors: invalid where two functions have one name.
Status index_functions(const ModelDef& model, FunctionIndex& index);
/// The function that the node calls, or null.
const FunctionDef* find_function(const FunctionIndex& index, const NodeDef& node);

/// Imports the node as a call. The body is one graph for all calls that give it the same attributes
/// and leave out the same inputs; where it cannot be read without, also the same ranks and element
/// types.
/// Errors: invalid (a function that calls itself, calls nested too deep, what the body lacks).
Status call_function(GraphImporter& in, const NodeDef& node, const FunctionDef& function);

}  // namespace polaris::onnx
