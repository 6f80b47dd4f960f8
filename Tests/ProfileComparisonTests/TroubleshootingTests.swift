import LinuxSystem
import ProfileComparison
import TestSupport
import Testing

@Suite("Troubleshooting")
struct TroubleshootingTests {
    @Test("Every key that can forbid a comparison has its remedy on the page")
    func keys() throws {
        let page = String(
            decoding: try Files.read(
                "\(BuiltProduct.packageDirectory)/docs/troubleshooting.md", limit: 1 << 20),
            as: UTF8.self)
        for key in ComparabilityKey.allNames { #expect(page.contains("`\(key)`"), "\(key)") }
    }
}
