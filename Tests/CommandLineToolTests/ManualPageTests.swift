import CommandLineTool
import Testing

@Suite("Manual pages")
struct ManualPageTests {
    private static let syntax = CommandSyntax(
        name: "tool draw", summary: "Draws what was 'seen'.", operands: .named(["IN", "OUT"], required: 1),
        options: [
            .value("format", "NAME", "svg or a\\b", letter: "f"), .flag("force", ".hidden files too"),
        ],
        examples: [("tool draw ./a -f svg", "draw a file"), ("tool draw -", "what is this?")],
        notes: [".profile is read.", "Exit codes: 0 drawn, 64 wrong usage."])

    private func lines(_ page: ManualPage) -> [String] {
        page.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    @Test("Everything that is declared is on the page, in the sections of man-pages(7)")
    func sections() {
        let page = ManualPage(Self.syntax, version: "1.2", related: ["tool", "tool-draw", "tool-list"])
        #expect(page.name == "tool-draw")
        #expect(
            lines(page).filter { $0.hasPrefix(".SH") } == [
                ".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH OPTIONS", ".SH EXIT STATUS",
                ".SH EXAMPLES",
                ".SH SEE ALSO",
            ])
        #expect(lines(page)[0] == ".TH \"TOOL\\-DRAW\" 1 \"\" \"tool 1.2\" \"User Commands\"")
        #expect(page.text.contains("\ntool\\-draw \\- Draws what was \\(aqseen\\(aq\n"))
        #expect(page.text.contains("\n\\fBtool draw\\fR [options] IN [OUT]\n"))
        #expect(page.text.contains("\n.TP\n\\fB\\-f, \\-\\-format NAME\\fR\nsvg or a\\eb\n"))
        #expect(page.text.contains("\n.SH EXIT STATUS\n.P\n0 drawn, 64 wrong usage.\n"))
        #expect(page.text.contains("\nDraw a file:\n") && page.text.contains("\nWhat is this?\n"))
        // A page does not send its reader to itself.
        #expect(page.text.hasSuffix(".SH SEE ALSO\n.BR tool (1),\n.BR tool\\-list (1)\n"))
    }

    @Test("Text that looks like a request is text")
    func noRequests() {
        let page = ManualPage(Self.syntax, version: "1", related: [])
        #expect(page.text.contains("\n\\&.profile is read.\n"))
        #expect(page.text.contains("\n\\&.hidden files too\n"))
        let requests: Set = ["TH", "SH", "P", "TP", "BR", "RS", "RE", "nf", "fi", "nh", "ad"]
        for line in lines(page) where line.hasPrefix(".") {
            #expect(requests.contains(String(line.dropFirst().prefix { $0 != " " })), "\(line)")
        }
        #expect(!lines(page).contains { $0.hasPrefix("'") })
    }

    @Test("A tool's page has its commands and variables, and names each command's page")
    func overview() {
        var tool = Tool(
            name: "tool", summary: "Looks at things.", version: "1.2",
            commands: [Tool.Command("draw", Self.syntax) { _ in .success }])
        tool.environment = [("NO_COLOR", "No colour.")]
        let page = ManualPage(tool)
        #expect(tool.manualPages == ["tool", "tool-draw", "tool-completion"])
        #expect(page.text.contains("\n.TP\n\\fBdraw\\fR\nDraws what was \\(aqseen\\(aq.\n"))
        #expect(page.text.contains("\n.SH ENVIRONMENT\n.TP\n\\fBNO_COLOR\\fR\nNo colour.\n"))
        #expect(page.text.hasSuffix(".BR tool\\-draw (1),\n.BR tool\\-completion (1)\n"))
    }
}
