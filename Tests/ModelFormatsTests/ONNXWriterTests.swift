import Foundation
import Graph
import enum Graph.Dimension
import ModelFormats
import Tensors
import TestSupport
import Testing

@Suite struct ONNXWriterTests {
    let folder = TemporaryFolder()

    /// What `graph` is when it has been written and read again.
    private func rewritten(_ graph: Graph) throws -> Graph {
        let path = folder.path + "/written.onnx"
        try ONNXWriter().write(graph, to: path)
        return try ONNXFormat().load(path: path)
    }

    @Test(arguments: Fixtures.onnxCases.filter { !Fixtures.refusedCases.contains($0) })
    func `writes what it has read`(_ name: String) throws {
        let graph = try FormatCatalog.standard.load(path: Fixtures.onnx + "/" + name)
        #expect(describe(try rewritten(graph)) == describe(graph))
    }

    @Test(arguments: Fixtures.modelNames) func `writes the models of the repository`(_ name: String) throws {
        let graph = try FormatCatalog.standard.load(path: Fixtures.models + "/" + name)
        #expect(describe(try rewritten(graph)) == describe(graph))
    }

    @Test func `writes every attribute kind, element type and dimension`() throws {
        var constants: [String: Tensor] = [:]
        for type in ElementType.allCases {
            constants[type.rawValue] = Tensor(elementType: type, shape: try Shape([2, 3])) { bytes in
                for index in bytes.indices { bytes[index] = type == .bool ? 1 : UInt8(index) }
            }
        }
        constants["empty"] = Tensor(elementType: .float32, shape: try Shape([0, 4])) { _ in }
        let ports = [
            Graph.Port(name: "x", info: ValueInfo(.float32, [.symbol("N"), .known(0), .unknown])),
            Graph.Port(name: "s", info: ValueInfo(.int64, [])),
            Graph.Port(name: "any", info: ValueInfo(.float16, nil)),
        ]
        let node = try Node(
            name: "pool", type: "MaxPool",
            attributes: [
                "kernel_shape": .integers([1, 0x7fff_ffff]), "auto_pad": .string("SAME_UPPER"),
                "ceil_mode": .integer(0),
            ], opset: 12, inputs: ["p"], outputs: ["y"])
        let graph = try Graph(
            name: "a", opset: 12,
            inputs: ports + [
                Graph.Port(
                    name: "p", info: ValueInfo(.float32, [.symbol("N"), .known(1), .known(4), .known(4)]))
            ],
            outputs: [
                Graph.Port(name: "y", info: ValueInfo(nil, nil)),
                Graph.Port(name: "bool", info: ValueInfo(.bool, nil)),
            ], constants: constants, overridableInputs: ["float64"], nodes: [node])
        #expect(describe(try rewritten(graph)) == describe(graph))
    }

    // MARK: - Affine

    private func affineGraph(
        type: ElementType = .float32, dimensions: [Dimension]? = [.symbol("N"), .known(2), .known(3)],
        constants: [String: Tensor] = [:], sources: [Node] = []
    ) throws -> Graph {
        let affine = try Node(
            name: "norm", domain: Affine.domain, type: Affine.type,
            attributes: Affine.attributes(scale: [2, 3], shift: [-1, 0.5], axis: 1), opset: 17, inputs: ["x"],
            outputs: ["y"], sources: sources)
        return try Graph(
            name: "g", opset: 17, inputs: [Graph.Port(name: "x", info: ValueInfo(type, dimensions))],
            outputs: [Graph.Port(name: "y", info: ValueInfo(type, dimensions))], constants: constants,
            nodes: [affine])
    }

    private func batchNormalization(input: String, output: String = "y") throws -> Node {
        try Node(
            name: "norm", type: "BatchNormalization", opset: 17, inputs: [input, "a", "b", "c", "d"],
            outputs: [output])
    }

    private func parameters() throws -> [String: Tensor] {
        let vector = try Tensor([Float(1), 2], shape: Shape([2]))
        return ["a": vector, "b": vector, "c": vector, "d": vector]
    }

    @Test(arguments: [ElementType.float16, .bfloat16, .float32, .float64])
    func `writes an affine as Mul and Add of the input's type along its axis`(_ type: ElementType) throws {
        let graph = try affineGraph(type: type)
        let written = try rewritten(graph)
        #expect(written.nodes.map(\.type) == ["Mul", "Add"])
        #expect(written.nodes.map(\.name) == ["norm_Mul", "norm_Add"])
        #expect(
            written.constants.values.allSatisfy { $0.elementType == type && $0.shape.dimensions == [2, 1] })
        let x = try ExactTensor(
            reals: [1, 2, 3, 4, 5, 6], shape: Shape([1, 2, 3]), elementType: type)
        let result = try Evaluator(rounding: .declared).run(written, inputs: ["x": x])
        #expect(result["y"]?.reals == [1, 3, 5, 12.5, 15.5, 18.5])
    }

    @Test func `writes an untouched affine as the nodes it was recognised from`() throws {
        let graph = try affineGraph(constants: parameters(), sources: [batchNormalization(input: "x")])
        let written = try rewritten(graph)
        #expect(written.nodes.map(\.type) == ["BatchNormalization"])
        #expect(written.nodes.map(\.name) == ["norm"])
    }

    @Test func `writes an affine that has moved as Mul and Add`() throws {
        for source in try [
            batchNormalization(input: "elsewhere"), batchNormalization(input: "x", output: "z"),
        ] {
            let graph = try affineGraph(constants: parameters(), sources: [source])
            #expect(try rewritten(graph).nodes.map(\.type) == ["Mul", "Add"])
        }
    }

    @Test func `writes an affine whose sources' weights are gone as Mul and Add`() throws {
        let graph = try affineGraph(sources: [batchNormalization(input: "x")])
        #expect(try rewritten(graph).nodes.map(\.type) == ["Mul", "Add"])
    }

    @Test func `gives the new nodes and values names that nothing has`() throws {
        var constants: [String: Tensor] = [:]
        for name in ["norm_product", "norm_Mul_constant", "norm_Add_constant"] {
            constants[name] = Tensor([Float(0)])
        }
        let written = try rewritten(affineGraph(constants: constants))
        #expect(written.constants.count == 5)
        #expect(written.nodes[0].outputs == ["norm_product_1"])
        #expect(written.nodes[1].inputs == ["norm_product_1", "norm_Add_constant_1"])
    }

    @Test func `refuses an affine of unknown rank`() throws {
        let graph = try affineGraph(dimensions: nil)
        let path = folder.path + "/written.onnx"
        #expect {
            try ONNXWriter().write(graph, to: path)
        } throws: {
            "\($0)" == path
                + ": node 'norm' (Affine): Affine: the rank and element type of the input are not known"
        }
    }

    // MARK: - File

    @Test(arguments: [
        (7, 4), (9, 4), (10, 5), (11, 6), (14, 7), (17, 8), (18, 8), (20, 9), (22, 10), (26, 13),
    ])
    func `writes the IR version of the operator set`(_ opset: Int, _ version: UInt8) throws {
        let graph = try folder.load(
            .model([.initializer("w", dims: [1], floats: [4]), .output("w")], opset: Int64(opset)))
        let path = folder.path + "/written.onnx"
        try ONNXWriter().write(graph, to: path)
        #expect(Array(try Data(contentsOf: URL(filePath: path)).prefix(2)) == [0x08, version])
    }

    @Test func `replaces a file only when the new one is complete`() throws {
        let path = folder.write([1, 2, 3], to: "model.onnx")
        let graph = try affineGraph(dimensions: nil)
        #expect(throws: ModelError.self) { try ONNXWriter().write(graph, to: path) }
        #expect(try Data(contentsOf: URL(filePath: path)) == Data([1, 2, 3]))
        try ONNXWriter().write(affineGraph(), to: path)
        #expect(try ONNXFormat().load(path: path).nodes.count == 2)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["model.onnx"])
    }

    @Test func `says why a file cannot be written`() throws {
        let graph = try affineGraph()
        let path = folder.path + "/absent/model.onnx"
        #expect {
            try ONNXWriter().write(graph, to: path)
        } throws: {
            "\($0)" == path + ": No such file or directory"
        }
    }

    @Test func `refuses a model that is longer than protobuf allows`() throws {
        // Sixteen weights share one quarter of a gigabyte that is only reserved: a sparse file.
        let sparse = folder.path + "/sparse"
        _ = FileManager.default.createFile(atPath: sparse, contents: nil)
        truncate(sparse, 1 << 28)
        let storage = try MappedFile(path: sparse).storage
        var constants: [String: Tensor] = [:]
        for index in 0..<8 {
            constants["w\(index)"] = try Tensor(
                elementType: .float32, shape: Shape([1 << 26]), storage: storage)
        }
        let graph = try Graph(
            name: "g", opset: 17, inputs: [],
            outputs: [Graph.Port(name: "w0", info: ValueInfo(.float32, nil))],
            constants: constants, nodes: [])
        #expect {
            try ONNXWriter().write(graph, to: folder.path + "/written.onnx")
        } throws: {
            "\($0)".contains("would have 21474") && "\($0)".hasSuffix("an ONNX file has at most 2147483647")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["sparse"])
    }
}
