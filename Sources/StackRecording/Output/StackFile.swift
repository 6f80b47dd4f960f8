internal import FlameGraph
internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import ProfileFormats
public import StackProfile

/// The formats in which stacks are written.
public enum StackFormat: String, Sendable, CaseIterable {
    case svg, folded, pprof, speedscope, firefox, callgrind
    case chromeTrace = "chrome-trace"

    /// The format that a file's name asks for; nil where the name says nothing.
    public init?(fileName: String) {
        let endings: [(String, StackFormat)] = [
            (".svg", .svg), (".folded", .folded), (".collapsed", .folded), (".txt", .folded),
            (".pb.gz", .pprof), (".pb", .pprof), (".pprof", .pprof), (".firefox.json", .firefox),
            (".trace.json", .chromeTrace), (".callgrind", .callgrind), (".json", .speedscope),
        ]
        let name = Files.name(of: fileName).lowercased()
        guard let format = endings.first(where: { name.hasSuffix($0.0) })?.1 else { return nil }
        self = format
    }
}

/// Stacks with what is said around them, ready to be written in any format.
public struct StackFile: Sendable {
    private let profile: StackProfile
    private let recorded: RecordedStacks?
    /// The heading.
    public var title: String
    /// What samples are grouped by, outermost group first.
    public var grouping: [GroupingLabel]
    /// The tool that writes, with its version.
    public var exporter: String

    /// A file of recorded stacks: by stage where the samples know theirs, and by state where they say why a thread
    /// waited.
    public init(_ recorded: RecordedStacks, exporter: String) {
        profile = recorded.profile
        self.recorded = recorded
        title = PlainText.sanitized(recorded.command, maximumCharacters: 128)
        grouping = Self.grouping(of: recorded.profile)
        self.exporter = exporter
    }

    /// A file of stacks read from elsewhere, grouped in the same way unless their kind says otherwise.
    public init(
        _ profile: StackProfile, title: String, exporter: String, grouping: [GroupingLabel]? = nil
    ) {
        self.profile = profile
        recorded = nil
        self.title = PlainText.sanitized(title, maximumCharacters: 128)
        self.grouping = grouping ?? Self.grouping(of: profile)
        self.exporter = exporter
    }

    /// Several commands, as a script starts them, are distinguished: their functions have the same names. Not where the
    /// states of threads are, which are groups enough.
    private static func grouping(of profile: StackProfile) -> [GroupingLabel] {
        let known = [GroupingLabel.stage, .state].filter { label in
            profile.labelSets.contains { label.text(in: $0) != nil }
        }
        let commands = Set(profile.labelSets.compactMap(\.process))
        return known.contains(.state) || commands.count < 2 ? known : known + [.process]
    }

    /// The names of the labels that samples can be grouped by: the toolkit's, and those that other tools gave.
    public var knownLabels: [String] {
        let others = Set(profile.labelSets.lazy.flatMap(\.others.keys))
        return GroupingLabel.known.map(\.name) + others.sorted()
    }

    /// The labels that samples are grouped by and that no sample has.
    public var missingLabels: [GroupingLabel] {
        grouping.filter { label in !profile.labelSets.contains { label.text(in: $0) != nil } }
    }

    /// The file's bytes. A pprof file is never grouped: its samples keep all their labels.
    public func bytes(as format: StackFormat) -> [UInt8] {
        switch format {
        case .svg: return picture
        case .folded: return FoldedStacks.write(grouped)
        case .pprof: return Pprof.write(profile, start: recorded?.startedAt, duration: recorded?.wall)
        case .speedscope:
            var options = Speedscope.Options()
            options.name = title
            options.exporter = exporter
            options.grouping = grouping.first
            return Speedscope.write(profile.grouped(by: Array(grouping.dropFirst())), options: options)
        case .firefox:
            var options = FirefoxProfile.Options()
            options.name = title
            options.exporter = exporter
            return FirefoxProfile.write(profile, options: options)
        case .chromeTrace:
            return ChromeTraceEvents.write(
                profile.grouped(by: Array(grouping.dropFirst())), grouping: grouping.first, name: title)
        case .callgrind: return CallgrindFile.write(grouped, exporter: exporter)
        }
    }

    private var grouped: StackProfile { profile.grouped(by: grouping) }

    private var picture: [UInt8] {
        var options = FlameGraphSVG.Options()
        options.title = title
        options.subtitle = subtitle
        options.facts = facts
        return FlameGraphSVG.render(FlameGraphLayout(grouped), options: options)
    }

    private var subtitle: String {
        let what =
            switch recorded?.mode {
            case nil: "weight"
            case .cpu: "on-CPU time"
            case .wall: "wall-clock time of all threads"
            }
        return
            "\(what) by \(grouping.isEmpty ? "function" : grouping.map(\.name).joined(separator: " and "))"
    }

    private var facts: CaptureFacts {
        var facts = CaptureFacts()
        guard let recorded else {
            if profile.unit == .samples { facts.samples = .value(profile.totalWeight) }
            return facts
        }
        let kernel = CurrentProcess.kernel
        facts.command = .value(PlainText.sanitized(recorded.command))
        facts.host = .value(
            "\(CurrentProcess.hostName), \(kernel.system) \(kernel.release) \(kernel.machine)")
        facts.sampler = .value(recorded.account.name)
        facts.rate = recorded.account.rateHz
        facts.samples = .value(profile.totalWeight)
        facts.lost = recorded.account.lost.map(Int64.init)
        facts.truncated = recorded.account.truncated.map(Int64.init)
        facts.duration = .value(recorded.wall)
        if let python = recorded.account.python {
            facts.further.append(("Python functions", python.summary))
        }
        return facts
    }
}
