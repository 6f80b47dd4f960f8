import LinuxSystem
import TestSupport
import Testing

/// Every relative link of the documentation leads to a file, and to a heading in it.
@Suite("Links in the documentation")
struct DocumentLinksTests {
    private static let root = BuiltProduct.packageDirectory

    /// Markdown files, by their paths below the repository.
    private static func documents() throws -> [String] {
        var found: [String] = []
        func walk(_ directory: String) throws {
            for name in try Files.names(inDirectory: "\(root)/\(directory)").sorted()
            where !name.hasPrefix(".") {
                let path = directory.isEmpty ? name : "\(directory)/\(name)"
                if Files.isDirectory("\(root)/\(path)") {
                    if !["Goldens", "Fixtures"].contains(name) { try walk(path) }
                } else if name.hasSuffix(".md") {
                    found.append(path)
                }
            }
        }
        try walk("")
        return found
    }

    private static func text(_ path: String) throws -> String {
        String(decoding: try Files.read("\(root)/\(path)", limit: 1 << 22), as: UTF8.self)
    }

    /// Lines that are no code.
    private static func prose(_ text: String) -> [Substring] {
        var isCode = false
        return text.split(separator: "\n").filter { line in
            if line.hasPrefix("```") { isCode.toggle() }
            return !isCode && !line.hasPrefix("    ")
        }
    }

    /// The anchors of a file, made of its headings as GitHub makes them: lower case, no punctuation, dashes for spaces.
    private static func anchors(_ text: String) -> Set<String> {
        Set(
            prose(text).filter { $0.hasPrefix("#") }.map { line in
                String(
                    line.drop { $0 == "#" }.drop { $0 == " " }.lowercased().compactMap { character in
                        if character == " " { return "-" }
                        return character.isLetter || character.isNumber || "-_".contains(character)
                            ? character : nil
                    } as [Character])
            })
    }

    @Test("Each leads to something")
    func links() throws {
        let documents = try Self.documents()
        #expect(documents.contains("README.md") && documents.contains("docs/getting-started.md"))
        var checked = 0
        for document in documents {
            for line in Self.prose(try Self.text(document)) {
                for match in line.matches(of: /\]\(([^)\s]+)\)/) {
                    let target = String(match.output.1)
                    if target.contains("://") || target.hasPrefix("mailto:") { continue }
                    let parts = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
                    let directory = Files.directory(of: "\(Self.root)/\(document)")
                    let path = parts[0].isEmpty ? "\(Self.root)/\(document)" : "\(directory)/\(parts[0])"
                    #expect(Files.exists(path), "\(document): \(target)")
                    if parts.count == 2, path.hasSuffix(".md"), Files.exists(path) {
                        let text = String(decoding: try Files.read(path, limit: 1 << 22), as: UTF8.self)
                        #expect(Self.anchors(text).contains(String(parts[1])), "\(document): \(target)")
                    }
                    checked += 1
                }
            }
        }
        #expect(checked > 100)
    }
}
