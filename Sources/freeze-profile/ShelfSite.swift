internal import CommandLineTool
internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import MessageDigest
internal import ProfileComparison
internal import ProfileReport
internal import ProfileStore

/// `freeze-profile report --shelf`: all versions of a directory as static pages that refer to one another.
///
/// A page states what it was made of, and one that would be the same is not made again.
struct ShelfSite {
    private let shelf: ShelfVersions
    private let store: ProfileStore
    private let output: String
    private let report: DiffReport
    private var profiles: [FrozenProfile] = []
    /// What is not on the pages, and why, as sentences.
    private(set) var problems: [String]
    private static let tool = "freeze-profile \(toolVersion)"
    static let first = "index.html"

    /// How many pages were written, and how many were there already.
    private(set) var written = 0
    private(set) var kept = 0

    init(_ shelf: ShelfVersions, output: String, report: DiffReport) throws(ToolFailure) {
        self.shelf = shelf
        self.output = output
        self.report = report
        store = ProfileStore(directory: shelf.directory)
        problems = shelf.problems
        var names: Set<String> = []
        for profile in shelf.profiles {
            if let problem = Self.problem(of: profile.release, among: &names) {
                problems.append(problem)
            } else {
                profiles.append(profile)
            }
        }
        let index = "\(output)/\(Self.first)"
        guard !Files.exists(index) || Self.marks(of: index) != nil else {
            throw ToolFailure(
                "'\(PlainText.sanitized(index))' is no page of a shelf, and is not replaced. Give -o a directory of its own.",
                .cannotWrite)
        }
        do throws(SystemError) {
            try Files.createDirectories(output)
        } catch {
            throw ToolFailure(PlainText.sanitized(error.description), .cannotWrite)
        }
    }

    /// Why a version cannot have a page, whose file has its name; nil where it can.
    private static func problem(of release: String, among names: inout Set<String>) -> String? {
        let shown = PlainText.sanitized(release)
        do throws(ProfileError) {
            _ = try VersionName(release)
        } catch {
            return "A profile says that it is of '\(shown)', which cannot name a version."
        }
        if "\(release).html" == first { return "'\(shown)' has no page: it would replace the first one." }
        return names.insert(release).inserted
            ? nil : "Two profiles say that they are of '\(shown)'; one is left out."
    }

    /// Writes the pages that are missing or would differ, and removes those of versions that are gone.
    mutating func write() throws(ToolFailure) {
        // History orders the versions; what it compares is asked for here again.
        var comparisons: [String: Comparison] = [:]
        let history = History(profiles) { [shelf] from, to in
            let comparison = shelf.compare(from, to)
            comparisons[Self.comparisonPage(from, to)] = comparison
            return comparison
        }
        var rows: [ShelfIndex.Row] = []
        for (index, profile) in history.profiles.enumerated() {
            let before = index > 0 ? history.profiles[index - 1] : nil
            let after = index + 1 < history.profiles.count ? history.profiles[index + 1] : nil
            try writeVersion(profile, before: before, after: after)
            var row = ShelfIndex.Row(profile, page: Self.page(profile))
            if let before {
                let name = Self.comparisonPage(before, profile)
                let comparison = comparisons[name] ?? shelf.compare(before, profile)
                row.comparisonPage = name
                row.outcome = comparison.outcome
                row.headline = try writeComparison(comparison, before, profile, name)
            }
            rows.append(row)
        }
        let index = ShelfIndex(rows, history: history, problems: problems)
        let source = SHA256.hexadecimal(of: index.render(source: "", tool: Self.tool))
        try deliver(Self.first, source) { index.render(source: source, tool: Self.tool) }
        try removeOthers(
            Set(rows.map(\.page) + rows.compactMap(\.comparisonPage) + [Self.first]))
    }

    private static func page(_ profile: FrozenProfile) -> String { "\(profile.release).html" }

    private static func comparisonPage(_ from: FrozenProfile, _ to: FrozenProfile) -> String {
        "\(from.release)..\(to.release).html"
    }

    private mutating func writeVersion(
        _ profile: FrozenProfile, before: FrozenProfile?, after: FrozenProfile?
    ) throws(ToolFailure) {
        var place = PagePlace(links: [("all versions", Self.first)], source: "")
        if let before {
            place.links.append(("what changed since \(before.release)", Self.comparisonPage(before, profile)))
        }
        if let after {
            place.links.append(("what changed in \(after.release)", Self.comparisonPage(profile, after)))
        }
        // The profile's text states the digests of its companions.
        place.source = Self.digest([profile.encode()], place)
        let directory = store.directory
        try deliver(Self.page(profile), place.source) {
            HTMLProfileReport.render(
                profile, stacks: StackArchive.stacks(of: profile, in: directory),
                timeline: TimelineArchive.timeline(of: profile, in: directory), place: place, tool: Self.tool)
        }
    }

    /// - Returns: What the comparison says, in a sentence.
    private mutating func writeComparison(
        _ comparison: Comparison, _ from: FrozenProfile, _ to: FrozenProfile, _ name: String
    ) throws(ToolFailure) -> String? {
        var place = PagePlace(
            links: [
                ("all versions", Self.first), (from.release, Self.page(from)), (to.release, Self.page(to)),
            ], source: "")
        place.source = Self.digest([Array(comparison.json.utf8), from.encode(), to.encode()], place)
        if let marks = Self.marks(of: "\(output)/\(name)"), marks.source == place.source {
            kept += 1
            return marks.summary ?? comparison.headline
        }
        var comparison = comparison
        let directories = (from: store.directory, to: store.directory)
        StackArchive.explainCounts(&comparison, from: from, to: to, directories: directories)
        let stacks = try report.explain(&comparison, from: from, to: to, directories: directories)
        let whole = ComparisonReport(comparison, stacks: stacks, from: from, to: to, tool: Self.tool)
        try deliver(name, place.source) { HTMLComparisonReport.render(whole, place: place) }
        return comparison.headline
    }

    private static func digest(_ parts: [[UInt8]], _ place: PagePlace) -> String {
        let texts =
            [tool] + place.links.flatMap { [$0.text, $0.file] } + parts.map { SHA256.hexadecimal(of: $0) }
        return SHA256.hexadecimal(of: Array(texts.joined(separator: "\n").utf8))
    }

    private mutating func deliver(
        _ name: String, _ source: String, _ render: () -> [UInt8]
    ) throws(ToolFailure) {
        let path = "\(output)/\(name)"
        if Self.marks(of: path)?.source == source {
            kept += 1
            return
        }
        try Console.deliver(render(), to: path)
        written += 1
    }

    /// Pages of versions that are gone. A file that is no page of a shelf stays.
    private func removeOthers(_ names: Set<String>) throws(ToolFailure) {
        do throws(SystemError) {
            for name in try Files.names(inDirectory: output)
            where name.hasSuffix(".html") && !names.contains(name) {
                if Self.marks(of: "\(output)/\(name)") != nil { try Files.remove("\(output)/\(name)") }
            }
        } catch {
            throw ToolFailure(PlainText.sanitized(error.description), .cannotWrite)
        }
    }

    /// What a page says of itself; nil where there is none, or no page of a shelf.
    private static func marks(of path: String) -> (source: String, summary: String?)? {
        do throws(Files.ReadError) {
            return PagePlace.read(try Files.readBeginning(path, limit: PagePlace.headBytes))
        } catch {
            return nil
        }
    }
}
