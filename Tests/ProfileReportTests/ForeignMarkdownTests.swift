import Testing

@testable import ProfileReport

/// GitHub and GitLab look for these in text that they have rendered: so do these tests, in what a reader would see.
@Suite("Foreign text in Markdown")
struct ForeignMarkdownTests {
    /// The text as it is rendered: entities of numbers resolved.
    private func rendered(_ markdown: String) -> String {
        var result = String.UnicodeScalarView()
        var rest = markdown.unicodeScalars[...]
        while let scalar = rest.first {
            if rest.starts(with: "&#".unicodeScalars), let end = rest.firstIndex(of: ";"),
                let number = UInt32(
                    String(String.UnicodeScalarView(rest[rest.index(rest.startIndex, offsetBy: 2)..<end]))),
                let resolved = Unicode.Scalar(number)
            {
                result.append(resolved)
                rest = rest[rest.index(after: end)...]
            } else {
                result.append(scalar)
                rest = rest.dropFirst()
            }
        }
        return String(result)
    }

    /// What comes alive, as the sites' documentation describes it.
    private static let live: [(name: String, pattern: String)] = [
        ("a mention", #"@[A-Za-z0-9]"#), ("an issue", #"#[0-9]"#), ("GitHub's issue", #"[Gg][Hh]-[0-9]"#),
        ("a merge request", #"![0-9]"#), ("a snippet", #"\$[0-9]"#), ("a milestone", #"%[0-9]"#),
        ("a commit", #"\b[0-9a-f]{7,40}\b"#), ("an address", #"https?://"#),
        ("an address", #"[Ww][Ww][Ww]\.[a-z]"#),
        ("an emoji", #":[a-z0-9_+-]+:"#),
    ]

    @Test(
        "Mentions, references, commits, addresses and emoji codes stay dead",
        arguments: [
            "@user", "@org/team", "#1", "GH-1", "gh-12", "owner/repo#1", "owner/repo@0123abc", "owner/repo!2",
            "0123456789abcdef0123456789abcdef01234567", "deadbeef", "fixes #12", "http://host.example/",
            "https://host.example", "www.host.example", "WWW.host.example", ":tada:", ":+1:",
            "me@host.example", "!3", "$4",
            "%5", "https://github.com/owner/repo/issues/1",
        ])
    func dead(text: String) throws {
        let shown = rendered(MarkdownText.escaped(text))
        for (name, pattern) in Self.live {
            #expect(try Regex(pattern).firstMatch(in: shown) == nil, "\(name) in '\(text)'")
        }
        // A reader sees the same words.
        #expect(String(shown.unicodeScalars.filter { $0 != "\u{200B}" }) == text)
    }

    @Test("The patterns find what is alive")
    func control() throws {
        let alive = "@user #1 GH-1 !3 $4 %5 deadbeef http://h www.h :tada:"
        for (name, pattern) in Self.live {
            #expect(try Regex(pattern).firstMatch(in: alive) != nil, "\(name)")
        }
    }

    @Test(
        "Names that look alike are shown as different: invisible, reordering and tag characters are visible")
    func lookAlikes() {
        let stage = "decode"
        for other in [
            "de\u{200B}code", "dec\u{2060}ode", "decode\u{E0061}", "de\u{202E}code", "\u{FEFF}decode",
            "deco\u{AD}de",
        ] {
            #expect(MarkdownText.escaped(other) != MarkdownText.escaped(stage))
            #expect(MarkdownText.code(other) != MarkdownText.code(stage))
            let visible = rendered(MarkdownText.escaped(other)).unicodeScalars.filter { $0 != "\u{200B}" }
            #expect(String(visible) != stage, "\(other.unicodeScalars.map(\.value))")
        }
    }
}
