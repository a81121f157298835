/// The keys of the dictionary that a model returns, which name its outputs.
///
/// The file states the form of the result as JSON in a string, `[1, {"type": "builtins.dict", "context":
/// "[\"logits\"]", "children_spec": [...]}]`: a dictionary's context is its keys, again as JSON.
enum PyTorchOutputKeys {
    private static let dictionaries = ["builtins.dict", "collections.OrderedDict"]

    /// Empty for any result that is no dictionary of tensors.
    static func read(_ model: JSON) -> [String] {
        guard
            let outermost = model["graph_module"]?["module_call_graph"]?.array?.first(where: {
                $0["fqn"]?.string == ""
            }), let form = parsed(outermost["signature"]?["out_spec"])?.array?.last,
            let type = form["type"]?.string, dictionaries.contains(type),
            let children = form["children_spec"]?.array, children.allSatisfy({ $0["type"] == nil }),
            let keys = parsed(form["context"])?.array?.compactMap(\.string), keys.count == children.count,
            keys.allSatisfy({ (1...PyTorchLimits.maximumNameByteCount).contains($0.utf8.count) })
        else { return [] }
        return keys
    }

    private static func parsed(_ text: JSON?) -> JSON? {
        text?.string.flatMap { try? JSONParser.parse(Array($0.utf8)) }
    }
}
