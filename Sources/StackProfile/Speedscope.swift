internal import Measurement

/// Profiles as JSON for speedscope (docs/formats/speedscope.md).
public enum Speedscope {
    /// What is said about a profile beyond its stacks.
    public struct Options: Sendable {
        /// The title of the file.
        public var name = "profile"
        /// The program that wrote it, with its version.
        public var exporter = "freeze-profile"
        /// What each profile of the file is of; nil for one profile of everything.
        public var grouping: GroupingLabel?

        /// The defaults.
        public init() {}
    }

    /// Writes a file with one sampled profile for each group, the heaviest first. The same profile gives the same bytes.
    ///
    /// Stacks that are equal stand together, in the order in which they first appeared: samples keep no time. Weights
    /// are nanoseconds where the time between two samples is known, else counts. Samples of weight 0 are left out.
    public static func write(_ profile: StackProfile, options: Options = Options()) -> [UInt8] {
        let scale = Scale(profile)
        let (table, indices) = frames(of: profile)
        var json = JSONWriter()
        json.object { file in
            file.field("$schema", "https://www.speedscope.app/file-format-schema.json")
            file.field("exporter", options.exporter)
            file.field("name", options.name)
            file.field("activeProfileIndex", 0)
            file.key("shared")
            file.object { shared in
                shared.key("frames")
                shared.array { list in for frame in table { list.frame(frame) } }
            }
            file.key("profiles")
            file.array { list in
                for group in groups(of: profile, by: options.grouping, whole: options.name) {
                    list.sampled(group, of: profile, scale: scale, frameIndices: indices)
                }
            }
        }
        return json.bytes + [0x0A]
    }

    /// What one unit of the profile's weights is in the file.
    struct Scale {
        let unit: String
        let factor: Int64

        init(_ profile: StackProfile) {
            let period = profile.period?.inNanoseconds ?? 0
            switch profile.unit {
            case .nanoseconds: (unit, factor) = ("nanoseconds", 1)
            // A reader adds up in doubles, which are exact up to the same limit as ours.
            case .samples where period > 0 && profile.totalWeight <= StackProfile.weightLimit / period:
                (unit, factor) = ("nanoseconds", period)
            case .bytes: (unit, factor) = ("bytes", 1)
            case .samples, .instructions, .counts: (unit, factor) = ("none", 1)
            }
        }
    }

    /// A frame as speedscope distinguishes frames.
    struct NamedFrame: Hashable {
        var name: String
        var file: String?
        var line: Int?

        static func == (one: NamedFrame, other: NamedFrame) -> Bool {
            one.line == other.line && one.name.isIdentical(to: other.name)
                && one.file.isIdentical(to: other.file)
        }
    }

    /// The frames of a file, and for each frame of the profile its place among them.
    private static func frames(of profile: StackProfile) -> (table: [NamedFrame], indices: [Int]) {
        var table: [NamedFrame] = []
        var known: [NamedFrame: Int] = [:]
        let indices = profile.frames.map { frame in
            let named = NamedFrame(
                name: frame.function.isEmpty ? "[unknown]" : frame.function, file: frame.file ?? frame.module,
                line: frame.file == nil ? nil : frame.line.flatMap { $0 > 0 ? $0 : nil })
            let index = known[named] ?? table.count
            if known.updateValue(index, forKey: named) == nil { table.append(named) }
            return index
        }
        return (table, indices)
    }

    /// Samples that become one profile.
    struct Group {
        var name: String
        var samples: [StackProfile.Sample] = []
        var weight: Int64 = 0
    }

    private static func groups(of profile: StackProfile, by label: GroupingLabel?, whole: String) -> [Group] {
        let names = profile.labelSets.map { label?.frame(for: $0).function ?? whole }
        var groups: [Group] = []
        var known: [String: Int] = [:]
        for sample in profile.samples where sample.weight > 0 {
            let name = names[sample.labels]
            let index = known[name] ?? groups.count
            if known.updateValue(index, forKey: name) == nil { groups.append(Group(name: name)) }
            groups[index].samples.append(sample)
            groups[index].weight += sample.weight
        }
        // A file without any profile is one that readers reject.
        if groups.isEmpty { return [Group(name: whole)] }
        return groups.sorted { ($1.weight, $0.name) < ($0.weight, $1.name) }
    }
}

extension JSONWriter {
    fileprivate mutating func frame(_ frame: Speedscope.NamedFrame) {
        object { entry in
            entry.field("name", frame.name)
            if let file = frame.file { entry.field("file", file) }
            if let line = frame.line { entry.field("line", Int64(line)) }
        }
    }

    fileprivate mutating func sampled(
        _ group: Speedscope.Group, of profile: StackProfile, scale: Speedscope.Scale, frameIndices: [Int]
    ) {
        object { entry in
            entry.field("type", "sampled")
            entry.field("name", group.name)
            entry.field("unit", scale.unit)
            entry.field("startValue", 0)
            entry.field("endValue", group.weight * scale.factor)
            entry.key("samples")
            entry.array { samples in
                for sample in group.samples {
                    samples.array { stack in
                        for frame in profile.stacks.frames(of: sample.stack) {
                            stack.number(Int64(frameIndices[frame.position]))
                        }
                    }
                }
            }
            entry.key("weights")
            entry.array { weights in
                for sample in group.samples { weights.number(sample.weight * scale.factor) }
            }
        }
    }
}
