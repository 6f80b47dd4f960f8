import CommandLineTool
import LinuxSystem
import TestSupport
import Testing

@Suite("The version of the package")
struct PackageVersionTests {
    private static func text(_ path: String) throws -> String {
        let whole = "\(BuiltProduct.packageDirectory)/\(path)"
        return String(decoding: try Files.read(whole, limit: 1 << 22), as: UTF8.self)
    }

    @Test("The changelogs begin with it, or with what is not released yet")
    func changelogs() throws {
        let heading = try #require(
            try Self.text("CHANGELOG.md").split(separator: "\n").first { $0.hasPrefix("## ") })
        let version = PackageVersion.current
        let day = heading.wholeMatch(of: /## ([0-9.]+) \([0-9]{4}-[0-9]{2}-[0-9]{2}\)/)
        #expect(heading == "## Unreleased" || day.map { String($0.output.1) } == version, "\(heading)")
        let packaged = try #require(try Self.text("debian/changelog").split(separator: "\n").first)
        #expect(packaged.hasPrefix("freeze-profile (\(version)"), "\(packaged)")
    }
}
