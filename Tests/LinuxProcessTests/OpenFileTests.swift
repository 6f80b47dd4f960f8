import LinuxProcess
import LinuxSystem
import TestSupport
import Testing

struct OpenFileTests {
    private let directory: TemporaryDirectory
    private var path: String { "\(directory.path)/program" }

    init() throws {
        directory = try TemporaryDirectory()
        try Files.replace(path, with: [UInt8](repeating: 7, count: 40_000))
    }

    @Test("A file cut short after it was opened has no bytes from there on, and is known to have changed")
    func cutShort() throws {
        let file = try OpenFile(path)
        #expect(file.load(UInt8.self, at: 39_999) == 7 && file.isUnchanged)
        let cut = try runCommand(["truncate", "-s", "5000", path])
        try #require(cut.status == .code(0))
        #expect(file.load(UInt8.self, at: 4_999) == 7)
        #expect(file.load(UInt8.self, at: 5_000) == nil)
        #expect(file.load(UInt64.self, at: 4_996) == nil)
        #expect(file.bytes(at: 0, upTo: 1 << 20) == [UInt8](repeating: 7, count: 5_000))
        #expect(file.bytes(at: 0, count: 5_001) == nil)
        #expect(!file.isUnchanged)
    }

    @Test("A file that was replaced or removed stays what it was; one that is overwritten has changed")
    func replaced() throws {
        let file = try OpenFile(path)
        try Files.replace(path, with: [UInt8](repeating: 8, count: 40_000))
        #expect(file.load(UInt8.self, at: 0) == 7 && file.isUnchanged)
        try Files.remove(path)
        #expect(file.load(UInt8.self, at: 39_999) == 7 && file.isUnchanged)
        try Files.replace(path, with: [UInt8](repeating: 9, count: 40_000))
        let overwritten = try OpenFile(path)
        let result = try runCommand(["dd", "if=/dev/zero", "of=\(path)", "bs=100", "count=1", "conv=notrunc"])
        try #require(result.status == .code(0))
        #expect(overwritten.load(UInt8.self, at: 0) == 0 && !overwritten.isUnchanged)
    }

    @Test("Offsets and lengths from outside lead nowhere")
    func outside() throws {
        let file = try OpenFile(path)
        for offset in [40_000, 40_001, 1 << 40, .max] as [UInt64] {
            #expect(file.bytes(at: offset, upTo: .max) == [])
            #expect(file.bytes(at: offset, count: .max) == nil)
            #expect(file.load(UInt64.self, at: offset) == nil)
        }
        #expect(file.bytes(at: 39_999, upTo: .max) == [7])
        #expect(file.bytes(at: 0, upTo: -1) == [])
    }
}
