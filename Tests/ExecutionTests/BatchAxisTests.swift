import Execution
import Graph
import Tensors
import Testing

@Suite struct BatchAxisTests {
    /// One or a few nodes from x to y, and whether the items of several requests may ride in one run.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let isTracked: Bool
        let opset: Int
        let input: [Dimension]
        let build: @Sendable (inout GraphSketch) throws -> Void

        init(
            _ name: String, _ isTracked: Bool, input: [Dimension] = [.symbol("N"), .known(4), .known(6)],
            opset: Int = 17, _ build: @escaping @Sendable (inout GraphSketch) throws -> Void
        ) {
            (testDescription, self.isTracked, self.opset) = (name, isTracked, opset)
            (self.input, self.build) = (input, build)
        }

        static let all: [Case] = kept + mixed

        static let kept: [Case] = [
            Case("an activation", true) { try $0.add("Relu", ["x"], ["y"]) },
            Case("a constant for each channel", true) {
                $0.constants["c"] = Tensor([Float](repeating: 1, count: 6))
                try $0.add("Mul", ["x", "c"], ["y"])
            },
            Case("a view by a constant shape", true) {
                $0.constants["s"] = Tensor([-1, 24] as [Int64])
                try $0.add("Reshape", ["x", "s"], ["y"])
            },
            Case("a view by the batch's own extent", true) {
                $0.constants["zero"] = Tensor([0] as [Int64])
                $0.constants["rest"] = Tensor([-1] as [Int64])
                try $0.add("Shape", ["x"], ["shape"])
                try $0.add("Gather", ["shape", "zero"], ["n"])
                try $0.add("Concat", ["n", "rest"], ["s"], ["axis": .integer(0)])
                try $0.add("Reshape", ["x", "s"], ["y"])
            },
            Case("there and back", true) {
                try $0.add("Transpose", ["x"], ["t"], ["perm": .integers([1, 0, 2])])
                try $0.add("Softmax", ["t"], ["s"], ["axis": .integer(2)])
                try $0.add("Transpose", ["s"], ["y"], ["perm": .integers([1, 0, 2])])
            },
            Case("a mean of each item", true) {
                try $0.add(
                    "ReduceMean", ["x"], ["y"], ["axes": .integers([1, -1]), "keepdims": .integer(0)])
            },
            Case("products of an item with itself", true) {
                try $0.add("Transpose", ["x"], ["t"], ["perm": .integers([0, 2, 1])])
                try $0.add("MatMul", ["x", "t"], ["y"])
            },
            Case("an embedding", true, input: [.symbol("N"), .known(3)]) {
                $0.constants["table"] = Tensor([Float](repeating: 1, count: 9))
                try $0.add("Cast", ["x"], ["i"], ["to": .integer(7)])
                try $0.add("Gather", ["table", "i"], ["y"])
            },
            Case(
                "a recurrent layer from a state of zeros", true, input: [.symbol("N"), .known(5), .known(2)]
            ) {
                $0.constants["w"] = Tensor(elementType: .float32, shape: try Shape([1, 9, 2])) { _ in }
                $0.constants["r"] = Tensor(elementType: .float32, shape: try Shape([1, 9, 3])) { _ in }
                $0.constants["one"] = Tensor([1] as [Int64])
                $0.constants["width"] = Tensor([3] as [Int64])
                $0.constants["zero"] = Tensor([0] as [Int64])
                try $0.add("Shape", ["x"], ["shape"])
                try $0.add("Gather", ["shape", "zero"], ["n"])
                try $0.add("Concat", ["one", "n", "width"], ["s"], ["axis": .integer(0)])
                try $0.add("ConstantOfShape", ["s"], ["state"])
                try $0.add("Transpose", ["x"], ["t"], ["perm": .integers([1, 0, 2])])
                try $0.add(
                    "GRU", ["t", "w", "r", nil, nil, "state"], ["all", "last"],
                    ["hidden_size": .integer(3)])
                $0.constants["axes"] = Tensor([0] as [Int64])
                try $0.add("Squeeze", ["last", "axes"], ["y"])
            },
        ]

        static let mixed: [Case] = [
            Case("a fixed number of items", false, input: [.known(1), .known(4)]) {
                try $0.add("Relu", ["x"], ["y"])
            },
            Case("a softmax over the items", false) {
                try $0.add("Softmax", ["x"], ["y"], ["axis": .integer(0)])
            },
            Case("what is subtracted is the batch's mean", false) {
                try $0.add("ReduceMean", ["x"], ["m"], ["axes": .integers([0]), "keepdims": .integer(1)])
                try $0.add("Sub", ["x", "m"], ["y"])
            },
            Case("the scale is the batch's", false) {
                try $0.add("DynamicQuantizeLinear", ["x"], ["q", "s", "z"])
                try $0.add("DequantizeLinear", ["q", "s", "z"], ["y"])
            },
            Case("items of a constant's own", false) {
                $0.constants["c"] = Tensor(elementType: .float32, shape: try Shape([3, 1, 1])) { _ in }
                try $0.add("Add", ["x", "c"], ["y"])
            },
            Case("items are regrouped", false) {
                $0.constants["s"] = Tensor([-1, 48] as [Int64])
                try $0.add("Reshape", ["x", "s"], ["y"])
            },
            Case("items move by a place", false) {
                $0.constants["pads"] = Tensor([1, 0, 0, -1, 0, 0] as [Int64])
                try $0.add("Pad", ["x", "pads"], ["y"])
            },
            Case("items are turned over", false) {
                $0.constants["starts"] = Tensor([-1] as [Int64])
                $0.constants["ends"] = Tensor([Int64.min])
                $0.constants["axes"] = Tensor([0] as [Int64])
                try $0.add("Slice", ["x", "starts", "ends", "axes", "starts"], ["y"])
            },
            Case("running sums over the items", false) {
                $0.constants["axis"] = Tensor([0] as [Int64])
                try $0.add("CumSum", ["x", "axis"], ["y"])
            },
            Case("an item times the others", false, input: [.symbol("N"), .known(4)]) {
                try $0.add("Transpose", ["x"], ["t"])
                try $0.add("MatMul", ["x", "t"], ["y"])
            },
            Case("the number of items is part of the answer", false) {
                try $0.add("Size", ["x"], ["n"])
                try $0.add("Cast", ["n"], ["f"], ["to": .integer(1)])
                try $0.add("Div", ["x", "f"], ["y"])
            },
            Case("the items lie on another axis of the output", false) {
                try $0.add("Transpose", ["x"], ["y"], ["perm": .integers([1, 0, 2])])
            },
            Case("places in the whole batch", false, input: [.symbol("N"), .known(1), .known(4), .known(4)]) {
                try $0.add("MaxPool", ["x"], ["m", "y"], ["kernel_shape": .integers([2, 2])])
            },
            Case("another axis as long as the batch", false, input: [.symbol("N"), .symbol("N")]) {
                try $0.add("Relu", ["x"], ["y"])
            },
        ]
    }

    @Test(arguments: Case.all) func `items ride together only where each has an answer of its own`(
        _ test: Case
    ) throws {
        var sketch = GraphSketch(opset: test.opset)
        sketch.input("x", test.input)
        try test.build(&sketch)
        let executable = try Executable(try sketch.graph(["y"]))
        #expect(
            (executable.batchObstacle == nil) == test.isTracked, "\(executable.batchObstacle ?? "tracked")")
    }

    @Test(arguments: Recipe.all) func `the networks that give the same bits in every batch are tracked`(
        _ recipe: Recipe
    ) throws {
        #expect(try Executable(try recipe.graph()).batchObstacle == nil)
    }
}
