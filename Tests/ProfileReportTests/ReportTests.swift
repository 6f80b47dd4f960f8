import FrozenProfile
import FunctionAttribution
import LinuxProcess
import LinuxSystem
import Measurement
import ProfileComparison
import ProfileReport
import StackProfile
import TestSupport
import Testing

@Suite("Reports")
struct ReportTests {
    private func report(
        _ older: Archives = .older, _ newer: Archives = .newer, names: (String, String) = ("v1.1.0", "v1.2.0")
    ) throws -> ComparisonReport {
        let (from, before) = try older.make(names.0, date: "2026-02-10T14:20:00Z")
        let (to, after) = try newer.make(names.1, date: "2026-03-10T14:20:00Z")
        var comparison = Comparison(from: from, to: to)
        let stacks = StackComparison(
            try AttributionPair(
                before: AttributionInput(from, stacks: before), after: AttributionInput(to, stacks: after)),
            stages: comparison.stagesToExplain,
            source: .value(
                SourceChanges(
                    files: ["src/search.c"],
                    patch: "+++ b/src/search.c\n@@ -1 +1 @@ int ngram_search(int n)\n")))
        comparison.explanations = stacks.explanations
        return ComparisonReport(comparison, stacks: stacks, from: from, to: to, tool: "freeze-profile test")
    }

    @Test(
        "The page of a version has what counted runs executed, a lower bound as such, and why nothing was counted"
    )
    func counts() throws {
        var (profile, _) = try Archives.older.make("v1", date: "2026-02-10T14:20:00Z")
        func part(_ counts: [Int64], calls: Int64?, bound: [String] = []) -> FrozenCounts.Part {
            .init(
                instructions: counts,
                systemCalls: calls.map { .value(["read": $0]) } ?? .unavailable(reason: "not seen"),
                lowerBound: bound)
        }
        profile.counts = .value(
            FrozenCounts(
                engine: "qemu-user", identity: "x", command: ["x"], environment: [],
                stages: [
                    .init(
                        name: try #require(StageName("transcription")),
                        part: part(
                            [3_000_000, 3_000_300], calls: 1234, bound: ["a static program was not followed"])
                    )
                ], outside: part([1_000_000, 1_000_000], calls: nil),
                total: part([4_000_000, 4_000_300], calls: 1234)))
        func page() -> String {
            String(
                decoding: HTMLProfileReport.render(profile, stacks: .unavailable(reason: "x"), tool: "test"),
                as: UTF8.self)
        }
        let text = page()
        for cell in [
            "&gt;3,000,150", "75.0 %", "0.010 %", "1,234", "at least: a static program was not followed",
            "1,000,000",
        ] { #expect(text.contains(">\(cell)</td>"), "\(cell)") }
        profile.counts = .unavailable(reason: "no engine is installed")
        #expect(page().contains("They are unavailable: no engine is installed."))
        profile.counts = nil
        #expect(!page().contains("Instructions executed"))
    }

    private static let hostile = "<img src=x onerror=alert(1)>|`*_[x](http://e)@all#1</script>"

    @Test("The sentence at the top names the stage, its bounds and the function behind it")
    func headline() throws {
        let report = try report()
        #expect(report.comparison.headline.hasPrefix("Regressed: "))
        #expect(report.comparison.headline.contains("transcription got 12 % slower"))
        #expect(report.comparison.headline.contains("ngram_search accounts for 100 % of it"))
    }

    @Test("Markdown opens what regressed and folds the rest")
    func markdown() throws {
        let text = MarkdownReport.render(try report())
        #expect(text.contains("<details open><summary>Regressed ("))
        #expect(text.contains("<details><summary>Unchanged ("))
        #expect(text.contains("| <code>ngram&#95;search</code> | 3.0"))
        #expect(text.contains("changed in src/search.c"))
        for line in text.split(separator: "\n") where line.hasPrefix("| ") {
            #expect(
                [9, 7].contains(line.split(separator: "|", omittingEmptySubsequences: false).count - 1),
                "\(line)")
        }
    }

    @Test("Names from outside mean nothing in Markdown and HTML")
    func hostileNames() throws {
        var (older, newer) = (Archives.older, Archives.newer)
        older.seconds[Self.hostile] = 1
        newer.seconds[Self.hostile] = 3
        older.stage = "stage<b>|x"
        newer.stage = older.stage
        let report = try report(older, newer, names: ("v1<script>", "v2|x"))
        let markdown = MarkdownReport.render(report)
        #expect(!markdown.contains("<img") && !markdown.contains("<script") && !markdown.contains("@all"))
        #expect(!markdown.contains("](http"))
        let html = String(decoding: HTMLComparisonReport.render(report), as: UTF8.self)
        #expect(!html.contains("<img") && !html.contains("<script>alert") && !html.contains("<b>|x"))
        #expect(html.contains("&lt;img src=x"))
    }

    @Test("Counted instructions stand in both reports with the functions that they changed in")
    func counted() throws {
        func counts(_ instructions: Int64, _ stage: String) throws -> FrozenCounts {
            let part = FrozenCounts.Part(instructions: [instructions], systemCalls: .value([:]))
            return FrozenCounts(
                engine: "qemu-user", identity: "QEMU 7.2.22, CPU max", command: ["p"], environment: [],
                stages: [FrozenCounts.Stage(name: try #require(StageName(stage)), part: part)],
                outside: FrozenCounts.Part(instructions: [0], systemCalls: .value([:])), total: part)
        }
        func stacks(_ instructions: Int64) throws -> StackProfile {
            var builder = StackProfileBuilder(unit: .instructions)
            let frame = Frame(Self.hostile, module: "a.py", file: "/a.py", line: 3)
            try builder.add(
                [frame], weight: instructions,
                labels: SampleLabels(stage: StageName("transcription"), run: "s1/2"))
            return builder.build()
        }
        var (from, before) = try Archives.older.make("v1", date: "2026-02-10T14:20:00Z")
        var (to, after) = try Archives.older.make("v2", date: "2026-03-10T14:20:00Z")
        from.counts = .value(try counts(1_000_000_000, "transcription"))
        to.counts = .value(try counts(1_010_000_000, "transcription"))
        var comparison = Comparison(from: from, to: to)
        var counted = try #require(comparison.counted?.value)
        counted.explain(from: try stacks(1_000_000_000), to: try stacks(1_010_000_000))
        comparison.counted = .value(counted)
        let pair = try AttributionPair(
            before: AttributionInput(from, stacks: before), after: AttributionInput(to, stacks: after))
        let explained = StackComparison(pair, stages: [], source: .unavailable(reason: "none"))
        let report = ComparisonReport(comparison, stacks: explained, from: from, to: to, tool: "test")
        let markdown = MarkdownReport.render(report)
        #expect(
            markdown.contains(
                "| transcription | 1,000,000,000 | 1,010,000,000 | +1.00 &#37; | 0.000 &#37; | REGRESSED |"))
        #expect(markdown.contains("| a.py | 1,000,000,000 | 1,010,000,000 | +1.00 &#37; |"))
        #expect(markdown.contains("<details open><summary>Instructions executed, by qemu-user"))
        #expect(!markdown.contains("<img") && !markdown.contains("@all"))
        let html = String(decoding: HTMLComparisonReport.render(report), as: UTF8.self)
        #expect(html.contains("<h2>Instructions</h2>") || html.contains("<h2 >Instructions</h2>"))
        #expect(html.contains("1,010,000,000") && html.contains("&lt;img src=x"))
        #expect(!html.contains("<img"))
    }

    @Test("A page loads nothing, and its ids are its own", arguments: [false, true])
    func selfContained(isComparison: Bool) throws {
        let html: String
        if isComparison {
            html = String(decoding: HTMLComparisonReport.render(try report()), as: UTF8.self)
            #expect(html.contains("class=\"freeze-flamegraph differential\""))
        } else {
            let (profile, stacks) = try Archives.older.make("v1.1.0", date: "2026-02-10T14:20:00Z")
            html = String(
                decoding: HTMLProfileReport.render(profile, stacks: .value(stacks), tool: "test"),
                as: UTF8.self)
            #expect(html.contains("ngram_search"))
        }
        #expect(html.contains("default-src 'none'"))
        for wanted in ["src=\"", "href=\"", "@import", "url(http", "<link", "<iframe"] {
            #expect(!html.contains(wanted), "\(wanted)")
        }
        let ids = html.split(separator: " id=\"").dropFirst().map { $0.prefix { $0 != "\"" } }
        #expect(!ids.isEmpty && ids.count == Set(ids).count)
    }

    @Test(
        "In a browser the page runs without complaint, sorts its tables, and needs no width",
        .enabled(if: Programs.path(of: "chromium") != nil, "chromium is not installed"))
    func browser() throws {
        let directory = try TemporaryDirectory()
        let script = """
            <script>
            const out = [];
            addEventListener('error', (event) => out.push('ERROR ' + event.message));
            addEventListener('securitypolicyviolation', (event) => out.push('CSP ' + event.violatedDirective));
            addEventListener('load', () => {
              const table = document.querySelectorAll('table.sortable')[1];
              const head = [...table.tHead.rows[0].cells].find((cell) => cell.textContent === 'change');
              head.querySelector('button').click();
              out.push(head.getAttribute('aria-sort'), document.querySelectorAll('svg.live').length,
                document.querySelectorAll('.whisker').length > 5, document.documentElement.lang);
              document.body.insertAdjacentHTML('beforeend', '<pre id="outcome">' + out.join('|') + '</pre>');
            });
            </script>
            """
        let html = String(decoding: HTMLComparisonReport.render(try report()), as: UTF8.self)
        try Files.replace(
            "\(directory.path)/page.html", with: html.replacing("<main>", with: script + "<main>"))
        let dom = try runCommand(
            [
                "chromium", "--headless", "--no-sandbox", "--disable-gpu",
                "--user-data-dir=\(directory.path)/profile",
                "--virtual-time-budget=5000", "--dump-dom", "file://\(directory.path)/page.html",
            ], timeout: .seconds(60)
        ).standardOutput
        #expect(dom.contains("<pre id=\"outcome\">descending|1|true|en</pre>"), "\(dom.suffix(300))")
    }

    @Test("The command line explains, draws, and writes every format")
    func commandLine() throws {
        let directory = try TemporaryDirectory()
        let profiles = "\(directory.path)/profiles"
        try Archives.older.freeze("v1.1.0", date: "2026-02-10T14:20:00Z", in: profiles)
        try Archives.newer.freeze("v1.2.0", date: "2026-03-10T14:20:00Z", in: profiles)
        func run(_ arguments: [String]) throws -> CommandResult {
            try runCommand(
                [BuiltProduct.path("freeze-profile")] + arguments + ["--profiles", profiles],
                in: directory.path)
        }
        let diff = try run(["diff", "v1.1.0", "v1.2.0", "--flamegraph", "pictures"])
        #expect(diff.status == .code(1), "\(diff.standardError)")
        #expect(
            diff.standardOutput.contains("ngram_search accounts for 100 % of it"), "\(diff.standardOutput)")
        #expect(diff.standardOutput.contains("\nngram_search "))
        for line in diff.standardOutput.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
        if let keep = CurrentProcess.environmentVariable("KEEP_REPORTS") {
            _ = try runCommand(["cp", "-r", directory.path, keep])
        }
        #expect(try Files.names(inDirectory: "\(directory.path)/pictures") == ["transcription.diff.svg"])
        let markdown = try run(["diff", "v1.1.0", "v1.2.0", "--format", "markdown"])
        #expect(markdown.standardOutput.hasPrefix("### Regressed") && markdown.status == .code(1))
        let page = try run(["report", "v1.1.0..v1.2.0", "-o", "diff.html"])
        #expect(page.status == .code(0), "\(page.standardError)")
        #expect(try run(["report", "v1.1.0"]).status == .code(0))
        #expect(
            try Files.names(inDirectory: directory.path).filter { $0.hasSuffix(".html") } == [
                "diff.html", "v1.1.0.html",
            ])
    }

    @Test("What cannot be explained is said, and what is mistyped is suggested")
    func refusals() throws {
        let directory = try TemporaryDirectory()
        let profiles = "\(directory.path)/profiles"
        var bare = Archives.older
        bare.hasStacks = false
        try bare.freeze("v1.1.0", date: "2026-02-10T14:20:00Z", in: profiles)
        try Archives.newer.freeze("v1.2.0", date: "2026-03-10T14:20:00Z", in: profiles)
        try Archives.newer.freeze("v1.3.0", date: "2026-04-10T14:20:00Z", in: profiles)
        try Files.replace("\(profiles)/v1.3.0.stacks.pb.gz", with: "something else")
        func run(_ arguments: [String]) throws -> CommandResult {
            try runCommand([BuiltProduct.path("freeze-profile")] + arguments + ["--profiles", profiles])
        }
        let without = try run(["diff", "v1.1.0", "v1.2.0"])
        #expect(
            without.standardOutput.contains("Functions cannot be compared: v1.1.0 was frozen without stacks.")
        )
        let damaged = try run(["diff", "v1.2.0", "v1.3.0", "--explain", "transcription"])
        #expect(
            damaged.standardOutput.replacing("\n", with: " ").contains(
                "v1.3.0.stacks.pb.gz' has changed since it was frozen"),
            "\(damaged.standardOutput)\(damaged.standardError)")
        let mistyped = try run(["diff", "v1.2.0", "v1.2.0", "--explain", "transcripton"])
        #expect(mistyped.status == .code(64))
        #expect(
            mistyped.standardError.contains(
                "Neither side has a stage 'transcripton'. Did you mean 'transcription'?"))
        let format = try run(["diff", "v1.2.0", "v1.2.0", "--format", "pdf"])
        #expect(
            format.standardError.contains(
                "--format cannot be 'pdf'; there are terminal, markdown, json, html."))
        #expect(format.status == .code(64))
    }

    @Test("Changed source is found by a file's path, or by a name in what changed")
    func sourceChanges() {
        let changes = SourceChanges(
            files: ["src/search.c", "b.c"],
            patch:
                "diff --git a/src/search.c b/src/search.c\n--- a/src/search.c\n+++ b/src/search.c\n@@ -1,2 +1,2 @@ int ngram_search(x)\n-  old(a);\n+  decode(a);\n"
        )
        #expect(changes.file(of: "whatever", in: "/build/x/src/search.c") == "src/search.c")
        #expect(changes.file(of: "ngram_search", in: "/build/other.c") == nil)
        #expect(changes.file(of: "speech::ngram_search(int)", in: nil) == "src/search.c")
        #expect(changes.file(of: "decode", in: nil) == "src/search.c")
        #expect(changes.file(of: "encode", in: nil) == nil)
        #expect(
            SourceChanges.read(directory: "/", from: .value("--output=x"), to: .value("abcd"))
                .unavailableReason
                == "'--output=x' is no commit")
    }
}
