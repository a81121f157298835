import Graph
import Tensors

/// Tensors that come in by `--input` and go out to `--output-dir`.
package enum TensorArguments {
    /// Reads `NAME=FILE.npy` arguments; `FILE.npy` alone will do for a model with one input.
    static func read(_ arguments: [String], for graph: Graph) throws -> [String: Tensor] {
        var inputs: [String: Tensor] = [:]
        let names = graph.inputs.map(\.name)
        for argument in arguments {
            let (name, path) = try split(argument, names: names)
            guard inputs.updateValue(try NPYFile.read(path: path), forKey: name) == nil else {
                throw CommandFailure.usage("input '\(name)' is given twice")
            }
        }
        return inputs
    }

    /// Writes one file an output, `<name>.npy`.
    static func write(_ outputs: [String: Tensor], directory: String) throws {
        for (name, tensor) in outputs {
            try NPYFile.write(tensor, path: directory + "/" + fileName(name))
        }
    }

    /// Characters outside `[A-Za-z0-9._-]` are percent-encoded as UTF-8 bytes.
    package static func fileName(_ name: String) -> String {
        let hexadecimal = Array("0123456789ABCDEF")
        var result = ""
        for byte in name.utf8 {
            let character = Character(UnicodeScalar(byte))
            if character.isASCII, character.isLetter || character.isNumber || "._-".contains(character) {
                result.append(character)
            } else {
                result += "%" + String([hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 15)]])
            }
        }
        return result + ".npy"
    }

    /// A tensor name may hold `=`: the longest input name that the argument begins with wins.
    private static func split(_ argument: String, names: [String]) throws -> (name: String, path: String) {
        let matches = names.filter { argument.hasPrefix($0 + "=") }
        if let name = matches.max(by: { $0.utf8.count < $1.utf8.count }) {
            return (name, String(argument.dropFirst(name.count + 1)))
        }
        if !argument.contains("=") {
            guard names.count == 1 else {
                throw CommandFailure.usage(
                    "--input \(argument): the model has \(names.count) inputs, say NAME=FILE.npy with one of "
                        + names.joined(separator: ", "))
            }
            return (names[0], argument)
        }
        let name = argument.prefix { $0 != "=" }
        throw CommandFailure.data(
            "the model has no input '\(name)', its inputs are: " + names.joined(separator: ", "))
    }
}
