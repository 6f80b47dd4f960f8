import LinuxProcess
import LinuxSystem
import TestSupport
import Testing

struct TruncatedFileTests {
    @Test("A file cut short while it is mapped reads as zeros from there on, and ends nothing")
    func cutShort() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/program"
        try Files.replace(path, with: [UInt8](repeating: 7, count: 40_000))
        let file = try MappedFile(path)
        #expect(file.load(UInt8.self, at: 39_999) == 7)
        let cut = try runCommand(["truncate", "-s", "5000", path])
        try #require(cut.status == .code(0))
        #expect(file.load(UInt8.self, at: 4_999) == 7)
        #expect(file.load(UInt8.self, at: 5_001) == 0)
        #expect(file.load(UInt8.self, at: 39_999) == 0)
        #expect(file.withBytes { $0.reduce(0) { $0 + Int($1) } } == 7 * 5_000)
    }
}
