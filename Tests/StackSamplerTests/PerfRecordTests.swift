import LinuxProcess
import Testing

@testable import StackSampler

/// Records as perf_event_open(2) lays them out, written by hand.
struct PerfRecordTests {
    private func words(_ values: UInt64...) -> [UInt8] { values.flatMap { bytes(of: $0) } }

    private func bytes(of value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    private func record(kind: UInt32, flags: UInt16 = 2, _ body: [UInt8]) -> [UInt8] {
        bytes(of: kind) + bytes(of: flags) + bytes(of: UInt16(body.count + 8)) + body
    }

    /// pid and tid in one word.
    private func pair(_ first: UInt32, _ second: UInt32) -> UInt64 { UInt64(second) << 32 | UInt64(first) }

    private let trailer: [UInt64] = [0x0000_0007_0000_0005, 123_456, 77]

    private func sampleRecord(
        asked: Int, used: UInt64, abi: UInt64 = 2, chain: [UInt64] = []
    ) -> [UInt8] {
        var body = words(0x40_1000, pair(5, 7), 123_456, 77, UInt64(chain.count))
        body += chain.flatMap { words($0) } + words(abi)
        if abi != 0 { body += (0..<17).flatMap { words(UInt64($0) + 100) } }
        body += words(UInt64(abi == 0 ? 0 : asked))
        if abi != 0 {
            body += (0..<asked).map { UInt8(truncatingIfNeeded: $0) }
            body += words(used)
        }
        return record(kind: 9, body)
    }

    private func mappingRecord(flags: UInt16, identity: [UInt8], path: String) -> [UInt8] {
        let padded = Array(path.utf8) + [UInt8](repeating: 0, count: 8 - path.utf8.count % 8)
        let body =
            words(pair(5, 7), 0x7F00_0000_1000, 0x2000, 0x3000) + identity + bytes(of: UInt32(5))
            + bytes(of: UInt32(2)) + padded + trailer.flatMap { words($0) }
        return record(kind: 10, flags: flags, body)
    }

    @Test("A sample carries its thread, time, registers and as much stack as was copied")
    func sample() throws {
        let bytes = sampleRecord(asked: 64, used: 40)
        try bytes.withUnsafeBytes { raw in
            let record = try #require(PerfRecord(raw))
            guard case .sample(let sample) = record else {
                Issue.record("not a sample")
                return
            }
            #expect(sample.processID == 5 && sample.threadID == 7)
            #expect(sample.time == 123_456 && sample.identifier == 77)
            #expect(sample.registers?.load(as: UInt64.self) == 100)
            #expect(sample.stack.count == 40 && sample.stack[39] == 39)
            #expect(!sample.isStackCut)
            #expect(PerfRecord.time(raw) == 123_456)
        }
    }

    @Test("Of a call chain the user's part is taken, and one longer than its record is refused")
    func chain() throws {
        let mark = UInt64(bitPattern: -512)
        sampleRecord(asked: 64, used: 40, chain: [mark &+ 384, 9, mark, 0x40_1000, 0x40_2000])
            .withUnsafeBytes { raw in
                guard case .sample(let sample)? = PerfRecord(raw) else {
                    Issue.record("not a sample")
                    return
                }
                #expect(Array(sample.chain.bindMemory(to: UInt64.self)) == [0x40_1000, 0x40_2000])
                #expect(sample.registers?.load(as: UInt64.self) == 100 && sample.stack.count == 40)
            }
        sampleRecord(asked: 64, used: 40, chain: [1, 2]).withUnsafeBytes { raw in
            guard case .sample(let sample)? = PerfRecord(raw) else { return }
            #expect(sample.chain.isEmpty)
        }
        for length: UInt64 in [1 << 40, .max, 300] {
            var bytes = sampleRecord(asked: 64, used: 40)
            bytes.replaceSubrange(40..<48, with: words(length))
            bytes.withUnsafeBytes { #expect(PerfRecord($0) == nil) }
        }
    }

    @Test("A stack that fills its copy may go on; a thread without registers has none")
    func sampleEdges() {
        sampleRecord(asked: 64, used: 64).withUnsafeBytes { raw in
            guard case .sample(let sample)? = PerfRecord(raw) else {
                Issue.record("not a sample")
                return
            }
            #expect(sample.isStackCut)
        }
        sampleRecord(asked: 0, used: 0, abi: 0).withUnsafeBytes { raw in
            guard case .sample(let sample)? = PerfRecord(raw) else {
                Issue.record("not a sample")
                return
            }
            #expect(sample.registers == nil)
        }
    }

    @Test("A stack said to be longer than the record is refused")
    func lyingSample() {
        var bytes = sampleRecord(asked: 64, used: 65)
        bytes.withUnsafeBytes { #expect(PerfRecord($0) == nil) }
        bytes = sampleRecord(asked: 64, used: 64)
        let sizeField = 56 + 17 * 8
        for index in 0..<8 { bytes[sizeField + index] = 0xFF }
        bytes.withUnsafeBytes { #expect(PerfRecord($0) == nil) }
    }

    @Test("A mapping carries a build identifier or an inode, and its path without the mark of deletion")
    func mapping() throws {
        let identity = [UInt8(4), 0, 0, 0] + [0xDE, 0xAD, 0x00, 0x0F] + [UInt8](repeating: 0, count: 16)
        mappingRecord(flags: 1 << 14 | 2, identity: identity, path: "/bin/x (deleted)").withUnsafeBytes {
            raw in
            guard case .mapping(let mapping)? = PerfRecord(raw) else {
                Issue.record("not a mapping")
                return
            }
            #expect(mapping.processID == 5)
            #expect(mapping.buildID == "dead000f")
            #expect(mapping.mapping.path == "/bin/x" && mapping.mapping.isDeleted)
            #expect(mapping.mapping.start.value == 0x7F00_0000_1000)
            #expect(mapping.mapping.end.value == 0x7F00_0000_3000)
            #expect(mapping.mapping.fileOffset == 0x3000 && mapping.mapping.isExecutable)
            #expect(PerfRecord.time(raw) == 123_456)
        }
        let inode = bytes(of: UInt32(8)) + bytes(of: UInt32(1)) + words(4242, 0)
        mappingRecord(flags: 2, identity: inode, path: "/bin/y").withUnsafeBytes { raw in
            guard case .mapping(let mapping)? = PerfRecord(raw) else {
                Issue.record("not a mapping")
                return
            }
            #expect(mapping.buildID == nil)
            #expect(mapping.mapping.inode == 4242 && mapping.mapping.device == 8 << 20 | 1)
        }
    }

    @Test("Names, forks, exits and losses are distinguished")
    func others() {
        let end = trailer.flatMap { words($0) }
        let exec = record(kind: 3, flags: 1 << 13, words(pair(5, 7)) + Array("worker\0\0".utf8) + end)
        exec.withUnsafeBytes { raw in
            guard case .name(5, 7, "worker", true)? = PerfRecord(raw) else {
                Issue.record("not a name")
                return
            }
        }
        record(kind: 7, words(pair(9, 5), pair(11, 7), 1) + end).withUnsafeBytes { raw in
            guard case .fork(processID: 9, threadID: 11, parentID: 5, parentThreadID: 7)? = PerfRecord(raw)
            else {
                Issue.record("not a fork")
                return
            }
        }
        record(kind: 4, words(pair(9, 5), pair(11, 7), 1) + end).withUnsafeBytes { raw in
            guard case .exit(processID: 9, threadID: 11)? = PerfRecord(raw) else {
                Issue.record("not an exit")
                return
            }
        }
        record(kind: 2, words(77, 31) + end).withUnsafeBytes { raw in
            guard case .lost(31)? = PerfRecord(raw) else {
                Issue.record("not a loss")
                return
            }
        }
    }

    @Test("Every record cut short anywhere, and noise, is refused or harmless")
    func garbage() {
        let whole = [
            sampleRecord(asked: 64, used: 64),
            mappingRecord(flags: 2, identity: [UInt8](repeating: 1, count: 24), path: "/bin/x"),
            record(kind: 3, words(pair(5, 7)) + Array("worker\0\0".utf8) + trailer.flatMap { words($0) }),
        ]
        for bytes in whole {
            for count in 0..<bytes.count {
                // Once as the size field had it, once as a record of this size.
                var cut = Array(bytes[..<count])
                cut.withUnsafeBytes { #expect(PerfRecord($0) == nil) }
                guard count >= 8 else { continue }
                cut.replaceSubrange(6..<8, with: self.bytes(of: UInt16(count)))
                cut.withUnsafeBytes { _ = PerfRecord($0) }
            }
        }
        var state: UInt64 = 42
        for _ in 0..<20_000 {
            let count = Int(state >> 40) % 200 + 8
            var noise: [UInt8] = (0..<count).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1
                return UInt8(truncatingIfNeeded: state >> 33)
            }
            noise.replaceSubrange(0..<4, with: self.bytes(of: UInt32(noise[0] % 16)))
            noise.replaceSubrange(6..<8, with: self.bytes(of: UInt16(count)))
            noise.withUnsafeBytes { raw in
                _ = PerfRecord(raw)
                _ = PerfRecord.time(raw)
            }
        }
    }
}
