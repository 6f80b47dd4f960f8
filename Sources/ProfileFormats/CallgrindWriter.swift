public import StackProfile

/// Profiles as callgrind's files (docs/formats/callgrind.md), which KCachegrind and `callgrind_annotate` read.
public enum CallgrindFile {
    /// A function with what it cost itself and what its calls did.
    private struct Function {
        var own: [Int: Int64] = [:]
        /// By the called function and the line of the call: how many samples, and their weight.
        var calls: [Call: Int64] = [:]
    }

    private struct Call: Hashable, Comparable {
        var target: Int
        var line: Int

        static func < (one: Call, other: Call) -> Bool { (one.target, one.line) < (other.target, other.line) }
    }

    private struct Name: Hashable {
        var function: ExactText
        var module: ExactText
        var file: ExactText
    }

    /// Writes the functions and calls of a profile. Weights are costs, and the number of calls, which samples do not show, is
    /// 1 each.
    public static func write(_ profile: StackProfile, exporter: String) -> [UInt8] {
        var names: [Name] = []
        var numbers: [Name: Int] = [:]
        let functionOfFrame = profile.frames.map { frame in
            let name = Name(
                function: ExactText(line(frame.function.isEmpty ? "[unknown]" : frame.function)),
                module: ExactText(line(frame.module ?? "???")), file: ExactText(line(frame.file ?? "???")))
            let number = numbers[name] ?? names.count
            if numbers.updateValue(number, forKey: name) == nil { names.append(name) }
            return number
        }
        var functions = [Function](repeating: Function(), count: names.count)
        for sample in profile.samples where sample.weight > 0 {
            let frames = profile.stacks.frames(of: sample.stack)
            guard let leaf = frames.last else { continue }
            functions[functionOfFrame[leaf.position]].own[profile[leaf].line ?? 0, default: 0] +=
                sample.weight
            // A call that is in a stack more than once, of a recursion, costs its weight once.
            var seen: Set<SIMD2<Int>> = []
            for (caller, target) in zip(frames, frames.dropFirst()) {
                let pair = (functionOfFrame[caller.position], functionOfFrame[target.position])
                guard seen.insert(SIMD2(pair.0, pair.1)).inserted else { continue }
                functions[pair.0].calls[Call(target: pair.1, line: profile[caller].line ?? 0), default: 0] +=
                    sample.weight
            }
        }
        return text(names, functions, event: event(of: profile.unit), exporter: exporter)
    }

    private static func event(of unit: WeightUnit) -> (name: String, title: String) {
        switch unit {
        case .samples: ("Samples", "samples")
        case .nanoseconds: ("ns", "nanoseconds")
        case .instructions: ("Ir", "instructions")
        case .bytes: ("Bytes", "bytes")
        case .counts(let what):
            (String(what.unicodeScalars.map { $0.properties.isAlphabetic ? Character($0) : "_" }), what)
        }
    }

    private static func text(
        _ names: [Name], _ functions: [Function], event: (name: String, title: String), exporter: String
    ) -> [UInt8] {
        let total = functions.reduce(0) { $0 + $1.own.values.reduce(0, +) }
        var text = "# callgrind format\nversion: 1\ncreator: \(line(exporter))\npositions: line\n"
        text += "event: \(event.name) : \(line(event.title))\nevents: \(event.name)\nsummary: \(total)\n\n"
        var (objects, files, known) = (NameNumbers(), NameNumbers(), NameNumbers())
        for (name, function) in zip(names, functions) where !function.own.isEmpty || !function.calls.isEmpty {
            text += "ob=\(objects[name.module])\nfl=\(files[name.file])\nfn=\(known[name.function])\n"
            for (line, cost) in function.own.sorted(by: { $0.key < $1.key }) { text += "\(line) \(cost)\n" }
            for (call, cost) in function.calls.sorted(by: { $0.key < $1.key }) {
                let target = names[call.target]
                text +=
                    "cob=\(objects[target.module])\ncfi=\(files[target.file])\ncfn=\(known[target.function])\n"
                text += "calls=1 0\n\(call.line) \(cost)\n"
            }
            text += "\n"
        }
        return Array((text + "totals: \(total)\n").utf8)
    }

    /// Names with numbers: `(1) main` at first, `(1)` from then on.
    private struct NameNumbers {
        private var numbers: [ExactText: Int] = [:]

        subscript(name: ExactText) -> String {
            mutating get {
                if let number = numbers[name] { return "(\(number))" }
                numbers[name] = numbers.count + 1
                return "(\(numbers.count)) \(name.text)"
            }
        }
    }

    /// A name on one line.
    private static func line(_ name: String) -> String {
        var text = String.UnicodeScalarView()
        for scalar in name.unicodeScalars where scalar.value >= 0x20 && scalar.value != 0x7F {
            text.append(scalar)
        }
        return String(text)
    }
}
