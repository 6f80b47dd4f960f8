internal import Measurement
public import StackProfile

/// Profiles as Chrome's trace events (docs/formats/chrome-trace.md), which Perfetto and `chrome://tracing` open.
///
/// An aggregated profile has no times: stacks stand beside each other in order of their names, as in a flamegraph, and a
/// function is one span over all it called. The axis adds up weights.
public enum ChromeTraceEvents {
    /// Writes a file with a thread for each group.
    ///
    /// - Parameters:
    ///   - profile: The stacks.
    ///   - grouping: What each thread of the file is of; nil for one of everything.
    ///   - name: The title.
    public static func write(_ profile: StackProfile, grouping: GroupingLabel?, name: String) -> [UInt8] {
        let factor = nanoseconds(of: profile)
        var json = JSONWriter()
        json.object { file in
            file.field("displayTimeUnit", "ms")
            file.key("otherData")
            file.object { data in
                data.field("title", name)
                data.field("axis", "\(profile.unit.name) added up: not the time of day")
            }
            file.key("traceEvents")
            file.array { events in
                events.metadata("process_name", name, thread: 0)
                for (index, group) in groups(of: profile, by: grouping, whole: name).enumerated() {
                    events.metadata("thread_name", group.name, thread: index + 1)
                    write(group.samples, of: profile, factor: factor, thread: index + 1, to: &events)
                }
            }
        }
        return json.bytes + [0x0A]
    }

    /// The nanoseconds that a unit of weight is drawn as.
    private static func nanoseconds(of profile: StackProfile) -> Int64 {
        switch profile.unit {
        case .nanoseconds: return 1
        case .samples:
            let period = max(1, profile.period?.inNanoseconds ?? 1_000_000)
            return profile.totalWeight <= StackProfile.weightLimit / period ? period : 1
        // A unit is a microsecond, which the format counts in.
        case .bytes, .instructions, .counts:
            return profile.totalWeight <= StackProfile.weightLimit / 1000 ? 1000 : 1
        }
    }

    private static func groups(
        of profile: StackProfile, by label: GroupingLabel?, whole: String
    ) -> [(name: String, samples: [StackProfile.Sample])] {
        var groups: [(name: String, samples: [StackProfile.Sample])] = []
        var known: [String: Int] = [:]
        for sample in profile.samples where sample.weight > 0 {
            let name = label.map { $0.text(in: profile.labels(of: sample)) ?? "(no \($0.name))" } ?? whole
            let index = known[name] ?? groups.count
            if known.updateValue(index, forKey: name) == nil { groups.append((name, [])) }
            groups[index].samples.append(sample)
        }
        return groups
    }

    private static func write(
        _ samples: [StackProfile.Sample], of profile: StackProfile, factor: Int64, thread: Int,
        to events: inout JSONWriter
    ) {
        var totals = [Int64](repeating: 0, count: profile.stacks.count)
        var parents = [Int](repeating: -1, count: profile.stacks.count)
        var frames = [Int](repeating: -1, count: profile.stacks.count)
        for sample in samples { totals[sample.stack.position] += sample.weight }
        profile.stacks.forEachStack { stack, parent, leaf in
            (parents[stack.position], frames[stack.position]) = (parent.position, leaf.position)
        }
        for stack in stride(from: totals.count - 1, to: 0, by: -1) { totals[parents[stack]] += totals[stack] }
        var children: [Int: [Int]] = [:]
        for stack in 1..<max(1, totals.count) where totals[stack] > 0 {
            children[parents[stack], default: []].append(stack)
        }
        var open: [(stack: Int, start: Int64)] = [(0, 0)]
        while let (stack, start) = open.popLast() {
            if stack > 0 {
                let frame = profile.frames[frames[stack]]
                events.span(
                    frame, start: start * factor, duration: totals[stack] * factor, thread: thread)
            }
            var now = start
            let inner = (children[stack] ?? []).sorted {
                (profile.frames[frames[$0]].function, $0) < (profile.frames[frames[$1]].function, $1)
            }
            // Parents come before children, and an earlier sibling with all of its own before the next.
            for child in inner {
                open.append((child, now))
                now += totals[child]
            }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func metadata(_ kind: String, _ name: String, thread: Int) {
        object { event in
            event.field("ph", "M")
            event.field("name", kind)
            event.field("pid", 1)
            event.field("tid", Int64(thread))
            event.key("args")
            event.object { $0.field("name", PlainText.sanitized(name, maximumCharacters: 200)) }
        }
    }

    fileprivate mutating func span(_ frame: Frame, start: Int64, duration: Int64, thread: Int) {
        object { event in
            event.field("ph", "X")
            event.field("name", frame.function.isEmpty ? "[unknown]" : frame.function)
            event.field("cat", frame.module ?? "stack")
            event.field("pid", 1)
            event.field("tid", Int64(thread))
            event.key("ts")
            event.literal(Self.microseconds(start))
            event.key("dur")
            event.literal(Self.microseconds(duration))
            if let file = frame.file {
                event.key("args")
                event.object { arguments in
                    arguments.field("file", file)
                    if let line = frame.line { arguments.field("line", Int64(line)) }
                }
            }
        }
    }

    private static func microseconds(_ nanoseconds: Int64) -> String {
        let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1000)
        guard rest != 0 else { return String(whole) }
        let digits = String(rest)
        return "\(whole)." + String(repeating: "0", count: 3 - digits.count) + digits
    }
}
