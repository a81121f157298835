import Graph
import Tensors

extension ScheduleBuilder {
    /// Lets the first steps run item by item, each item on one thread, where a batch makes their values outgrow the caches:
    /// an item's values stay there from one step to the next.
    ///
    /// It ends where reading the weights again for every item would cost more than keeping the values saves.
    mutating func runFirstStepsItemByItem() throws(ExecutionError) {
        guard let items = values[executable.inputNames.first ?? ""]?.shape?.first, items >= threadCount,
            items > 1,
            items.isMultiple(of: threadCount) || items >= 4 * threadCount,
            let count = itemwiseStepCount(items: items)
        else { return }
        let first = placed[..<count]
        let end = count < placed.count ? placed[count].index : executable.steps.count
        // What later steps read, and what comes out.
        let defined = first.flatMap { $0.outputs.compactMap { $0 } }
        let read = Set(placed[count...].flatMap(\.inputs)).union(outputs.map(\.place))
        let kept = defined.filter { read.contains($0) }
        let inputs = executable.inputNames.filter { name in first.contains { $0.inputs.contains(name) } }
        var interfaces: [String: ScheduleCache.Interface] = [:]
        for name in executable.inputNames {
            guard let type = values[name]?.elementType, var dimensions = shapes[name]?.dimensions else {
                return
            }
            if inputs.contains(name) { dimensions[0] = 1 }
            guard let shape = try? Shape(dimensions) else { return }
            interfaces[name] = ScheduleCache.Interface(elementType: type, shape: shape)
        }
        var builder = ScheduleBuilder(
            executable, inputs: interfaces, threadCount: 1, range: 0..<end, outputs: kept.map { ($0, $0) })
        var strides: [Int] = []
        for name in inputs + kept { strides.append(try byteCount(name) / items) }
        guard let schedule = try builder.build(),
            let run = ItemwiseRun(
                schedule, inputs: inputs.map { executable.inputNames.firstIndex(of: $0)! },
                inputStrides: Array(strides[..<inputs.count]), outputStrides: Array(strides[inputs.count...]))
        else { return }
        var operation = ScheduledOperation(.itemwise(run, itemCount: items))
        operation.workerScratchCount = run.scratchCount
        let merged = PlacedStep(
            index: placed[0].index, operation: operation, nodes: first.flatMap(\.nodes), inputs: inputs,
            outputs: kept)
        placed.replaceSubrange(..<count, with: [merged])
    }

    /// How many of the first steps shall run item by item; `nil`: fewer than two.
    private func itemwiseStepCount(items: Int) -> Int? {
        var best = (count: 0, gain: 0)
        var gain = 0
        for (position, placed) in placed.enumerated() {
            let step = executable.steps[placed.index]
            guard step.operation.isItemwise, case .phases = placed.operation.work else { break }
            let names = placed.inputs.filter { constant($0) == nil } + placed.outputs.compactMap { $0 }
            guard
                names.allSatisfy({
                    shapes[$0]?.dimensions.first == items && values[$0]?.elementType == .float32
                }),
                placed.outputs.allSatisfy({ $0 != nil })
            else { break }
            let valueBytes = names.reduce(0) { $0 + ((try? byteCount($1)) ?? 0) / items }
            gain += valueBytes - step.operation.weightByteCount
            if gain > best.gain { best = (position + 1, gain) }
        }
        return best.count > 1 ? best.count : nil
    }
}
