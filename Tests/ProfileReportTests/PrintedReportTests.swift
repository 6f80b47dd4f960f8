import LinuxProcess
import LinuxSystem
import TestSupport
import Testing

/// Reports as a browser prints them, read back from the paper.
@Suite("A report on paper")
struct PrintedReportTests {
    private static let isAvailable =
        Programs.path(of: "chromium") != nil && Programs.path(of: "pdftotext") != nil

    /// The words of a page that are not wholly on it, and all that are.
    private static let words = """
        import re, sys
        text = open(sys.argv[1]).read()
        for page in re.split("<page ", text)[1:]:
            width, height = map(float, re.match(r'width="([0-9.]+)" height="([0-9.]+)"', page).groups())
            for left, top, right, bottom, word in re.findall(
                    r'<word xMin="(.*?)" yMin="(.*?)" xMax="(.*?)" yMax="(.*?)">(.*?)</word>', page):
                inside = 0 <= float(left) and float(right) <= width and 0 <= float(top) and float(bottom) <= height
                print("on" if inside else "off", word)
        """

    @Test(
        "Every column of the stages is on the sheet",
        .enabled(if: isAvailable, "chromium and pdftotext are needed: scripts/bootstrap --oracles"))
    func columns() throws {
        let directory = try TemporaryDirectory()
        let profile = BuiltProduct.fixture("frozen-profile.yaml")
        let made = try runCommand(
            [BuiltProduct.path("freeze-profile"), "report", profile, "-o", "r.html"], in: directory.path)
        try #require(made.status == .code(0), "\(made.standardError)")
        let html = try String(decoding: Files.read("\(directory.path)/r.html", limit: 1 << 24), as: UTF8.self)
        _ = try runCommand(
            [
                "chromium", "--headless", "--no-sandbox", "--disable-gpu",
                "--user-data-dir=\(directory.path)/browser", "--print-to-pdf=r.pdf",
                "file://\(directory.path)/r.html",
            ], in: directory.path, timeout: .seconds(60))
        _ = try runCommand(["pdftotext", "-bbox", "r.pdf", "r.words"], in: directory.path)
        let read = try runCommand(["python3", "-c", Self.words, "r.words"], in: directory.path)
        let words = read.standardOutput.split(separator: "\n")
        #expect(words.filter { $0.hasPrefix("off") }.isEmpty)
        // The titles of the first table, as the page has them.
        let table = html[try #require(html.firstRange(of: "<table")).lowerBound...]
        let head = table[..<(try #require(table.firstRange(of: "</thead>")).lowerBound)]
        let titles = head.matches(of: /<th[^>]*>([^<]+)/).map { String($0.output.1) }
        #expect(titles.count >= 5, "\(titles)")
        for word in titles.flatMap({ $0.split(separator: " ") }) {
            #expect(words.contains("on \(word)"), "\(word)")
        }
    }
}
