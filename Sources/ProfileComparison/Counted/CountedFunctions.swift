internal import FrozenProfile
internal import Measurement
public import StackProfile

extension CountedComparison {
    /// Finds in which functions each change is. Counts are exact, so the functions' changes add up to the stage's.
    ///
    /// - Parameters:
    ///   - older: The old side's instructions by stage and function.
    ///   - newer: The new side's.
    public mutating func explain(from older: StackProfile, to newer: StackProfile) {
        let before = FunctionSums(older)
        let after = FunctionSums(newer)
        for index in rows.indices {
            guard rows[index].from != nil, rows[index].to != nil else { continue }
            let stage = rows[index].stage
            let new = after.sums(of: stage)
            let old = FunctionSums.renamed(before.sums(of: stage), as: new)
            var functions: [Function] = []
            for key in Set(old.keys).union(new.keys) {
                let function = Function(
                    name: key.function, module: key.module, isInSource: key.isInSource, from: old[key] ?? 0,
                    to: new[key] ?? 0)
                if function.change != 0 { functions.append(function) }
            }
            functions.sort { left, right in
                (right.change.magnitude, left.name, left.module ?? "")
                    < (left.change.magnitude, right.name, right.module ?? "")
            }
            rows[index].functions = Array(functions.prefix(Self.maximumFunctions))
        }
    }

    /// The most functions that are kept of a row.
    static let maximumFunctions = 20
}

/// Instructions of each function by stage, in an average run.
///
/// A counted stack has no callers. Where an interpreter is known to work for a function of its language, that function comes
/// first and the native code after it. The instructions count for the function, because the user cannot change the
/// interpreter's code.
private struct FunctionSums {
    struct Key: Hashable {
        var function: String
        var module: String?
        var isInSource: Bool
    }

    private var stages: [StageName?: [Key: Double]] = [:]
    private var whole: [Key: Double] = [:]

    init(_ profile: StackProfile) {
        let runs = Double(max(1, Set(profile.labelSets.compactMap(\.run)).count))
        for sample in profile.samples {
            guard let frame = profile.frames(of: sample).first else { continue }
            let key = Key(function: frame.function, module: frame.module, isInSource: frame.file != nil)
            let weight = Double(sample.weight) / runs
            stages[profile.labels(of: sample).stage, default: [:]][key, default: 0] += weight
            whole[key, default: 0] += weight
        }
    }

    func sums(of stage: StageName?) -> [Key: Double] {
        guard let stage else { return whole }
        return stages[stage] ?? [:]
    }

    /// The old sums with the files of the new ones: a program or a library that has another file name, such as `old` and `new`
    /// or `libx.so.1` and `libx.so.2`, has the same functions. Only names that are left over once on either side are matched.
    static func renamed(_ old: [Key: Double], as new: [Key: Double]) -> [Key: Double] {
        func alone(_ keys: [Key]) -> [String: Key] {
            Dictionary(grouping: keys, by: \.function).compactMapValues { $0.count == 1 ? $0.first : nil }
        }
        let come = alone(new.keys.filter { old[$0] == nil })
        let gone = alone(old.keys.filter { new[$0] == nil })
        var result = old
        for (name, key) in gone {
            guard let other = come[name], other.isInSource == key.isInSource else { continue }
            result[other] = result.removeValue(forKey: key)
        }
        return result
    }
}
