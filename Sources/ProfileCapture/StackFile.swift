internal import FlameGraph
internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
public import StackProfile

/// The formats in which stacks are written.
public enum StackFormat: String, Sendable, CaseIterable {
    case svg, folded, pprof, speedscope

    /// The format that a file's name asks for; nil where the name says nothing.
    public init?(fileName: String) {
        let endings: [(String, StackFormat)] = [
            (".svg", .svg), (".folded", .folded), (".collapsed", .folded), (".txt", .folded),
            (".pb.gz", .pprof), (".pb", .pprof), (".pprof", .pprof), (".json", .speedscope),
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
    /// What samples are grouped by; nil for not at all.
    public var grouping: GroupingLabel?
    /// The tool that writes, with its version.
    public var exporter: String

    /// A file of recorded stacks, by stage where the samples know theirs.
    public init(_ recorded: RecordedStacks, exporter: String) {
        profile = recorded.profile
        self.recorded = recorded
        title = PlainText.sanitized(recorded.command, maximumCharacters: 128)
        grouping = recorded.hasStages ? .stage : nil
        self.exporter = exporter
    }

    /// A file of stacks read from elsewhere, by stage where they have one.
    public init(_ profile: StackProfile, title: String, exporter: String) {
        self.profile = profile
        recorded = nil
        self.title = PlainText.sanitized(title, maximumCharacters: 128)
        grouping = profile.labelSets.contains { $0.stage != nil } ? .stage : nil
        self.exporter = exporter
    }

    /// Whether any sample has the label that samples are grouped by; true when they are not.
    public var hasGroups: Bool {
        guard let grouping else { return true }
        return profile.labelSets.contains { set in
            switch grouping {
            case .stage: set.stage != nil
            case .thread: set.thread != nil
            case .process: set.process != nil
            }
        }
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
            options.grouping = grouping
            return Speedscope.write(profile, options: options)
        }
    }

    private var grouped: StackProfile { grouping.map { profile.grouped(by: [$0]) } ?? profile }

    private var picture: [UInt8] {
        var options = FlameGraphSVG.Options()
        options.title = title
        options.subtitle = subtitle
        options.facts = facts
        return FlameGraphSVG.render(FlameGraphLayout(grouped), options: options)
    }

    private var subtitle: String {
        let what = recorded == nil ? "weight" : "on-CPU time"
        return grouping.map { "\(what) by \($0.rawValue)" } ?? "\(what) by function"
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
        return facts
    }
}
