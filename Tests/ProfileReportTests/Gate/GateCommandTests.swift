import LinuxProcess
import LinuxSystem
import ProfileComparison
import ProfileReport
import TestSupport
import Testing

@Suite("The gate")
struct GateCommandTests {
    @Test("What costs the same passes; what regressed fails, with the row's name")
    func plain() throws {
        let same = try GateShelf()
        let passed = try same.gate()
        #expect(passed.status == .code(0), "\(passed.standardOutput)\(passed.standardError)")
        #expect(passed.standardOutput.hasPrefix("Gate passed: v1 to v2.\n"))
        #expect(passed.standardOutput.hasSuffix("Agreed: nothing.\n"))
        let slower = try GateShelf(slower: 1.2)
        let failed = try slower.gate()
        #expect(failed.status == .code(1))
        #expect(failed.standardOutput.contains("- transcription.wall: regressed by 20 %."))
        #expect(failed.standardOutput.contains("- total.wall: regressed by 17 %."))
    }

    @Test("No way to pass wrongly works", arguments: GateCheat.all)
    func cheats(cheat: GateCheat) throws {
        let shelf = try GateShelf(slower: cheat.slower)
        try cheat.act(shelf)
        let before = Files.exists(shelf.gateFile) ? try shelf.read(shelf.gateFile) : nil
        let result = try shelf.gate(cheat.from, cheat.to, cheat.options)
        #expect(result.status == .code(cheat.code), "\(result.standardOutput)\(result.standardError)")
        let said = result.standardOutput + result.standardError
        #expect(said.contains(cheat.says), "\(said)")
        let after = Files.exists(shelf.gateFile) ? try shelf.read(shelf.gateFile) : nil
        #expect(before == after, "what is refused changes no agreement")
    }

    @Test("A budget for a stage that is misspelt is refused with the nearest one, by gate and diff alike")
    func misspeltBudget() throws {
        let shelf = try GateShelf()
        let budget = ["--budget", "transcripton.wall=5"]
        for command in ["gate", "diff"] {
            let result = try runCommand(
                [BuiltProduct.path("freeze-profile"), command, "v1", "v2", "--profiles", shelf.path] + budget)
            #expect(result.status == .code(64))
            #expect(result.standardError.contains("Did you mean 'transcription'?"), "\(result.standardError)")
        }
    }

    @Test("At least thirty of them are tried")
    func enough() {
        #expect(GateCheat.all.count >= 30)
        #expect(Set(GateCheat.all.map(\.description)).count == GateCheat.all.count)
    }

    @Test("Accepted regressions pass one by one, are shown until they end, and are the same bytes each time")
    func accepting() throws {
        let shelf = try GateShelf(slower: 1.2)
        let first = try shelf.gate("v1", "v2", GateCheat.asked("transcription.wall"))
        #expect(first.status == .code(1), "the whole run is a row of its own: \(first.standardError)")
        #expect(!first.standardOutput.contains("- transcription.wall"))
        let second = try shelf.gate("v1", "v2", GateCheat.asked("total.wall"))
        #expect(second.status == .code(0), "\(second.standardOutput)\(second.standardError)")
        let day = GateShelf.day(-30)
        #expect(
            second.standardOutput.contains(
                "s until \(day) (a larger model; ann; https://example.org/42)"), "\(second.standardOutput)")
        #expect(second.standardOutput.contains("transcription.wall up to 7.4"))
        #expect(second.standardOutput.contains(" s instead of 6.00"))
        #expect(try shelf.gate().standardOutput == second.standardOutput)
        let file = try shelf.read(shelf.gateFile)
        let read = try GateAgreements.decode(Array(file.utf8), file: "gate.yaml")
        #expect(String(decoding: read.encode(), as: UTF8.self) == file && read.acceptances.count == 2)
        // The accepted version is a baseline, and what it costs more is still shown.
        try shelf.freeze("v3", daysAgo: 10, slower: 1.2)
        let later = try shelf.gate("v2", "v3")
        #expect(later.status == .code(0), "\(later.standardOutput)")
        #expect(later.standardOutput.contains("Agreed: total.wall up to"))
        // The cost is back: the acceptance has lapsed and says so.
        try shelf.freeze("v4", daysAgo: 5)
        let back = try shelf.gate("v3", "v4")
        #expect(back.status == .code(0))
        #expect(
            back.standardOutput.contains("The acceptance of transcription.wall has lapsed: v4 had the cost"))
        #expect(back.standardOutput.hasSuffix("Agreed: nothing.\n"))
    }

    @Test("A stage that is gone on purpose is named, and what is undecided follows the policy")
    func policies() throws {
        let shelf = try GateShelf()
        try shelf.freeze(
            "v2", daysAgo: 30, stages: GateShelf.stages + [.init(name: "x", wall: 1, cpu: 1, peak: 9)])
        try shelf.freeze("v3", daysAgo: 10)
        #expect(try shelf.gate("v2", "v3").status == .code(3))
        let named = try shelf.gate("v2", "v3", ["--removed", "x"])
        #expect(named.standardOutput.contains("Stage x is gone, as was said with --removed."))
        // One session a side rules nothing out.
        try shelf.freeze("v4", daysAgo: 5, sessions: [GateShelf.sessions[0]])
        let open = try shelf.gate("v3", "v4")
        #expect(open.status == .code(2) && open.standardOutput.hasPrefix("Gate undecided: v3 to v4."))
        let warned = try shelf.gate("v3", "v4", ["--undecided", "warn"])
        #expect(warned.status == .code(0) && warned.standardOutput.contains("inconclusive"))
        #expect(try shelf.gate("v3", "v4", ["--undecided", "maybe"]).status == .code(64))
    }

    @Test(
        "The comment begins with the verdict and its mark, folds what passed, and ends with what was agreed")
    func markdown() throws {
        let shelf = try GateShelf(slower: 1.2)
        try shelf.accept([GateShelf.total])
        let file = "\(shelf.path)/gate.md"
        #expect(try shelf.gate("v1", "v2", ["--markdown", file]).status == .code(1))
        let text = try shelf.read(file)
        let lines = text.split(separator: "\n")
        #expect(
            lines.first?.hasPrefix("### Gate failed: v1 to v2. transcription.wall: regressed by 20 &#37;.")
                == true)
        #expect(lines.first?.hasSuffix(GateMarkdown.marker) == true)
        #expect(text.split(separator: GateMarkdown.marker).count == 2, "the mark stands once")
        #expect(lines.last?.hasPrefix("Agreed: total.wall up to 8.400 s instead of 7.000 s until ") == true)
        let folded = try #require(text.firstRange(of: "<details><summary>Passed (7)</summary>"), "\(text)")
        #expect(text[..<folded.lowerBound].contains("| transcription | wall s |"), "\(text)")
        #expect(text[folded.lowerBound...].contains("| download | wall s |"))
        try Files.replace("\(shelf.path)/v2.yaml", with: "")
        #expect(try shelf.gate("v1", "v2", ["--markdown", file]).status == .code(3))
        #expect(try shelf.read(file).hasPrefix("### Gate cannot decide: v1 to v2."))
    }

    @Test("JUnit XML is well formed and counts what it holds, whatever names stages have")
    func junit() throws {
        let shelf = try GateShelf()
        let odd = GateShelf.stages + [.init(name: "<a> & \"b\"", wall: 1, cpu: 1, peak: 9)]
        for (version, daysAgo) in [("v0", 90), ("v1", 60), ("v2", 30)] {
            try shelf.freeze(version, daysAgo: daysAgo, slower: version == "v2" ? 1.2 : 1, stages: odd)
        }
        let file = "\(shelf.path)/gate.xml"
        let options = ["--junit", file, "--removed", "nothing"]
        let result = try shelf.gate("v1", "v2", options)
        #expect(result.status == .code(1), "\(result.standardOutput)")
        let parsed = try runCommand([
            "python3", "-c",
            """
            import sys, xml.etree.ElementTree as e
            r = e.parse(sys.argv[1]).getroot(); s = r.find('testsuite'); c = s.findall('testcase')
            n = lambda k: sum(1 for x in c if x.find(k) is not None)
            assert r.tag == 'testsuites' and s.get('name') and all(x.get('name') for x in c)
            assert [int(s.get(k)) for k in ('tests','failures','errors','skipped')] == [len(c), n('failure'), n('error'), n('skipped')]
            print(n('failure'), n('error'), any(x.get('classname') == '<a> & "b"' for x in c))
            """, file,
        ])
        #expect(parsed.status == .code(0), "\(parsed.standardError)")
        #expect(parsed.standardOutput == "2 0 True\n")
        func check() throws -> CommandResult {
            try runCommand(["xmllint", "--noout", "--schema", BuiltProduct.fixture("junit.xsd"), file])
        }
        let valid = try check()
        #expect(valid.status == .code(0), "\(valid.standardError)")
        try Files.replace("\(shelf.path)/v1.yaml", with: "")
        #expect(try shelf.gate("v1", "v2", options).status == .code(3))
        #expect(try shelf.read(file).contains("<error type=\"refused\""))
        #expect(try check().status == .code(0))
        // The schema can refuse.
        try Files.replace(file, with: try shelf.read(file).replacing("<system-err/>", with: ""))
        #expect(try check().status != .code(0))
    }

    @Test("Annotations are commands of GitHub's, one for each failure, that no reason can break out of")
    func annotations() throws {
        let shelf = try GateShelf(slower: 1.2)
        var item = GateShelf.total
        item = item.map { $0.key == "reason" ? ("reason", "\"50 %\\n::error::made up\"") : $0 }
        try shelf.accept([item])
        let result = try shelf.gate("v1", "v2", ["--github"])
        let lines = result.standardOutput.split(separator: "\n")
        #expect(
            lines.filter { $0.hasPrefix("::error ") } == [
                "::error title=Gate failed::transcription.wall: regressed by 20 %25."
            ])
        #expect(lines.allSatisfy { $0.hasPrefix("::error ") || $0.hasPrefix("::notice ") }, "\(lines)")
        #expect(lines.contains { $0.contains("50 %25") })
    }
}
