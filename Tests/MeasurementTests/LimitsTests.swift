import Foundation
import Testing

/// `docs/limits.md` says of every limit in the sources what happens beyond it.
@Suite("The table of limits")
struct LimitsTests {
    private struct Row: Hashable {
        var constant: String
        var value: String
    }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    /// What is no part of the toolkit: the reference pipeline and what serves it.
    private static let others: Set = [
        "PodcastPipeline", "podcast-scraper", "LoopbackServer", "loopback-feed",
    ]

    private static func files(_ folder: String) throws -> [URL] {
        let folder = root.appending(path: folder)
        let enumerator = try #require(
            FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
        return enumerator.compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
    }

    /// Constants whose name speaks of a limit, with their values; counters begin with 0 and are none.
    private static func constants() throws -> Set<Row> {
        let pattern =
            /\b(?:let|var) ((?:maximum|most|max)[A-Z]\w*|\w*[lL]imit)\b(?:: [A-Za-z0-9]+)? = ([-\d(][^{}\n.]*?)\s*(?:\/\/.*)?$/
        var found: Set<Row> = []
        for file in try files("Sources") {
            let path = file.path.dropFirst(root.path.count + "/Sources/".count)
            let room = String(path.prefix { $0 != "/" })
            guard !others.contains(room) else { continue }
            let name = file.deletingPathExtension().lastPathComponent
            for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
                guard let match = line.firstMatch(of: pattern), match.2 != "0" else { continue }
                found.insert(Row(constant: "\(room)/\(name).\(match.1)", value: String(match.2)))
            }
        }
        return found
    }

    private static func rows() throws -> [(row: Row, beyond: String, test: String?)] {
        let text = try String(contentsOf: root.appending(path: "docs/limits.md"), encoding: .utf8)
        return text.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            return (
                Row(
                    constant: cells[0].trimmingCharacters(in: ["`"]),
                    value: cells[1].trimmingCharacters(in: ["`"])),
                cells.count > 2 ? cells[2] : "", cells.count > 3 ? cells[3] : nil
            )
        }
    }

    @Test("Every limit of the sources is in the table with its value, and the table has no other")
    func complete() throws {
        let rows = try Self.rows()
        let constants = try Self.constants()
        #expect(constants.count > 100)
        let listed = Set(rows.map(\.row))
        #expect(listed.count == rows.count, "a row is there twice")
        #expect(constants.subtracting(listed).map(\.constant).sorted() == [], "say what happens beyond these")
        #expect(listed.subtracting(constants).map(\.constant).sorted() == [], "these are no more, or changed")
        #expect(rows.allSatisfy { !$0.beyond.isEmpty })
    }

    @Test("What limits a measurement names a test that shows what is said")
    func shown() throws {
        let named = try Self.rows().compactMap(\.test)
        #expect(named.count >= 20)
        let tests = try Self.files("Tests").map { try String(contentsOf: $0, encoding: .utf8) }.joined()
        for name in Set(named) {
            // The title of a test, or what one looks for.
            #expect(tests.contains(name), "no test '\(name)'")
        }
    }
}
